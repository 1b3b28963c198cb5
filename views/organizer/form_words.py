"""The words of the form's editor: what was done, refused, warned of, and what differs."""

from __future__ import annotations

from flask_babel import gettext as _

from forms.question_words import name_consent, name_kind, name_question, name_zoom_field
from services.answer_texts import write_answer
from services.form_differences import Difference, Part
from services.form_editing import ActRefused, Refusal
from services.form_templates import Template
from services.form_warnings import MOST_FIELDS, Concern, Warned
from services.questions import Answer, Question, QuestionKind

from ..places import name_place

_ISOLATES = dict.fromkeys(range(0x2066, 0x206A))


def quote(text: str) -> str:
    """Return what somebody typed for a sentence: its writing direction ends where it ends."""
    return f"\u2068{text.translate(_ISOLATES)}\u2069"


def name_kind_of(question: Question) -> str:
    return name_consent(question.consent) if question.consent else name_kind(question.kind)


def write_value(question: Question, value: str, locale: str) -> str:
    """Say what one answer to a question is called."""
    return write_answer(question, Answer((value,)), locale, name_place)


def describe_condition(question: Question, questions: tuple[Question, ...], locale: str) -> str:
    """Say when a question is shown; nothing where it always is."""
    condition = question.condition
    deciding = next((q for q in questions if condition and q.id == condition.question_id), None)
    if condition is None or deciding is None:
        return ""
    values = _(" or ").join(
        quote(write_value(deciding, value, locale)) for value in condition.values
    )
    return _(
        "Only after “%(answers)s” to “%(question)s”",
        answers=values,
        question=quote(name_question(deciding, locale)),
    )


def describe_way(question: Question, titles: list[str], *, is_published: bool) -> str:
    """Say where the answers to a question go, and whether Zoom is ready for them."""
    if question.zoom_field:
        return _("Here and to Zoom (%(field)s)", field=name_zoom_field(question.zoom_field))
    if not question.zoom_title:
        return _("Stay here")
    if question.zoom_title in titles:
        return _("Here and to Zoom (“%(title)s”: Zoom has it)", title=quote(question.zoom_title))
    if is_published:
        return _("Here; Zoom does not have “%(title)s” yet", title=quote(question.zoom_title))
    return _("Here, and to Zoom once published (“%(title)s”)", title=quote(question.zoom_title))


def describe_done(act: str) -> str:
    return {
        "up": _("Moved up."),
        "down": _("Moved down."),
        "move": _("Moved."),
        "remove": _("The question was removed. Answers that were given are kept."),
        "duplicate": _("The question was duplicated."),
        "add": _("The question was added."),
        "saved": _("Saved."),
        "undo": _("The last change was undone."),
        "discard": _("The changes were discarded."),
        "template": _("The form starts from the template now."),
        "published": _("The form is published. Who registered before keeps their wording."),
    }.get(act, "")


def describe_refusal(error: ActRefused, locale: str) -> str:
    names = [quote(name_question(question, locale)) for question in error.about]
    if error.refusal is Refusal.NEEDS_ITS_QUESTION and len(names) > 1:
        return _(
            "“%(question)s” is shown only after some answers to “%(other)s”, so it has to stand "
            "below it. Move that one first, or change the condition.",
            question=names[0],
            other=names[1],
        )
    if error.refusal is Refusal.OTHERS_NEED_IT:
        return _(
            "It decides whether these are shown: %(questions)s. Change their condition first.",
            questions=_(", ").join(names),
        )
    return {
        Refusal.UNKNOWN: _("Somebody else has removed this question meanwhile."),
        Refusal.ONE_OF_ITS_KIND: _("The form has this box already; one is enough."),
        Refusal.TOO_MANY: _("The form has as many questions as it can have."),
    }.get(error.refusal, _("This question depends on one that is not there."))


