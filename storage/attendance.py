"""Reading and writing who came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, delete, select
from sqlalchemy.orm import Session

from .models import (
    Answer,
    Attendance,
    AttendanceRecord,
    Consent,
    Event,
    Registration,
    ZoomRegistrant,
)
from .registration_index import mark
from .statements import insert_for, table_of


class Person(NamedTuple):
    """Somebody who is registered, and what Zoom may know them by."""

    registration_id: int
    registrant_id: str | None
    email_key: str


def list_recording_events(session: Session, *, since: datetime) -> list[Event]:
    """List the events, of which one date at least began since then, that record who came."""
    return list(
        session.scalars(
            select(Event).where(
                Event.records_attendance,
                Event.starts_at >= since,
                Event.status.not_in(("draft", "cancelled")),
            )
        )
    )


def list_records(session: Session, event_ids: Sequence[int]) -> list[AttendanceRecord]:
    """List the records of some events, by date."""
    return list(
        session.scalars(
            select(AttendanceRecord)
            .where(AttendanceRecord.event_id.in_(event_ids))
            .order_by(AttendanceRecord.ends_at, AttendanceRecord.date_id)
        )
    )


def lock_record(session: Session, event_id: int, date_id: str) -> AttendanceRecord | None:
    return session.get(
        AttendanceRecord, (event_id, date_id), with_for_update=True, populate_existing=True
    )


def ensure_record(session: Session, event_id: int, date_id: str, *, ends_at: datetime) -> None:
    """Make the record of a date, with nothing fetched yet; one that is there stays as it is."""
    new = {
        "state": "waiting",
        "problem": "",
        "digest": "",
        "attended": 0,
        "expected": 0,
        "unrecognised": 0,
    }
    session.execute(
        insert_for(session)(table_of(AttendanceRecord))
        .values(event_id=event_id, date_id=date_id, ends_at=ends_at, **new)
        .on_conflict_do_nothing(
            index_elements=[AttendanceRecord.event_id, AttendanceRecord.date_id]
        )
    )


def list_people(session: Session, ids: Sequence[int]) -> list[Person]:
    """List registrations with their numbers at Zoom."""
    rows = session.execute(
        _pair(Registration.id, ZoomRegistrant.registrant_id, Registration.email_key).where(
            Registration.id.in_(ids)
        )
    )
    return [Person(*row) for row in rows]


def lock_people(
    session: Session, ids: Sequence[int]
) -> list[tuple[Registration, ZoomRegistrant | None]]:
    """Lock registrations, in the order of their ids, and read what we know of them at Zoom."""
    session.execute(
        select(Registration.id)
        .where(Registration.id.in_(ids))
        .order_by(Registration.id)
        # As `registrations.lock_registration`.
        .with_for_update(key_share=True)
    ).all()
    rows = session.execute(
        _pair(Registration, ZoomRegistrant)
        .where(Registration.id.in_(ids))
        .order_by(Registration.id)
        .execution_options(populate_existing=True)
    )
    return [(registration, registrant) for registration, registrant in rows]


def _pair(*columns: Any) -> Select[Any]:
    return select(*columns).outerjoin_from(
        Registration, ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id
    )


def list_rows(session: Session, ids: Sequence[int]) -> list[Attendance]:
    return list(session.scalars(select(Attendance).where(Attendance.registration_id.in_(ids))))


def put_rows(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Store rows, each in the place of the one that is there, and have people be found by them."""
    if not rows:
        return
    for row in rows:
        mark(session, row["registration_id"])
    statement = insert_for(session)(table_of(Attendance)).values(list(rows))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Attendance.registration_id, Attendance.date_id],
            set_={
                name: statement.excluded[name]
                for name in ("first_joined_at", "last_left_at", "seconds")
            },
        )
    )


def erase_rows(session: Session, registration_id: int) -> None:
    session.execute(delete(Attendance).where(Attendance.registration_id == registration_id))


def forget_absent(session: Session, event_id: int, date_id: str) -> None:
    """Forget of one date of an event who had a place and was not there."""
    people = select(Registration.id).where(Registration.event_id == event_id)
    forgotten = session.scalars(
        delete(Attendance)
        .where(
            Attendance.date_id == date_id,
            Attendance.first_joined_at.is_(None),
            Attendance.registration_id.in_(people),
        )
        .returning(Attendance.registration_id)
        .execution_options(synchronize_session=False)
    )
    for number in forgotten.all():
        mark(session, number)


def list_agreed(session: Session, ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """List (registration, version of the form, question) of each privacy notice agreed to."""
    rows = session.execute(
        select(Consent.registration_id, Consent.form_version_id, Consent.question_id).where(
            and_(Consent.registration_id.in_(ids), Consent.kind == "privacy", Consent.is_given)
        )
    )
    return [(number, version, question) for number, version, question in rows]


def list_chosen_dates(
    session: Session, ids: Sequence[int], question_id: str
) -> dict[int, set[str]]:
    """Return the dates that each of some people has chosen."""
    chosen: dict[int, set[str]] = {}
    for number, value in session.execute(
        select(Answer.registration_id, Answer.value).where(
            Answer.registration_id.in_(ids), Answer.question_id == question_id
        )
    ):
        chosen.setdefault(number, set()).add(value)
    return chosen
