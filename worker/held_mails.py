"""Having organizers told of what was kept aside, and of who waits for approval or an erasing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services import pending_mails
from services.held_mails import LEFT_GATHERED_FOR, request_word
from services.held_telling import list_untold, look_who_is_over, tell, tell_of_left
from storage import jobs
from storage.jobs import ClaimedJob
from storage.session import Database


class HeldTelling:
    """Handles the jobs `held`, `proof_over` and `erasing_left` of one event."""

    def __init__(self, database: Database, *, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            run_at = tell(session, job.payload["event_id"], now=now)
            session.flush()
            if run_at is None:
                jobs.finish(session, job, now=now)
            else:
                jobs.postpone(
                    session, job, run_at=run_at, reason="", now=now, is_attempt=False, is_firm=True
                )

    def handle_over(self, job: ClaimedJob) -> None:
        """Handle the job `proof_over` of one event."""
        now = self._read_clock()
        with self._database.write() as session:
            again_at = look_who_is_over(session, job.payload["event_id"], now=now)
            session.flush()
            if again_at is None:
                jobs.finish(session, job, now=now)
            else:
                jobs.repeat(session, job, at=again_at, now=now)

    def handle_left(self, job: ClaimedJob) -> None:
        """Handle the job `erasing_left` of one event."""
        now = self._read_clock()
        with self._database.write() as session:
            tell_of_left(session, job.payload["event_id"], now=now)
            session.flush()
            # What an erasing that ended meanwhile leaves is gathered anew.
            jobs.finish(session, job, again_at=now + LEFT_GATHERED_FOR, now=now)


def tell_of_pending(database: Database, *, now: datetime) -> None:
    """Have organizers told where people wait for their approval; most of the time nobody does."""
    with database.read() as session:
        due = pending_mails.list_untold(session, now=now)
    for event_id in due:
        with database.write() as session:
            pending_mails.tell(session, event_id, now=now)


def tell_of_held_up(database: Database, *, now: datetime) -> None:
    """Have organizers told where an erasing holds somebody up; most of the time none does."""
    with database.read() as session:
        untold = list_untold(session, now=now)
    for event_id in untold:
        with database.write() as session:
            request_word(session, event_id, now=now)
