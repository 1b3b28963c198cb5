"""Zoom's record of who came to each date of an event: when it is asked for, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import attendance, events, job_requests
from storage.form_versions import walk_versions
from storage.models import Attendance, AttendanceRecord, Event, ZoomRegistrant

from .attendance import Presence, RecordState
from .deliveries import Delivery
from .erasing import is_erased
from .event_dates import EventDate, read_dates, takes_choice
from .events import EventState, read_definition
from .happenings import Happening, tell

JOB_KIND = "zoom.attendance"

# Zoom says that a report may be late, and not how late.
ASK_AFTER = timedelta(minutes=15)
AT_LEAST_BETWEEN, AT_MOST_BETWEEN = timedelta(minutes=15), timedelta(hours=6)
WAITS_FOR_UP_TO = timedelta(days=3)
WAITS_FOR_SOMEBODY = timedelta(days=30)
SAYS_THE_SAME_AFTER = timedelta(hours=2)
ZEROS_MEAN_LATE_FOR = timedelta(days=1)

# Zoom forgets what is older than a year.
ZOOM_KEEPS = timedelta(days=365)


@dataclass(frozen=True)
class Counted:
    """How many of some people came, and how many had a place."""

    attended: int = 0
    expected: int = 0

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.attended + other.attended, self.expected + other.expected)


def list_dates(event: Event) -> tuple[EventDate, ...]:
    """List the dates of an event that are held; one that is no series has one, without an id."""
    dates = read_dates(event) or (EventDate("", event.starts_at, event.duration_minutes),)
    return tuple(date for date in dates if not date.is_gone)


def list_dates_at_zoom(session: Session, event: Event) -> list[EventDate]:
    """List all dates for which an event's meeting is held, those of other events among them."""
    found = events.list_events_at_zoom(session, event.connection_id, event.kind, event.zoom_id)
    unheld = (EventState.DRAFT, EventState.CANCELLED)
    return [date for other in found if other.status not in unheld for date in list_dates(other)]


def find_date(event: Event, date_id: str) -> EventDate | None:
    """Return a date of an event whose record is to be fetched; None if none is."""
    if not event.records_attendance or event.status in (EventState.DRAFT, EventState.CANCELLED):
        return None
    return next((date for date in list_dates(event) if date.id == date_id), None)


def request_due_records(session: Session, *, now: datetime) -> None:
    """Have Zoom asked for each date that is over and has no record yet.

    Whoever calls it may call it as often as they like: so nothing has to be remembered where an
    event or its dates change.
    """
    for event, date in list_due(session, now=now):
        ask(session, event, date, now=now)


def list_due(session: Session, *, now: datetime) -> list[tuple[Event, EventDate]]:
    """List the dates that are over and have no record, or that of another time."""
    found = attendance.list_recording_events(session, since=now - ZOOM_KEEPS)
    records = {
        (record.event_id, record.date_id): record
        for record in attendance.list_records(session, [event.id for event in found])
    }

    def is_due(event: Event, date: EventDate) -> bool:
        record = records.get((event.id, date.id))
        is_over = now - ZOOM_KEEPS < date.ends_at <= now - ASK_AFTER
        return is_over and (record is None or record.ends_at != date.ends_at)

    return [(event, date) for event in found for date in list_dates(event) if is_due(event, date)]


def ask(session: Session, event: Event, date: EventDate, *, now: datetime) -> None:
    """Have Zoom asked for the record of a date from now on, as if for the first time."""
    attendance.ensure_record(session, event.id, date.id, ends_at=date.ends_at)
    record = attendance.lock_record(session, event.id, date.id)
    assert record is not None, "it was just made"
    _begin_anew(session, record, date)
    session.flush()
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{event.id}:{date.id}",
        payload={"event_id": event.id, "date_id": date.id},
        event_id=event.id,
        run_at=now,
        now=now,
    )


def follow_move(session: Session, record: AttendanceRecord, date: EventDate) -> None:
    """Have Zoom asked as if for the first time once a date has been moved: it was about another."""
    if record.ends_at != date.ends_at:
        _begin_anew(session, record, date)


def _begin_anew(session: Session, record: AttendanceRecord, date: EventDate) -> None:
    if record.ends_at != date.ends_at:
        # Who missed the former time may have cancelled before this one.
        attendance.forget_absent(session, record.event_id, record.date_id)
    record.state, record.problem, record.digest = RecordState.WAITING, "", ""
    record.asked_at, record.ends_at = None, date.ends_at


