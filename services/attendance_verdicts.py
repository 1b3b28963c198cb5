"""What is known of people's attendance, made of what Zoom has told when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import attendance
from storage.models import Attendance, AttendanceRecord, Event
from zoom_client import ScopeMissing

from .attendance import Reason, RecordState, Standing, Verdict, sum_up
from .attendance_records import list_agreed, list_dates, read_presence
from .event_dates import EventDate, takes_choice
from .questions import DATES

_REASONS = {
    RecordState.PARTIAL: Reason.NOT_READY,
    RecordState.NOT_HELD: Reason.NOT_HELD,
    RecordState.GONE: Reason.NOT_RECORDED,
    RecordState.UNTOLD: Reason.NOT_RECORDED,
}


@dataclass(frozen=True)
class PersonAttendance:
    """What is known of one person: in all, and of each date that they come to."""

    whole: Verdict
    dates: tuple[tuple[EventDate, Verdict], ...]


def read_attendance(
    session: Session, event: Event, ids: Sequence[int], *, now: datetime
) -> dict[int, PersonAttendance]:
    """Say of each of some registrations of an event whether they came."""
    dates = list_dates(event)
    records = {record.date_id: record for record in attendance.list_records(session, [event.id])}
    rows = {(row.registration_id, row.date_id): row for row in attendance.list_rows(session, ids)}
    agreed = list_agreed(session, ids) if event.records_attendance else set()
    chosen = _list_chosen(session, event, ids)
    found = {}
    for number in ids:
        verdicts = tuple(
            (
                date,
                _judge(
                    event,
                    date,
                    records.get(date.id),
                    rows.get((number, date.id)),
                    has_agreed=number in agreed,
                    now=now,
                ),
            )
            for date in dates
            if chosen is None or date.id in chosen.get(number, ()) or (number, date.id) in rows
        )
        found[number] = PersonAttendance(sum_up([verdict for _, verdict in verdicts]), verdicts)
    return found


def _list_chosen(
    session: Session, event: Event, ids: Sequence[int]
) -> Mapping[int, set[str]] | None:
    """Return the dates to which each comes; None where everybody comes to all."""
    return attendance.list_chosen_dates(session, ids, DATES) if takes_choice(event) else None


def _judge(
    event: Event,
    date: EventDate,
    record: AttendanceRecord | None,
    row: Attendance | None,
    *,
    has_agreed: bool,
    now: datetime,
) -> Verdict:
    if row is not None and (presence := read_presence(row)) is not None:
        return Verdict(Standing.ATTENDED, presence=presence)
    if not event.records_attendance or not has_agreed:
        return Verdict(Standing.UNCLEAR, Reason.NOT_RECORDED)
    if now < date.ends_at:
        return Verdict(Standing.UNCLEAR, Reason.NOT_HELD)
    if record is None or record.state == RecordState.WAITING:
        is_refused = record is not None and record.problem == ScopeMissing.__name__
        return Verdict(Standing.UNCLEAR, Reason.NOT_RECORDED if is_refused else Reason.NOT_READY)
    if reason := _REASONS.get(RecordState(record.state)):
        return Verdict(Standing.UNCLEAR, reason)
    if row is None:
        return Verdict(Standing.UNCLEAR, Reason.NOT_REGISTERED)
    if record.unrecognised:
        return Verdict(Standing.UNCLEAR, Reason.UNRECOGNISED, record.unrecognised)
    return Verdict(Standing.ABSENT)
