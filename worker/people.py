"""Doing what organizers ask for about many people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.people_tasks import do_next
from storage import jobs
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.session import Database

PEOPLE_AT_ONCE = 200
"""Then the job goes back to the queue, so that another task has its turn too."""


class PeopleTasks:
    """Handles the job `people`: one person after the other, each in a transaction of its own."""

    def __init__(self, database: Database, *, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        is_more = True
        for _ in range(PEOPLE_AT_ONCE):
            now = self._read_clock()
            with self._database.write() as session:
                is_more = do_next(session, job.payload["task_id"], now=now)
                session.flush()
                # Last, as everybody locks a job after seats and registration; and by it nobody
                # acts who has lost the job meanwhile.
                jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            if not is_more:
                break
        now = self._read_clock()
        with self._database.write() as session:
            if is_more:
                jobs.postpone(session, job, run_at=now, reason="", now=now, is_attempt=False)
            else:
                jobs.finish(session, job, now=now)
