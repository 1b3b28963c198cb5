"""The form of an event: its questions in order, changed step by step, with warnings and preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.question_words import list_kinds_offered, name_question
from services import audit
from services.audit import Action
from services.event_editing import ChangedMeanwhile, dress_questions
from services.events import read_current_form
from services.form_differences import list_differences
from services.form_drafts import (
    EditedForm,
    discard_edits,
    edit_form,
    list_answered_ids,
    list_former_questions,
    read_edited_form,
    undo_edit,
)
from services.form_editing import (
    ActRefused,
    add_question,
    choose_id,
    duplicate_question,
    give_free_ids,
    move_question,
    order_questions,
    remove_question,
    shift_question,
)
from services.form_templates import Template, list_ready_made, make_template
from services.form_warnings import list_warnings
from services.members import Member, Permission
from services.organizations import make_operator
from services.questions import DATES, Question
from storage import events, organizations
from storage.models import Event

from ..headers import FRAMING
from ..locale import read_locale
from ..site import get_site
from . import form_words as words
from .access import bp, need_event, needs
from .event_headings import view_event

Questions = tuple[Question, ...]

PREVIEWS = ("phone", "desktop")


@dataclass(frozen=True)
class Told:
    """What a page says above the form, and the question that it is about."""

    refusal: str = ""
    status: int = 200
    question_id: str = ""


@bp.get("/events/<event>/form", endpoint="show_form")
@needs(Permission.EDIT_EVENTS)
def show_form(member: Member, event: str) -> ResponseReturnValue:
    return draw_form(member, event)


@bp.post("/events/<event>/form", endpoint="change_form")
@needs(Permission.EDIT_EVENTS)
def change(member: Member, event: str) -> ResponseReturnValue:
    """Do one act: move, duplicate, remove, add what is ready-made, undo, discard."""
    act, question_id = request.form.get("act", ""), request.form.get("question", "")[:40]
    site = get_site()
    try:
        with site.database.write() as session:
            found = events.lock_event(session, need_event(session, member, event).id)
            if act not in _KNOWN:
                return redirect(f"/organizer/events/{event}/form", code=303)
            edited = read_edited_form(session, found)
            if edited.mark != request.form.get("version"):
                raise ChangedMeanwhile
            about = _do(session, member, found, edited, act, question_id)
            record_edit(session, member, event, act, about)
    except ChangedMeanwhile:
        return draw_form(member, event, Told(say_changed(), 409))
    except ActRefused as error:
        told = Told(words.describe_refusal(error, read_locale()), 422, question_id)
        return draw_form(member, event, told)
    target = f"?done={act}&question={about}#question-{about}" if about else f"?done={act}"
    return redirect(f"/organizer/events/{event}/form{target}", code=303)


def record_edit(
    session: Session, member: Member, event: str, act: str, question_id: str = ""
) -> None:
    facts: dict[str, audit.Fact] = {"change": "form", "act": act}
    if question_id:
        facts["question"] = question_id
    now = get_site().read_clock()
    audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)


def say_changed() -> str:
    return _(
        "Somebody else has changed the form meanwhile. Nothing of yours was done: look at it as it "
        "is now, then do it again."
    )


def list_taken_ids(session: Session, event: Event, questions: Questions) -> set[str]:
    """List the ids that questions have or had in any version, and that of a series' dates."""
    former = list_former_questions(session, event)
    return {DATES, *(question.id for question in (*former, *questions))}


def _do(
    session: Session, member: Member, event: Event, edited: EditedForm, act: str, question_id: str
) -> str:
    """Do an act and return the id of the question that it was about, if there is one."""
    now, author = get_site().read_clock(), member.public_id
    if act == "undo":
        undo_edit(session, event, author=author, now=now)
        return ""
    if act == "discard":
        discard_edits(session, event, author=author, now=now)
        return ""
    questions = edited.questions
    if act in ("add", "template"):
        changed = _start_from(session, event, questions, act)
    elif act in _ACTS:
        taken = list_taken_ids(session, event, questions)
        changed = _ACTS[act](questions, question_id, taken)
    else:
        return ""
    edit_form(session, event, changed, author=author, now=now)
    known = {question.id for question in questions}
    added = [question.id for question in changed if question.id not in known]
    if act == "template":
        return ""
    return added[0] if added else question_id if act in _ACTS else ""


