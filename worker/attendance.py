"""Fetching from Zoom who came."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from services import attendance_records
from services.addresses import email_key
from services.attendance import RecordState, Stays, choose_instances, may_hide_people
from services.attendance_records import Counted
from services.deliveries import get_kind
from services.event_dates import EventDate
from services.event_preflight import list_alternative_hosts
from services.fault_points import fault_point
from storage import attendance, events, jobs, organizations, registration_pages
from storage.attendance import Person
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.models import AttendanceRecord, Event, ZoomConnection
from storage.registration_pages import Narrowing
from storage.session import Database
from zoom_client import (
    AuthenticationFailed,
    Instance,
    MeetingNotFound,
    RateLimited,
    RecordExpired,
    RecordNotFound,
    Retryable,
    ScopeMissing,
    ZoomClient,
    ZoomError,
    ZoomUnreachable,
)

from .backoff import next_try
from .endings import describe
from .leases import renew_lease
from .zoom_health import ZoomHealth

# So many people in one transaction: whoever registers meanwhile waits for it on SQLite.
AT_ONCE = 300

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Task:
    """One date whose record is to be fetched, detached; `dates` are all that the meeting has."""

    job: ClaimedJob
    event: Event
    connection: ZoomConnection
    date: EventDate
    dates: Sequence[EventDate]
    record: AttendanceRecord = field(repr=False)


class AttendanceFetching:
    """Handles the job `zoom.attendance` of one date; arguments as `RegistrantSync`.

    Whatever dies in between is done anew from the beginning: storing it twice is storing it once.
    """

    def __init__(
        self,
        database: Database,
        *,
        make_client: Callable[[ZoomConnection], ZoomClient],
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._make_client = make_client
        self._read_clock = read_clock
        self._health = ZoomHealth(database, read_clock=read_clock)

    def handle(self, job: ClaimedJob) -> None:
        task = self._begin(job)
        if task is None:
            self._health.give_probe_back(job)
            return
        client = self._make_client(task.connection)
        try:
            stays = self._fetch(task, client)
        except ZoomError as error:
            self._record_failure(task, error)
            return
        self._judge(task, stays)

    def _judge(self, task: _Task, stays: Stays | None) -> None:
        """Settle what Zoom has said twice; before that, somebody who is in its record has come."""
        now, record = self._read_clock(), task.record
        is_last = attendance_records.has_waited(record, attendance_records.WAITS_FOR_UP_TO, now=now)
        if stays is None or not stays.has_rows:
            if is_last:
                self._give_up(task, RecordState.PARTIAL if stays else RecordState.NOT_HELD, "")
            else:
                self._try_later(task, "Zoom has nothing of it")
            return
        # A day later, whoever was there for no second was there for none.
        late = attendance_records.ZEROS_MEAN_LATE_FOR
        is_ready = stays.is_ready or attendance_records.has_waited(record, late, now=now)
        digest = stays.digest if is_ready and not stays.has_gap else ""
        is_whole = bool(digest) and digest == record.digest
        if not is_ready and not is_last:
            self._try_later(task, "Zoom has not finished its record")
            return
        counted, unrecognised = self._store(task, stays, is_whole=is_whole)
        if is_whole or is_last:
            self._settle(task, counted, unrecognised, is_whole=is_whole)
        else:
            self._try_later(task, "asking whether that was all", digest=digest)

    def _begin(self, job: ClaimedJob) -> _Task | None:
        now = self._read_clock()
        event_id, date_id = job.payload["event_id"], job.payload["date_id"]
        with self._database.write() as session:
            event = events.need_event(session, event_id)
            date = attendance_records.find_date(event, date_id)
            record = attendance.lock_record(session, event_id, date_id)
            if date is None and record is not None and record.state == RecordState.WAITING:
                session.delete(record)  # Else it would not be asked for where it is wanted again.
            if date is None or record is None or record.state != RecordState.WAITING:
                session.flush()
                jobs.finish(session, job, now=now)
                return None
            attendance_records.follow_move(session, record, date)
            due_at = date.ends_at + attendance_records.ASK_AFTER
            if now < due_at:
                session.flush()
                reason = "the date was moved"
                jobs.postpone(session, job, run_at=due_at, reason=reason, now=now, is_attempt=False)
                return None
            if not attendance_records.was_announced(session, event, date):
                attendance_records.give_up(record, RecordState.UNTOLD, "")
                session.flush()
                jobs.finish(session, job, now=now)
                return None
            record.asked_at = record.asked_at or now
            session.flush()
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            connection = organizations.need_connection(session, event.connection_id)
            dates = attendance_records.list_dates_at_zoom(session, event)
        return _Task(job, event, connection, date, dates, record)

    def _fetch(self, task: _Task, client: ZoomClient) -> Stays | None:
        """Read all that Zoom has of a date; None where it knows of no session."""
        instances = self._list_instances(task, client)
        self._health.record_look(task.connection, task.event)
        if not instances:
            return None
        stays = Stays(task.date, self._list_hosts(task, client), task.dates)
        renewed_at = self._read_clock()
        for instance in instances:
            is_empty = True
            with suppress(RecordNotFound):
                for row in client.list_participants(get_kind(task.event), instance.uuid):
                    is_empty = False
                    stays.add(row)
                    renewed_at = self._renew(task.job, renewed_at)
            if is_empty and may_hide_people(instance, instances, task.date):
                stays.has_gap = True
        return stays

    def _list_instances(self, task: _Task, client: ZoomClient) -> list[Instance]:
        try:
            listed = client.list_instances(get_kind(task.event), task.event.zoom_id)
        except RecordNotFound:
            return []
        return choose_instances(listed, task.dates, task.date)

    def _list_hosts(self, task: _Task, client: ZoomClient) -> set[str]:
        """Return the addresses of those who hold the meeting, as far as Zoom says."""
        addresses = [task.event.host_email]
        try:
            meeting = client.get_meeting(get_kind(task.event), task.event.zoom_id)
        except (MeetingNotFound, ScopeMissing):
            pass  # Of a meeting that Zoom has forgotten the record may still be there.
        else:
            addresses += [meeting.host_email or "", *list_alternative_hosts(meeting)]
        return {email_key(address) for address in addresses if address}

    def _store(self, task: _Task, stays: Stays, *, is_whole: bool) -> tuple[Counted, int]:
        """Store who came, some in each transaction; return how many, and how many are unknown."""
        matching = stays.match(self._walk_people(task))
        counted = Counted()
        for ids in self._walk_ids(task.event.id):
            with self._database.write() as session:
                now = self._read_clock()
                counted += attendance_records.store_people(
                    session,
                    task.event.id,
                    task.date,
                    ids,
                    matching.presences,
                    is_whole=is_whole,
                    now=now,
                )
                session.flush()
                jobs.hold(session, task.job, lease_seconds=LEASE_SECONDS, now=now)
            fault_point("mid_attendance")
        return counted, matching.unrecognised

    def _settle(self, task: _Task, counted: Counted, unrecognised: int, *, is_whole: bool) -> None:
        with self._lock_record(task) as (session, record):
            attendance_records.settle(record, counted, unrecognised=unrecognised, is_whole=is_whole)
            session.flush()
            jobs.finish(session, task.job, now=self._read_clock())

    def _walk_ids(self, event_id: int) -> Iterator[list[int]]:
        """Yield the registrations of an event by their ids, some at a time."""
        after: int | None = 0
        while after is not None:
            with self._database.read() as session:
                page = registration_pages.list_ids(
                    session, event_id, Narrowing(), after=after, limit=AT_ONCE
                )
            if page.ids:
                yield page.ids
            after = page.next_after

    def _walk_people(self, task: _Task) -> Iterator[Person]:
        renewed_at = self._read_clock()
        for ids in self._walk_ids(task.event.id):
            with self._database.read() as session:
                people = attendance.list_people(session, ids)
            yield from people
            renewed_at = self._renew(task.job, renewed_at)

    def _renew(self, job: ClaimedJob, renewed_at: datetime) -> datetime:
        return renew_lease(self._database, job, renewed_at, now=self._read_clock())

    def _record_failure(self, task: _Task, error: ZoomError) -> None:
        """Wait for what passes or is mended, but not for ever.

        A record that Zoom fails to tell says nothing of adding people, which has to go on.
        """
        reason, problem = describe(error), type(error).__name__
        log.warning("zoom did not tell who came", extra={"job": task.job.key, "reason": reason})
        passes = isinstance(error, Retryable | AuthenticationFailed)
        longest = attendance_records.WAITS_FOR_UP_TO
        if passes or isinstance(error, ScopeMissing):
            longest = attendance_records.WAITS_FOR_SOMEBODY
        if isinstance(error, ZoomUnreachable | AuthenticationFailed):
            self._health.record_failure(task.connection, task.event, error)
        now = self._read_clock()
        is_last = attendance_records.has_waited(task.record, longest, now=now)
        if is_last or isinstance(error, RecordExpired):
            self._give_up(task, RecordState.GONE, problem)
        elif passes:
            self._wait(task, error)
        else:
            self._try_later(task, reason, problem=problem)

    def _wait(self, task: _Task, error: ZoomError) -> None:
        """Wait alone, or with everybody else until a probe shows that Zoom works again."""
        now = self._read_clock()
        is_silent = self._health.is_silent(task.connection, task.event)
        alone = next_try(task.job.attempts, now=now, not_before=error.retry_after)
        with self._database.write() as session:
            jobs.postpone(
                session,
                task.job,
                run_at=now if is_silent else alone,
                reason=describe(error),
                now=now,
                is_attempt=not (is_silent or isinstance(error, RateLimited)),
            )

    def _try_later(self, task: _Task, reason: str, *, problem: str = "", digest: str = "") -> None:
        now = self._read_clock()
        with self._lock_record(task) as (session, record):
            record.problem, record.digest = problem, digest
            run_at = attendance_records.find_next_look(record, now=now)
            session.flush()
            jobs.postpone(
                session, task.job, run_at=run_at, reason=reason, now=now, is_attempt=False
            )

    def _give_up(self, task: _Task, state: RecordState, problem: str) -> None:
        now = self._read_clock()
        with self._lock_record(task) as (session, record):
            attendance_records.give_up(record, state, problem)
            session.flush()
            jobs.finish(session, task.job, now=now)

    @contextmanager
    def _lock_record(self, task: _Task) -> Iterator[tuple[Session, AttendanceRecord]]:
        with self._database.write() as session:
            record = attendance.lock_record(session, task.event.id, task.date.id)
            assert record is not None, "the job alone deletes it"
            yield session, record


def request_due_records(database: Database, *, now: datetime) -> None:
    """Have Zoom asked for the dates that are over; most of the time there is none."""
    with database.read() as session:
        if not attendance_records.list_due(session, now=now):
            return
    with database.write() as session:
        attendance_records.request_due_records(session, now=now)
