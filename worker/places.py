"""Having people tried at Zoom one after the other, where it takes nobody more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from services import zoom_closings
from services.place_signs import LOOK_EVERY
from storage import events, jobs
from storage.jobs import ClaimedJob
from storage.session import Database

log = logging.getLogger(__name__)


class PlaceFinding:
    """Handles the job `places`, in one transaction: whoever dies has tried nobody."""

    def __init__(self, database: Database, *, read_clock: Callable[[], datetime]) -> None:
        self._database = database
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            event = events.lock_event(session, job.payload["event_id"])
            if zoom_closings.is_undecided(session, event, job, now=now):
                reason = "waiting for what becomes of somebody at Zoom"
                later = now + LOOK_EVERY
                jobs.postpone(session, job, run_at=later, reason=reason, now=now, is_attempt=False)
                return
            is_open = zoom_closings.follow(session, event, job, now=now)
            session.flush()
            jobs.finish(session, job, again_at=now + LOOK_EVERY, now=now)
        if is_open:
            log.warning("zoom takes people again", extra={"event": event.slug})