def _start_from(session: Session, event: Event, questions: Questions, act: str) -> Questions:
    """Add a question that is ready-made, or put a whole template in the form's place."""
    asked = request.form.get("what", "")
    organization = organizations.need_organization(session, event.organization_id)
    operator = make_operator(organization)
    dress = partial(dress_questions, session, event.organization_id)
    former = list_former_questions(session, event)
    if act == "template" and asked in list(Template):
        made = make_template(Template(asked), event.default_locale, operator)
        return order_questions(give_free_ids(dress(made), former))
    ready = list_ready_made(operator).get(asked)
    if act == "template" or ready is None:
        return questions
    # A question that was removed comes back under its own id: its answers count on.
    [question] = give_free_ids(dress([ready]), former)
    if question.id in {q.id for q in questions} and not question.is_consent:
        taken = list_taken_ids(session, event, questions)
        question = replace(question, id=choose_id(question.id, taken))
    return add_question(questions, question)


_Act = Callable[[Questions, str, set[str]], Questions]
_ACTS: dict[str, _Act] = {
    "up": lambda questions, name, _taken: shift_question(questions, name, -1),
    "down": lambda questions, name, _taken: shift_question(questions, name, 1),
    "move": lambda questions, name, _taken: move_question(questions, name, _read_position()),
    "remove": lambda questions, name, _taken: remove_question(questions, name),
    "duplicate": duplicate_question,
}
_KNOWN = {*_ACTS, "add", "template", "undo", "discard"}


def _read_position() -> int:
    text = request.form.get("position", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def draw_form(member: Member, event: str, told: Told = Told()) -> ResponseReturnValue:
    """Show the editor; with what was refused, at the question that it is about."""
    locale = read_locale()
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        edited = read_edited_form(session, found)
        organization = organizations.need_organization(session, found.organization_id)
        ready = list_ready_made(make_operator(organization))
        page = render_template(
            "organizer/form.html",
            event=view_event(found),
            here="form",
            questions=_view_questions(found, edited, locale),
            warnings=_view_warnings(edited, found.default_locale, locale),
            changes=_view_changes(session, found, edited, locale),
            version=edited.mark,
            can_undo=edited.can_undo,
            is_draft=found.status == "draft",
            is_answered=bool(list_answered_ids(session, found)),
            told=told,
            done=words.describe_done(request.args.get("done", "")) if not told.refusal else "",
            act=request.args.get("done", ""),
            lost=request.args.get("lost") == "1",
            kinds=list_kinds_offered(),
            ready=[(name, name_question(q, locale)) for name, q in ready.items()],
            templates=[(str(each), *words.name_template(each)) for each in Template],
            preview=_choose_preview(),
        )
    response = make_response(page, told.status)
    response.headers["Content-Security-Policy"] = FRAMING
    return response


def _choose_preview() -> str:
    asked = request.args.get("preview", "")
    return asked if asked in PREVIEWS else PREVIEWS[0]


def _view_questions(event: Event, edited: EditedForm, locale: str) -> list[dict[str, Any]]:
    questions = edited.questions
    asked = sum(not question.is_consent for question in questions)
    return [
        {
            "id": question.id,
            "name": name_question(question, locale),
            "label": question.label,
            "kind": words.name_kind_of(question),
            "is_needed": question.is_needed,
            "is_consent": question.is_consent,
            "condition": words.describe_condition(question, questions, locale),
            "way": words.describe_way(
                question, event.zoom_titles, is_published=event.published_at is not None
            ),
            "goes_to_zoom": question.goes_to_zoom,
            "is_sensitive": question.is_sensitive,
            "choices": [choice.label for choice in question.choices],
            "is_first": place in (0, asked),
            "is_last": place in (asked - 1, len(questions) - 1),
            "can_be_copied": question.consent is None or question.consent == "other",
        }
        for place, question in enumerate(questions)
    ]


def _view_warnings(edited: EditedForm, own_locale: str, locale: str) -> list[tuple[str, str]]:
    """Return each warning with the id of its question, if it is about one."""
    return [
        (words.describe_warning(warned, locale), warned.question.id if warned.question else "")
        for warned in list_warnings(edited.questions, own_locale)
    ]


def _view_changes(
    session: Session, event: Event, edited: EditedForm, locale: str
) -> list[tuple[str, str]]:
    """Return what is edited and not published, each with its question's name."""
    if not edited.has_changes:
        return []
    current = order_questions(read_current_form(session, event).questions)
    return [
        (name_question(each.question, locale), words.describe_difference(each, locale))
        for each in list_differences(current, edited.questions)
    ]