def find_next_look(record: AttendanceRecord, *, now: datetime) -> datetime:
    """Return when to ask again for a record that Zoom has not finished: ever less often.

    One that looks finished is asked for once more: Zoom may have told a part of it.
    """
    if record.digest:
        return now + SAYS_THE_SAME_AFTER
    waited = now - (record.asked_at or now)
    return now + min(max(waited, AT_LEAST_BETWEEN), AT_MOST_BETWEEN)


def has_waited(record: AttendanceRecord, longest: timedelta, *, now: datetime) -> bool:
    return record.asked_at is not None and now - record.asked_at >= longest


def was_announced(session: Session, event: Event, date: EventDate) -> bool:
    """Tell whether a form said before the end of a date that attendance is recorded.

    Else nobody can have agreed to it, as where it is turned on in the middle of a series.
    """
    return any(
        question.attendance
        for version in walk_versions(session, event.id)
        if version.created_at <= date.ends_at
        for question in read_definition(session, version.id).questions
    )


def store_people(
    session: Session,
    event_id: int,
    date: EventDate,
    ids: Sequence[int],
    presences: Mapping[int, Presence],
    *,
    is_whole: bool,
    now: datetime,
) -> Counted:
    """Keep of some people whether they were at a date; of an unfinished record who was alone.

    Stored twice it is the same. Side effects: word of everybody who is found to have attended for
    the first time.
    """
    event = events.need_event(session, event_id)
    people = attendance.lock_people(session, ids)
    agreed = list_agreed(session, ids)
    known = attendance.list_rows(session, ids)
    had_come = {row.registration_id for row in known if row.first_joined_at is not None}
    stored = {row.registration_id: row for row in known if row.date_id == date.id}
    rows, counted = [], Counted()
    for registration, registrant in people:
        number = registration.id
        if is_erased(registration) or number not in agreed:
            continue
        presence = presences.get(number)
        was_expected = is_expected(event, registrant, date)
        if presence is None and not (is_whole and (was_expected or number in stored)):
            continue
        if number not in stored or read_presence(stored[number]) != presence:
            rows.append(_lay_out(number, date, presence))
        counted += Counted(int(presence is not None), int(was_expected or presence is not None))
        if presence is not None and number not in had_come:
            tell(session, event, registration, Happening.ATTENDED, now=now)
    attendance.put_rows(session, rows)
    return counted


def is_expected(event: Event, registrant: ZoomRegistrant | None, date: EventDate) -> bool:
    """Tell whether Zoom had somebody for a date before it was over."""
    if registrant is None or registrant.delivery != Delivery.REGISTERED:
        return False
    if takes_choice(event) and date.id not in (registrant.occurrence_ids or ()):
        return False
    return registrant.answered_at is not None and registrant.answered_at <= date.ends_at


def list_agreed(session: Session, ids: Sequence[int]) -> set[int]:
    """Return who of some people agreed to a notice that says that attendance is recorded."""
    agreed = set()
    for number, version_id, question_id in attendance.list_agreed(session, ids):
        question = read_definition(session, version_id).get_question(question_id)
        if question is not None and question.attendance:
            agreed.add(number)
    return agreed


def settle(
    record: AttendanceRecord, counted: Counted, *, unrecognised: int, is_whole: bool
) -> None:
    """Record that Zoom has said all that it will say of a date."""
    record.state = RecordState.SETTLED if is_whole else RecordState.PARTIAL
    record.problem = record.digest = ""
    record.attended, record.expected = counted.attended, counted.expected
    record.unrecognised = unrecognised


def give_up(record: AttendanceRecord, state: RecordState, problem: str) -> None:
    """Record that Zoom will not tell of a date."""
    record.state, record.problem = state, problem


def read_presence(row: Attendance) -> Presence | None:
    if row.first_joined_at is None or row.last_left_at is None:
        return None
    return Presence(row.first_joined_at, row.last_left_at, row.seconds)


def _lay_out(number: int, date: EventDate, presence: Presence | None) -> dict[str, object]:
    return {
        "registration_id": number,
        "date_id": date.id,
        "first_joined_at": presence and presence.first_joined_at,
        "last_left_at": presence and presence.last_left_at,
        "seconds": presence.seconds if presence else 0,
    }
