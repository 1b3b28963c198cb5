"""Telling everybody what a call to Zoom said about the account and the event."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from services import idle_pauses, zoom_pauses
from storage import events, job_requests, zoom_queue
from storage.jobs import ClaimedJob
from storage.models import Event, ZoomAccount, ZoomConnection
from storage.session import Database
from storage.zoom_queue import ProbingJob
from zoom_client import ScopeMissing, ZoomError

log = logging.getLogger(__name__)


def look_after_pauses(database: Database, *, now: datetime) -> None:
    """Go on where whoever could show that Zoom works again waits no more."""
    with database.read() as session:
        idle = idle_pauses.list_idle(session, now=now)
    for paused in idle:
        with database.write() as session:
            if isinstance(paused, ZoomAccount):
                is_over = idle_pauses.look_after_account(session, paused.account_id, now=now)
                about = {"account": paused.account_id}
            else:
                is_over = idle_pauses.look_after_event(session, paused.event_id, now=now)
                about = {"event": events.need_event(session, paused.event_id).slug}
            if is_over:
                job_requests.wake_workers(session)
                log.warning("nobody waits for zoom any more", extra=about)


class ZoomHealth:
    """Records outcomes in transactions of their own, which lock nothing but the account's row."""

    def __init__(self, database: Database, *, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._read_clock = read_clock

    def record_success(self, connection: ZoomConnection, event: Event) -> None:
        self._record(zoom_pauses.record_success, connection, event)

    def record_look(self, connection: ZoomConnection, event: Event) -> None:
        """Record that Zoom told of a meeting, which says nothing of what else it would do."""
        self._record(zoom_pauses.record_look, connection, event)

    def _record(
        self, record: Callable[..., bool], connection: ZoomConnection, event: Event
    ) -> None:
        now = self._read_clock()
        subject = (connection.account_id, event.id)
        with self._database.read() as session:
            if not zoom_pauses.needs_record_of_success(session, *subject, now=now):
                return
        with self._database.write() as session:
            if record(session, *subject, now=now):
                self._tell_of_end(session, event)

    def record_refused_walk(
        self, connection: ZoomConnection, event: Event, error: ScopeMissing
    ) -> None:
        """Record that registrants may not be listed, which adding people does not need."""
        now = self._read_clock()
        with self._database.write() as session:
            subject = (connection.account_id, event.id)
            if zoom_pauses.record_refused_walk(session, *subject, error, now=now):
                self._tell_of_end(session, event)

    def _tell_of_end(self, session: Session, event: Event) -> None:
        job_requests.wake_workers(session)
        log.warning("zoom works again", extra={"event": event.slug})

    def record_failure(self, connection: ZoomConnection, event: Event, error: ZoomError) -> None:
        """Count a failure; an error that is an answer counts as a success."""
        if zoom_pauses.is_answer(error):
            self.record_success(connection, event)
            return
        now = self._read_clock()
        with self._database.write() as session:
            begins = zoom_pauses.record_failure(
                session, connection.account_id, event.id, error, now=now
            )
        if begins:
            reason = f"{type(error).__name__}: {error}"
            log.error("zoom stands still", extra={"event": event.slug, "reason": reason})

    def give_probe_back(self, job: ClaimedJob) -> None:
        """Have the next job show whether Zoom works again, where nothing was asked for this one."""
        if isinstance(job, ProbingJob):
            with self._database.write() as session:
                zoom_queue.give_probe_back(session, job, now=self._read_clock())

    def is_standing(self, connection: ZoomConnection, event: Event) -> bool:
        """Tell whether the event's jobs wait for a probe, so that no own wait is needed."""
        with self._database.read() as session:
            return zoom_pauses.is_standing(session, connection.account_id, event.id)

    def is_silent(self, connection: ZoomConnection, event: Event) -> bool:
        """As `is_standing`, of jobs that only ask Zoom: they go on while it refuses everybody."""
        with self._database.read() as session:
            return zoom_pauses.is_silent(session, connection.account_id, event.id)
