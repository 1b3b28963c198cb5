"""Reading many registrations at once, with what belongs to each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import BigInteger, and_, cast, exists, or_, select
from sqlalchemy.orm import Session

from .job_requests import ZOOM_SYNC
from .models import (
    Answer,
    Consent,
    Job,
    Mail,
    Registration,
    RegistrationChange,
    SubmissionRow,
    ZoomRegistrant,
)
from .models.jobs import IS_STOPPED
from .registrations import chose_one_of
from .submissions import MADE_REGISTRATION

T = TypeVar("T")

CHUNK = 500

# One form made the registration: neither of the joins adds rows.
_ROWS = (
    select(Registration, SubmissionRow.number, ZoomRegistrant.delivery)
    .outerjoin(
        SubmissionRow,
        (SubmissionRow.registration_id == Registration.id) & MADE_REGISTRATION,
    )
    .outerjoin(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
)


@dataclass(frozen=True)
class RegistrationRow:
    """One registration; `number` is that of its receipt, `delivery` what became of it at Zoom."""

    registration: Registration
    number: str
    delivery: str


@dataclass(frozen=True)
class FullRow:
    """One registration with its answers and the evidence of its consents, oldest first."""

    row: RegistrationRow
    answers: tuple[Answer, ...]
    consents: tuple[Consent, ...]


def list_rows(
    session: Session, event_id: int, *, status: str | None = None
) -> Iterator[RegistrationRow]:
    """Yield an event's registrations in the order in which they came, read in chunks."""
    last_id = 0
    while chunk := _read_chunk(session, event_id, status, last_id):
        yield from chunk
        last_id = chunk[-1].registration.id