def describe_warning(warned: Warned, locale: str) -> str:
    name = quote(name_question(warned.question, locale)) if warned.question else ""
    return {
        Concern.MANY_FIELDS: _(
            "There are %(count)s fields to fill in. With more than %(most)s many people leave: ask "
            "only for what you use, and make the rest optional.",
            count=warned.about,
            most=MOST_FIELDS,
        ),
        Concern.NO_NOTICE: _(
            "Nothing asks for consent to a privacy notice. Add “Consent to the privacy notice” "
            "below; without it the form cannot be published."
        ),
        Concern.SENSITIVE_WORD: _(
            "“%(question)s” asks for something that the law protects with special care "
            "(“%(word)s”). If you do not need it, remove it; else mark it as sensitive.",
            question=name,
            word=warned.about,
        ),
        Concern.UNGUARDED_TEXT: _(
            "“%(question)s” is free text. Say in its hint that nothing private should be written.",
            question=name,
        ),
        Concern.ONE_LANGUAGE: _(
            "“%(question)s” is not complete in both languages: the other one is shown instead.",
            question=name,
        ),
        Concern.CUT_AT_ZOOM: _(
            "“%(question)s” goes to Zoom, which keeps 128 characters; all of it stays here.",
            question=name,
        ),
        Concern.NEVER_SHOWN: _(
            "“%(question)s” waits for answers that nobody can give any more. Change when it is "
            "shown.",
            question=name,
        ),
    }[warned.concern]


def name_template(template: Template) -> tuple[str, str]:
    """Return what a template is called, and what it asks."""
    return {
        Template.WEBINAR: (
            _("Webinar, as usual in Japan"),
            _("Company, department, job title, age group, region, purpose; news by mail"),
        ),
        Template.SEMINAR: (
            _("Business seminar"),
            _("Company, department, position, phone, how they heard of it, questions; news"),
        ),
        Template.INTERNAL: (
            _("Within the company"),
            _("Department, office, questions for the speakers; no news by mail"),
        ),
        Template.MINIMAL: (_("As little as possible"), _("Name and email address alone")),
    }[template]


def describe_difference(difference: Difference) -> str:
    """Say one difference in a sentence without its question's name."""
    before, after = (quote(each) if each else "" for each in (difference.before, difference.after))
    language = {"ja": _("Japanese"), "en": _("English")}.get(difference.locale, "")
    if difference.part in _CHANGED:
        return _CHANGED[difference.part](language, before or _("nothing"), after or _("nothing"))
    if difference.part is Part.KIND:
        kinds = [name_kind(QuestionKind(kind)) for kind in (difference.before, difference.after)]
        return _("answered differently: %(before)s → %(after)s", before=kinds[0], after=kinds[1])
    if difference.part is Part.REQUIRED:
        return _("must be answered now") if after else _("need not be answered any more")
    if difference.part is Part.OTHER:
        return _("offers “Other” now") if after else _("does not offer “Other” any more")
    if difference.part is Part.SENSITIVE:
        return _("marked as sensitive") if after else _("not marked as sensitive any more")
    if difference.part is Part.ZOOM:
        return _("goes to Zoom: %(title)s", title=after) if after else _("stays here now")
    return {
        Part.ADDED: _("added"),
        Part.REMOVED: _("removed"),
        Part.MOVED: _("moved to another place"),
        Part.CHOICE_ADDED: _("new choice “%(choice)s”", choice=after),
        Part.CHOICE_REMOVED: _("choice “%(choice)s” not offered any more", choice=before),
        Part.CHOICES_MOVED: _("choices in another order"),
        Part.CONDITION: _("shown after other answers"),
        Part.LIMITS: _("other limits"),
        Part.NOTICE: _("another text of the notice"),
    }[difference.part]


_CHANGED = {
    Part.LABEL: lambda language, before, after: _(
        "%(language)s: “%(before)s” → “%(after)s”", language=language, before=before, after=after
    ),
    Part.HELP: lambda language, before, after: _(
        "hint (%(language)s): “%(before)s” → “%(after)s”",
        language=language,
        before=before,
        after=after,
    ),
    Part.MESSAGE: lambda language, before, after: _(
        "what is said if it is not answered (%(language)s): “%(before)s” → “%(after)s”",
        language=language,
        before=before,
        after=after,
    ),
    Part.CHOICE_RENAMED: lambda language, before, after: _(
        "choice (%(language)s): “%(before)s” → “%(after)s”",
        language=language,
        before=before,
        after=after,
    ),
}
