"""Giving data to a third party: only of those who agreed to just that, and never unrecorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import provisions
from storage.models import Event, Provision

from .facets import list_questions
from .questions import ConsentKind, Question


@dataclass(frozen=True)
class Recipient:
    """A third party that a form has, or had, a box for; `agreed` are the ids of who ticked it."""

    question_id: str
    name: str
    agreed: tuple[int, ...]


def list_recipients(session: Session, event: Event) -> list[Recipient]:
    """List them, of all versions of an event's form."""
    return [
        Recipient(
            question.id,
            question.recipient,
            tuple(provisions.list_who_agreed(session, event.id, question.id)),
        )
        for question in list_questions(session, event)
        if question.consent is ConsentKind.PROVISION
    ]


def list_withheld(questions: Iterable[Question]) -> list[str]:
    """List the ids of the questions whose answers no recipient gets: boxes and sensitive ones."""
    return [question.id for question in questions if question.is_consent or question.is_sensitive]


def record_provision(
    session: Session,
    event: Event,
    recipient: Recipient,
    *,
    items: Sequence[str],
    author: str,
    now: datetime,
) -> Provision:
    """Keep what is given, of whom, to whom and by whom; the basis is each one's own consent."""
    return provisions.add_provision(
        session,
        event.id,
        question_id=recipient.question_id,
        recipient=recipient.name,
        items=items,
        registration_ids=recipient.agreed,
        author=author,
        now=now,
    )
