"""The working copy of an event's form: edited step by step, undone, and published as a version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, registrations
from storage.models import Event

from .event_editing import ChangedMeanwhile, has_edits, keep_questions
from .events import EventState, read_current_form
from .form_editing import Questions, order_questions
from .form_history import read_history
from .questions import DATES, Question, questions_from_rows, questions_to_rows


@dataclass(frozen=True)
class EditedForm:
    """A form as its editor shows it, in page order.

    `has_changes` tells whether it differs from the one of now; `can_undo` whether the last change
    can be taken back.
    """

    questions: Questions
    has_changes: bool = False
    can_undo: bool = False
    author: str = ""
    updated_at: datetime | None = None

    @property
    def mark(self) -> str:
        """Return what tells it from what somebody else has made of it meanwhile."""
        return mark_questions(*self.questions)


def mark_questions(*questions: Question) -> str:
    """Return what tells questions apart from others, or from themselves after a change."""
    return hashlib.sha256(json.dumps(questions_to_rows(questions)).encode()).hexdigest()[:20]


def read_edited_form(session: Session, event: Event) -> EditedForm:
    """Read the working copy, or the form of now where nothing of it was changed."""
    current = order_questions(read_current_form(session, event).questions)
    draft = events.get_form_draft(session, event.id)
    if draft is None:
        return EditedForm(current)
    questions = order_questions(questions_from_rows(draft.questions))
    return EditedForm(
        questions,
        has_changes=has_edits(session, event),
        can_undo=draft.former is not None,
        author=draft.author,
        updated_at=draft.updated_at,
    )


def read_coming_form(session: Session, event: Event) -> Questions:
    """Return what the form is to be once the event is published: a draft's is edited until then."""
    if event.status == EventState.DRAFT and events.get_form_draft(session, event.id):
        return read_edited_form(session, event).questions
    return read_current_form(session, event).questions


def edit_form(
    session: Session, event: Event, questions: Questions, *, author: str, now: datetime
) -> None:
    """Keep what somebody has made of a form; nobody who registers sees it yet."""
    former = read_edited_form(session, event).questions
    if questions != former:
        events.put_form_draft(
            session,
            event.id,
            questions_to_rows(questions),
            former=questions_to_rows(former),
            author=author,
            now=now,
        )


def undo_edit(session: Session, event: Event, *, author: str, now: datetime) -> None:
    """Take the last change back.

    Raises:
        ChangedMeanwhile: there is nothing to take back any more.
    """
    draft = events.get_form_draft(session, event.id)
    if draft is None or draft.former is None:
        raise ChangedMeanwhile(f"The last change to the form of {event.slug} is undone already.")
    events.put_form_draft(session, event.id, draft.former, former=None, author=author, now=now)


def discard_edits(session: Session, event: Event, *, author: str, now: datetime) -> None:
    """Go back to the form of now; that too can be undone."""
    current = order_questions(read_current_form(session, event).questions)
    edit_form(session, event, current, author=author, now=now)


def keep_edits(
    session: Session, event: Event, questions: Questions, *, author: str, now: datetime
) -> bool:
    """Make the working copy the form of now, as a new version; tell whether it differs.

    Raises:
        ChangedMeanwhile: it is not what `questions` says any more.
    """
    if read_edited_form(session, event).questions != order_questions(questions):
        raise ChangedMeanwhile(f"The form of {event.slug} was changed meanwhile.")
    draft = events.get_form_draft(session, event.id)
    if draft is None:
        return False
    events.drop_form_draft(session, event.id)
    return keep_questions(session, event, questions, now, author=author or draft.author)


def list_undoable(session: Session, event: Event) -> Questions:
    """Return the questions as they were before the last change, if that can be undone."""
    draft = events.get_form_draft(session, event.id)
    return questions_from_rows(draft.former) if draft and draft.former else ()


def list_former_questions(session: Session, event: Event) -> list[Question]:
    """List the questions of all versions of a form, each as the newest version with it has it."""
    return [past.newest for past in read_history(session, event).values()]


def list_taken_ids(session: Session, event: Event) -> set[str]:
    """List the ids that questions have or had in any version, and that of a series' dates."""
    now = read_edited_form(session, event).questions
    return {DATES, *read_history(session, event), *(question.id for question in now)}


def list_answered_ids(session: Session, event: Event) -> set[str]:
    """List what people may have answered: the questions of all versions, once anybody came."""
    if not registrations.has_registrations(session, event.id):
        return set()
    return set(read_history(session, event))
