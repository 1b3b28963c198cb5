"""One press of a button on the page of a form: what it makes of the form that was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import organizations
from storage.models import Event

from .event_editing import ChangedMeanwhile
from .form_drafts import (
    discard_edits,
    edit_form,
    list_former_questions,
    list_taken_ids,
    read_edited_form,
    undo_edit,
)
from .form_editing import (
    ActRefused,
    Questions,
    Refusal,
    add_question,
    choose_id,
    duplicate_question,
    give_free_ids,
    move_question,
    order_questions,
    remove_question,
    shift_question,
)
from .form_templates import Template, list_ready_made, make_template
from .notice_boxes import dress_questions
from .organizations import make_operator


class FormAct(StrEnum):
    """What a button does: to one question, to a new one, or to the whole form."""

    UP = "up"
    DOWN = "down"
    MOVE = "move"
    REMOVE = "remove"
    DUPLICATE = "duplicate"
    ADD = "add"
    TEMPLATE = "template"
    UNDO = "undo"
    DISCARD = "discard"


@dataclass(frozen=True)
class AskedAct:
    """An act with what it is about; `what` names a template or a question that is ready-made.

    `mark` is that of the form which whoever pressed has seen.
    """

    act: FormAct
    mark: str
    question_id: str = ""
    position: int = 0
    what: str = ""


def do_act(session: Session, event: Event, asked: AskedAct, *, author: str, now: datetime) -> str:
    """Do an act, and return the id of the question that it was about, if it was about one.

    Raises:
        ChangedMeanwhile: it is not the form that was seen any more.
        ActRefused: it would leave no form.
    """
    edited = read_edited_form(session, event)
    if edited.mark != asked.mark:
        raise ChangedMeanwhile(f"The form of {event.slug} was changed meanwhile.")
    if asked.act is FormAct.UNDO:
        undo_edit(session, event, author=author, now=now)
        return ""
    if asked.act is FormAct.DISCARD:
        discard_edits(session, event, author=author, now=now)
        return ""
    changed = _change(session, event, edited.questions, asked)
    edit_form(session, event, changed, author=author, now=now)
    if asked.act is FormAct.TEMPLATE:
        return ""
    known = {question.id for question in edited.questions}
    added = [question.id for question in changed if question.id not in known]
    return added[0] if added else asked.question_id


def _change(session: Session, event: Event, questions: Questions, asked: AskedAct) -> Questions:
    match asked.act:
        case FormAct.UP:
            return shift_question(questions, asked.question_id, -1)
        case FormAct.DOWN:
            return shift_question(questions, asked.question_id, 1)
        case FormAct.MOVE:
            return move_question(questions, asked.question_id, asked.position)
        case FormAct.REMOVE:
            return remove_question(questions, asked.question_id)
        case FormAct.DUPLICATE:
            taken = list_taken_ids(session, event)
            return duplicate_question(questions, asked.question_id, taken)
        case FormAct.ADD:
            return _add_ready_made(session, event, questions, asked.what)
        case _:
            return _start_from_template(session, event, asked.what)


def _add_ready_made(session: Session, event: Event, questions: Questions, name: str) -> Questions:
    """Add a question that is written already; one that was removed comes back under its own id."""
    organization = organizations.need_organization(session, event.organization_id)
    ready = list_ready_made(make_operator(organization)).get(name)
    if ready is None:
        raise ActRefused(Refusal.UNKNOWN)
    dressed = dress_questions(session, organization.id, [ready])
    [question] = give_free_ids(dressed, list_former_questions(session, event))
    if question.id in {other.id for other in questions} and not question.is_consent:
        taken = list_taken_ids(session, event)
        question = replace(question, id=choose_id(question.id, taken))
    return add_question(questions, question)


def _start_from_template(session: Session, event: Event, name: str) -> Questions:
    organization = organizations.need_organization(session, event.organization_id)
    if name not in list(Template):
        raise ActRefused(Refusal.UNKNOWN)
    made = make_template(Template(name), event.default_locale, make_operator(organization))
    dressed = dress_questions(session, organization.id, made)
    return order_questions(give_free_ids(dressed, list_former_questions(session, event)))
