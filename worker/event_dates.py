"""Keeping the dates of a series as Zoom has them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from services import date_following
from services.date_following import has_next
from services.deliveries import get_kind
from storage import event_ends, events, jobs, organizations
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.models import Event, ZoomConnection
from storage.session import Database
from zoom_client import AuthenticationFailed, ZoomClient, ZoomError, ZoomUnreachable

from .endings import describe
from .zoom_health import ZoomHealth

EVENTS_A_LOOK = 100

LONGEST_UPGRADE = timedelta(days=1)
"""For so long processes of an older version may run beside others, or workers stand still."""

log = logging.getLogger(__name__)


def step_on(database: Database, *, now: datetime) -> None:
    """Move each series on to its next date, and store ends that an older version left as they were.

    It asks nobody: Zoom may not answer, the meeting may be gone, or its account stand still.
    """
    with database.read() as session:
        begun = event_ends.list_begun(session, limit=EVENTS_A_LOOK, now=now)
        due = {event.id for event in begun if event.ends_at is None or has_next(event, now=now)}
        due.update(event_ends.list_outdated(session, since=now - LONGEST_UPGRADE))
    for event_id in sorted(due):
        with database.write() as session:
            event = events.lock_event(session, event_id)
            event.keep_end()
            date_following.step_on(session, event, now=now)


class DatesFollowing:
    """Handles the job `zoom.dates` of one event; arguments as `RegistrantSync`.

    It looks again and again until the last date is over, an hour later after any trouble. Where
    nobody waits for Zoom these looks are what finds out that it works again.
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
        begun = self._begin(job)
        if begun is None:
            self._health.give_probe_back(job)
            return
        event, connection = begun
        reason, meeting = "", None
        try:
            meeting = self._make_client(connection).get_meeting(get_kind(event), event.zoom_id)
        except ZoomError as error:
            reason = describe(error)
            log.warning("zoom did not tell the dates", extra={"job": job.key, "reason": reason})
            if isinstance(error, ZoomUnreachable | AuthenticationFailed):
                # All else may be about this one thing to ask for.
                self._health.record_failure(connection, event, error)
        else:
            self._health.record_look(connection, event)
        with self._database.write() as session:
            found = events.lock_event(session, event.id)
            now = self._read_clock()
            if meeting is not None and found.zoom_id == event.zoom_id:
                date_following.follow(session, found, meeting, now=now)
            session.flush()
            at = date_following.find_next_look(found, now=now)
            if meeting is not None:
                jobs.repeat(session, job, at=at, now=now)
            else:
                # Since when it is due says for how long Zoom has not told the dates.
                jobs.postpone(session, job, run_at=at, reason=reason, now=now, is_attempt=False)

    def _begin(self, job: ClaimedJob) -> tuple[Event, ZoomConnection] | None:
        now = self._read_clock()
        with self._database.write() as session:
            event = events.need_event(session, job.payload["event_id"])
            if not date_following.is_followed(event, now=now):
                jobs.finish(session, job, now=now)
                return None
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            return event, organizations.need_connection(session, event.connection_id)
