"""Reading registrations as plain rows, many at a time, for whoever writes them all out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from .models import Answer, Consent, Registration, SubmissionRow, ZoomRegistrant
from .statements import Statement, table_of
from .submissions import MADE_REGISTRATION

CHUNK = 500

_PERSON = table_of(Registration).c
_RECEIPT = table_of(SubmissionRow).c
_ZOOM = table_of(ZoomRegistrant).c
_ANSWER = table_of(Answer).c
_CONSENT = table_of(Consent).c


class Person(NamedTuple):
    """What a table has of one person, `number` of the receipt and `delivery` to Zoom included."""

    id: int
    form_version_id: int
    number: str
    created_at: datetime
    status: str
    delivery: str
    family_name: str
    given_name: str
    email: str
    proven_at: datetime | None
    locale: str
    join_clicks: int
    source: Mapping[str, object]


class _Reading:
    """A statement whose first column is the id of a registration, for ids in order."""

    def __init__(self, statement: Select[Any]) -> None:
        key = statement.selected_columns[0]
        self._of_ids = statement.where(key.in_(bindparam("ids", expanding=True)))
        between = statement.where(key.between(bindparam("first"), bindparam("last")))
        self._of_range = Statement(lambda _: between)

    def list_rows(self, session: Session, ids: Sequence[int]) -> Sequence[Any]:
        """Read a whole range where most of it is wanted: faster than looking up each."""
        if ids[-1] - ids[0] >= 2 * len(ids):
            return session.execute(self._of_ids, {"ids": ids}).all()
        rows = self._of_range.fetch_all(session, {"first": ids[0], "last": ids[-1]})
        wanted = set(ids)
        return [row for row in rows if row[0] in wanted]


_PEOPLE = _Reading(
    select(
        *(_PERSON.id, _PERSON.form_version_id, func.coalesce(_RECEIPT.number, "").label("number")),
        *(_PERSON.created_at, _PERSON.status),
        func.coalesce(_ZOOM.delivery, "").label("delivery"),
        *(_PERSON.family_name, _PERSON.given_name, _PERSON.email, _PERSON.proven_at),
        *(_PERSON.locale, _PERSON.join_clicks, _PERSON.source),
    )
    .outerjoin(
        table_of(SubmissionRow),
        (_RECEIPT.registration_id == _PERSON.id) & MADE_REGISTRATION,
    )
    .outerjoin(table_of(ZoomRegistrant), _ZOOM.registration_id == _PERSON.id)
    .order_by(_PERSON.id)
)
_ANSWERS = _Reading(
    select(_ANSWER.registration_id, _ANSWER.question_id, _ANSWER.value, _ANSWER.other).order_by(
        _ANSWER.registration_id, _ANSWER.question_id, _ANSWER.position
    )
)
# By person first, as they are indexed: of a range nothing else has to be sorted.
_CONSENTS = _Reading(
    select(
        _CONSENT.registration_id, _CONSENT.question_id, _CONSENT.kind, _CONSENT.is_given
    ).order_by(_CONSENT.registration_id, _CONSENT.id)
)


def list_people(session: Session, ids: Sequence[int]) -> list[Person]:
    return [Person(*row) for row in _PEOPLE.list_rows(session, ids)]


def list_answers(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Return (registration, question, value, other) of each answer, in the form's order of each."""
    return _ANSWERS.list_rows(session, ids)


def list_consents(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Return (registration, question, kind, given) of each evidence, each person's oldest first."""
    return _CONSENTS.list_rows(session, ids)


def list_ids(session: Session, event_id: int, *, status: str | None) -> Iterator[list[int]]:
    """Yield the ids of an event's registrations in the order in which they came."""
    last_id = 0
    statement = select(_PERSON.id).where(_PERSON.event_id == event_id).order_by(_PERSON.id)
    if status is not None:
        statement = statement.where(_PERSON.status == status)
    while ids := list(session.scalars(statement.where(_PERSON.id > last_id).limit(CHUNK))):
        yield ids
        last_id = ids[-1]
