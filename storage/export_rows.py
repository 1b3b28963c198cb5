"""Reading registrations as plain rows, many at a time, for whoever writes them all out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from .models import Answer, Consent, Registration, SubmissionRow, ZoomRegistrant
from .statements import table_of

CHUNK = 500

_PERSON = table_of(Registration).c
_RECEIPT = table_of(SubmissionRow).c
_ZOOM = table_of(ZoomRegistrant).c
_ANSWER = table_of(Answer).c
_CONSENT = table_of(Consent).c
_IDS: BindParameter[int] = bindparam("ids", expanding=True)

_PEOPLE = (
    select(
        *(_PERSON.id, _PERSON.form_version_id, func.coalesce(_RECEIPT.number, "").label("number")),
        *(_PERSON.created_at, _PERSON.status),
        func.coalesce(_ZOOM.delivery, "").label("delivery"),
        *(_PERSON.family_name, _PERSON.given_name, _PERSON.email, _PERSON.proven_at),
        *(_PERSON.locale, _PERSON.join_clicks, _PERSON.source),
    )
    .outerjoin(
        table_of(SubmissionRow),
        (_RECEIPT.registration_id == _PERSON.id) & (_RECEIPT.outcome == "created"),
    )
    .outerjoin(table_of(ZoomRegistrant), _ZOOM.registration_id == _PERSON.id)
    .where(_PERSON.id.in_(_IDS))
    .order_by(_PERSON.id)
)
_ANSWERS = (
    select(_ANSWER.registration_id, _ANSWER.question_id, _ANSWER.value, _ANSWER.other)
    .where(_ANSWER.registration_id.in_(_IDS))
    .order_by(_ANSWER.registration_id, _ANSWER.question_id, _ANSWER.position)
)
_CONSENTS = (
    select(_CONSENT.registration_id, _CONSENT.question_id, _CONSENT.kind, _CONSENT.is_given)
    .where(_CONSENT.registration_id.in_(_IDS))
    .order_by(_CONSENT.id)
)


def list_people(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Return rows whose names are those of the columns, with `number` and `delivery`."""
    return session.execute(_PEOPLE, {"ids": ids}).all()


def list_answers(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Return (registration, question, value, other) of each answer, in the form's order of each."""
    return session.execute(_ANSWERS, {"ids": ids}).all()


def list_consents(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Return (registration, question, kind, given) of each evidence, oldest first."""
    return session.execute(_CONSENTS, {"ids": ids}).all()


def list_ids(session: Session, event_id: int, *, status: str | None) -> Iterator[list[int]]:
    """Yield the ids of an event's registrations in the order in which they came."""
    last_id = 0
    statement = select(_PERSON.id).where(_PERSON.event_id == event_id).order_by(_PERSON.id)
    if status is not None:
        statement = statement.where(_PERSON.status == status)
    while ids := list(session.scalars(statement.where(_PERSON.id > last_id).limit(CHUNK))):
        yield ids
        last_id = ids[-1]
