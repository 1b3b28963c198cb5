"""The fields of the form in which an organizer writes one question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from flask_babel import gettext as _
from wtforms.fields.core import UnboundField

from services.question_documents import (
    LONGEST_LABEL,
    LONGEST_NOTICE,
    LONGEST_ZOOM_TITLE,
    ZOOM_FIELDS,
)
from services.questions import OTHER, ConsentKind, Question, QuestionKind
from services.texts import LOCALES

from .choice_lines import build_lines
from .fields import ChoicesField
from .markdown import check_tables
from .organizer_fields import build_choice, build_line, build_switch, build_text
from .organizer_fields import build_number as build_bounded
from .prefectures import list_prefecture_groups
from .question_words import name_kind, name_question, name_zoom_field
from .rows import Option, OptionGroup, Row

HERE, FIELD, TITLE = "here", "field", "title"
"""Where answers go: nowhere else, to a field that Zoom has, or to a question of ours there."""

ALWAYS, SOME = "always", "some"

WITH_CHOICES = (QuestionKind.SELECT, QuestionKind.RADIO, QuestionKind.CHECKBOXES)
WITH_LENGTH = (QuestionKind.TEXT, QuestionKind.TEXTAREA, QuestionKind.KANA)
WITH_BOUNDS = (QuestionKind.NUMBER, QuestionKind.DATE)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the form of a question has to know of the rest.

    `deciding` are the questions on which it may depend, each with the values that can be chosen;
    `others` all questions but this one; `taken_values` the choices that it had in any version.
    """

    locale: str
    default_locale: str
    kinds: Sequence[QuestionKind]
    deciding: Sequence[tuple[Question, Sequence[tuple[str, str]]]] = ()
    others: Sequence[Question] = ()
    taken_values: Collection[str] = ()


def name_values(question_id: str) -> str:
    """Return the name of the field with the answers to a question that decides."""
    return f"values_{question_id}"


def list_texts(question: Question) -> tuple[str, ...]:
    if not question.is_consent:
        return ("label", "help", "required_message")
    if question.consent is ConsentKind.OTHER:
        return ("label", "help", "notice")
    return ("label", "help")


def build_texts(question: Question, default_locale: str) -> dict[str, UnboundField]:
    labels = {
        "label": _("Question"),
        "help": _("Why do we ask, and what to enter"),
        "required_message": _("What is said if it is not answered"),
        "notice": _("Full text"),
    }
    if question.is_consent:
        labels |= {"label": _("Text beside the box"), "help": _("Hint")}
    languages = {"ja": _("Japanese"), "en": _("English")}
    fields = {}
    for name, locale in product(list_texts(question), LOCALES):
        field = f"{name}_{locale}"
        label = _("%(label)s (%(language)s)", label=labels[name], language=languages[locale])
        if name == "notice":
            fields[field] = build_text(field, label, longest=LONGEST_NOTICE, checks=(check_tables,))
            continue
        is_needed = (name, locale) == ("label", default_locale)
        fields[field] = build_line(
            field,
            label,
            longest=LONGEST_LABEL,
            missing=_("Enter the question in the event's own language") if is_needed else "",
            width="full",
        )
    return fields


def build_answer(around: Surroundings, lines: int) -> dict[str, UnboundField]:
    kinds = [(str(kind), name_kind(kind)) for kind in around.kinds]
    bounds = _("A number like 10, or a date like 2026-12-10. Empty: no limit.")
    return {
        "kind": build_choice("kind", _("How it is answered"), kinds, kind="select"),
        **build_lines(lines),
        "has_other": build_switch(
            "has_other",
            _("Other"),
            _("Offer “Other” with a line to type"),
            condition=("kind", WITH_CHOICES),
        ),
        "max_length": build_bounded(
            "max_length",
            _("Most characters"),
            least=1,
            most=10_000,
            condition=("kind", WITH_LENGTH),
        ),
        "minimum": build_line(
            "minimum",
            _("The least"),
            longest=40,
            help=bounds,
            width="medium",
            condition=("kind", WITH_BOUNDS),
        ),
        "maximum": build_line(
            "maximum",
            _("The most"),
            longest=40,
            help=bounds,
            width="medium",
            condition=("kind", WITH_BOUNDS),
        ),
    }


def build_condition(around: Surroundings) -> dict[str, UnboundField]:
    if not around.deciding:
        return {}
    names = [(q.id, name_question(q, around.locale)) for q, _values in around.deciding]
    fields = {
        "when": build_choice(
            "when",
            _("Shown"),
            [(ALWAYS, _("Always")), (SOME, _("Only after some answers to an earlier question"))],
            is_needed=False,
        ),
        "decides": build_choice(
            "decides",
            _("The question that decides"),
            names,
            kind="select",
            is_needed=False,
            width="full",
            condition=("when", (SOME,)),
        ),
    }
    for deciding, values in around.deciding:
        name = name_values(deciding.id)
        label = _("Shown after these answers to “%(question)s”", question=dict(names)[deciding.id])
        fields[name] = _build_values(name, label, values, deciding.id)
    return fields


def _build_values(
    name: str, label: str, values: Sequence[tuple[str, str]], question_id: str
) -> UnboundField:
    options = tuple(Option(*value) for value in values)
    row = Row(
        kind="checkboxes",
        name=name,
        label=label,
        error_label=label,
        groups=(OptionGroup("", options),),
        condition=("decides", (question_id,)),
    )
    return ChoicesField(row, dict.fromkeys(value for value, _label in values))


def build_use() -> dict[str, UnboundField]:
    return {
        "zoom_way": build_choice(
            "zoom_way",
            _("Where answers go"),
            [
                (HERE, _("They stay here")),
                (FIELD, _("Here and to Zoom, into a field that Zoom has")),
                (TITLE, _("Here and to Zoom, as a question of its own")),
            ],
        ),
        "zoom_field": build_choice(
            "zoom_field",
            _("Field at Zoom"),
            [(name, name_zoom_field(name)) for name in ZOOM_FIELDS],
            kind="select",
            is_needed=False,
            condition=("zoom_way", (FIELD,)),
        ),
        "zoom_title": build_line(
            "zoom_title",
            _("Title at Zoom"),
            longest=LONGEST_ZOOM_TITLE,
            help=_("Zoom's reports show answers under it. It is asked of nobody at Zoom."),
            width="full",
            condition=("zoom_way", (TITLE,)),
        ),
        "is_sensitive": build_switch(
            "is_sensitive",
            _("Sensitive"),
            _("Answers need special care: they never go to Zoom, and viewers do not see them"),
        ),
    }


def list_condition_values(
    question: Question,
    locale: str,
    name_value: Callable[[Question, str, str], str],
    kept: Iterable[str] = (),
) -> list[tuple[str, str]]:
    """List the answers to a question that another may depend on, each with its words.

    Of countries Japan alone is offered, and what is chosen already (`kept`).
    """
    offered = {
        QuestionKind.PREFECTURE: [
            option.value for group in list_prefecture_groups(locale) for option in group.options
        ],
        QuestionKind.COUNTRY: ["JP"],
    }.get(question.kind, [choice.value for choice in question.choices])
    if question.has_other:
        offered.append(OTHER)
    values = dict.fromkeys([*offered, *kept])
    return [(value, name_value(question, value, locale)) for value in values]
