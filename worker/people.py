"""Doing what organizers ask for about many people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from services.event_tasks import do_some, retry_given_up
from services.fault_points import fault_point
from services.people_files import FileRefused, read_rows
from services.people_imports import (
    KEPT_FOR,
    ImportState,
    ReadRow,
    end_reading,
    import_next,
    keep_rows,
    refuse,
)
from services.people_tasks import do_next
from storage import jobs, people_imports
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.people_imports import ROWS_AT_ONCE
from storage.session import Database

TURNS_AT_ONCE = 200
"""Then the job goes back to the queue, so that another task has its turn too."""

Clock = Callable[[], datetime]


class PeopleTasks:
    """Handles the job `people`: one person after the other, each in a transaction of its own."""

    def __init__(self, database: Database, *, read_clock: Clock) -> None:
        self._database = database
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        def act(session: Session, now: datetime) -> bool:
            by, since = job.payload.get("organizer_id"), job.payload.get("since")
            return do_next(session, job.payload["task_id"], by=by, since=since, now=now)

        _take_turns(self._database, job, act, self._read_clock)


class PeopleImports:
    """Handles the job `people.import`: reads a file into rows, and later registers row by row.

    Both go on where a worker that died has stopped.

    Args:
        read_row: makes a submission of a row; the app hands it in, as the forms know how.
    """

    def __init__(self, database: Database, *, read_row: ReadRow, read_clock: Clock) -> None:
        self._database = database
        self._read_row = read_row
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        import_id: int = job.payload["import_id"]
        with self._database.read() as session:
            table = people_imports.get_import_by_id(session, import_id)
            content = people_imports.read_file(session, import_id)
        if table is not None and table.state == ImportState.READING and content is not None:
            self._read(job, import_id, content)

        def add(session: Session, now: datetime) -> bool:
            by = job.payload.get("organizer_id")
            is_more = import_next(session, import_id, self._read_row, by=by, now=now)
            fault_point("mid_import")
            return is_more

        _take_turns(self._database, job, add, self._read_clock)

    def _read(self, job: ClaimedJob, import_id: int, content: bytes) -> None:
        try:
            rows = read_rows(content)
            headings = next(rows)
            total = self._store(job, import_id, rows)
            with self._storing(job) as session:
                end_reading(session, import_id, headings, total)
        except FileRefused as refusal:
            with self._storing(job) as session:
                refuse(session, import_id, refusal.problem, now=self._read_clock())

    def _store(self, job: ClaimedJob, import_id: int, rows: Iterator[list[str]]) -> int:
        """Store the rows that are not stored yet; return how many there are in all."""
        with self._database.read() as session:
            kept = people_imports.count_rows(session, import_id)
        first = sum(1 for _ in islice(rows, kept))
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            with self._storing(job) as session:
                keep_rows(session, import_id, first, batch)
            first += len(batch)
        return first

    @contextmanager
    def _storing(self, job: ClaimedJob) -> Iterator[Session]:
        with self._database.write() as session:
            yield session
            session.flush()
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=self._read_clock())


class EventTasks:
    """Handles the job `event`: what a changed event owes to its people, some in each turn."""

    def __init__(self, database: Database, *, read_clock: Clock) -> None:
        self._database = database
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        event_id: int = job.payload["event_id"]

        def act(session: Session, now: datetime) -> bool:
            if job.payload.get("retries"):
                retry_given_up(session, event_id, now=now)
                return False
            return do_some(session, event_id, now=now)

        _take_turns(self._database, job, act, self._read_clock)


def forget_old_imports(database: Database, *, now: datetime) -> None:
    """Drop tables of people some time after they were sent: the copy is not needed any more."""
    with database.write() as session:
        people_imports.forget_imports(session, before=now - KEPT_FOR)


def _take_turns(
    database: Database,
    job: ClaimedJob,
    act: Callable[[Session, datetime], bool],
    read_clock: Clock,
) -> None:
    """Act, each time in a transaction of its own, until it says that nothing is left."""
    is_more = True
    for _ in range(TURNS_AT_ONCE):
        now = read_clock()
        with database.write() as session:
            is_more = act(session, now)
            session.flush()
            # Last, as everybody locks a job after seats and registration; and by it nobody
            # acts who has lost the job meanwhile.
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
        if not is_more:
            break
    now = read_clock()
    with database.write() as session:
        if is_more:
            jobs.postpone(session, job, run_at=now, reason="", now=now, is_attempt=False)
        else:
            jobs.finish(session, job, now=now)