def list_registrants(
    session: Session, event_id: int
) -> list[tuple[Registration, ZoomRegistrant | None]]:
    """List an event's registrations with what we know of each at Zoom."""
    rows = session.execute(
        select(Registration, ZoomRegistrant)
        .outerjoin(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
        .where(Registration.event_id == event_id)
        .order_by(Registration.id)
    )
    return [(registration, registrant) for registration, registrant in rows]


def lock_people(session: Session, event_id: int) -> None:
    """Lock an event's registrations, so that nobody else changes one of them before this ends."""
    people = select(Registration.id).where(Registration.event_id == event_id)
    # As `registrations.lock_registration`, in the order in which everybody locks several.
    session.execute(people.order_by(Registration.id).with_for_update(key_share=True)).all()


def has_come_to_wait(session: Session, event_id: int, *, since: datetime) -> bool:
    """Tell whether anybody who waits for approval has done so only since a moment."""
    # Whatever it was before: who waits now does so since the last change of their status.
    moved = exists().where(
        RegistrationChange.registration_id == Registration.id,
        RegistrationChange.action == "status",
        RegistrationChange.changed_at >= since,
    )
    is_new = exists().where(
        Registration.event_id == event_id,
        Registration.status == "pending",
        or_(Registration.created_at >= since, moved),
    )
    return bool(session.scalar(select(is_new)))


def read_full_rows(session: Session, ids: Sequence[int]) -> list[FullRow]:
    """Read registrations with answers and consents, in the order of their ids."""
    rows = session.execute(_ROWS.where(Registration.id.in_(ids)).order_by(Registration.id))
    return _complete(session, _make_rows(rows))


def list_stopped(
    session: Session,
    event_id: int,
    *,
    reason: str,
    dates_reason: str,
    dates: Collection[str] | None,
    limit: int,
) -> list[Registration]:
    """List people whose work at Zoom has ended, undone, for a reason.

    Args:
        dates_reason: one that holds no more for whoever chose one of `dates`; None for everybody.
    """
    of_dates = [Job.reason == dates_reason]
    if dates is not None:
        of_dates.append(chose_one_of(dates))
    # From the jobs, which an index finds, to the people: the other way reads all of both.
    number = cast(Job.payload[ZOOM_SYNC.name].as_string(), BigInteger)
    stopped = select(Registration).select_from(Job).join(Registration, Registration.id == number)
    is_one = Job.event_id == event_id, or_(Job.reason == reason, and_(*of_dates))
    return list(session.scalars(stopped.where(IS_STOPPED, *is_one).order_by(Job.id).limit(limit)))


def list_without_mail(
    session: Session, event_id: int, *, statuses: Sequence[str], mail_name: str, limit: int | None
) -> list[Registration]:
    """List people of an event for whom a mail was never asked for."""
    has_mail = exists().where(Mail.registration_id == Registration.id, Mail.name == mail_name)
    return list(
        session.scalars(
            select(Registration)
            .where(Registration.event_id == event_id, Registration.status.in_(statuses), ~has_mail)
            .order_by(Registration.id)
            .limit(limit)
        )
    )


def list_with_failed_mail(session: Session, event_id: int, *, mail_name: str) -> list[Registration]:
    """List people of an event for whom a mail failed and none was sent, nor waits to be.

    Whoever was erased has no address any more to which it could go.
    """
    of_person = (Mail.registration_id == Registration.id, Mail.name == mail_name)
    return list(
        session.scalars(
            select(Registration)
            .where(
                Registration.event_id == event_id,
                Registration.email != "",
                exists().where(*of_person, Mail.state == "failed"),
                ~exists().where(*of_person, Mail.state.in_(("queued", "sent"))),
            )
            .order_by(Registration.id)
        )
    )


def list_to_tell_of_times(
    session: Session,
    event_id: int,
    *,
    since: datetime,
    came_before: datetime,
    now: datetime,
    statuses: Sequence[str],
    dates: Sequence[str] | None,
    mail_name: str,
    limit: int,
) -> list[Registration]:
    """List people who came before a change of times was known, and got no mail about it.

    Whoever came later than now, by a clock that was ahead, came before as far as anybody knows.

    Args:
        dates: whoever chose one of them; None where everybody comes to all.
    """
    knows = exists().where(
        Mail.registration_id == Registration.id, Mail.name == mail_name, Mail.created_at >= since
    )
    statement = select(Registration).where(
        Registration.event_id == event_id,
        Registration.status.in_(statuses),
        or_(Registration.created_at < came_before, Registration.created_at > now),
        ~knows,
    )
    if dates is not None:
        statement = statement.where(chose_one_of(dates))
    return list(session.scalars(statement.order_by(Registration.id).limit(limit)))


def _read_chunk(
    session: Session, event_id: int, status: str | None, after_id: int
) -> list[RegistrationRow]:
    statement = (
        _ROWS.where(Registration.event_id == event_id, Registration.id > after_id)
        .order_by(Registration.id)
        .limit(CHUNK)
    )
    if status is not None:
        statement = statement.where(Registration.status == status)
    return _make_rows(session.execute(statement))


def _make_rows(rows: Iterable[Any]) -> list[RegistrationRow]:
    return [
        RegistrationRow(registration, number or "", delivery or "")
        for registration, number, delivery in rows
    ]


def _complete(session: Session, rows: Sequence[RegistrationRow]) -> list[FullRow]:
    ids = [row.registration.id for row in rows]
    answers = _group(
        session.scalars(
            select(Answer)
            .where(Answer.registration_id.in_(ids))
            .order_by(Answer.registration_id, Answer.question_id, Answer.position)
        )
    )
    consents = _group(
        session.scalars(
            select(Consent)
            .where(Consent.registration_id.in_(ids))
            .order_by(Consent.registration_id, Consent.id)
        )
    )
    return [
        FullRow(
            row,
            tuple(answers.get(row.registration.id, ())),
            tuple(consents.get(row.registration.id, ())),
        )
        for row in rows
    ]


def _group(rows: Iterable[T]) -> dict[int, list[T]]:
    """Gather rows that are sorted by registration."""
    return {key: list(group) for key, group in groupby(rows, attrgetter("registration_id"))}
