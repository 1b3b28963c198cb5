"""Forgetting people once Zoom has let them go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from services.erasing import BETWEEN_LOOKS, go_on
from services.erasing_waits import read_before
from storage import jobs
from storage.erasing import note_erased
from storage.jobs import ClaimedJob
from storage.session import Database


class Erasing:
    """Handles the job `erase` of one registration: it looks again until there is nothing left."""

    def __init__(
        self, database: Database, folder: Path, *, read_clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._note = partial(note_erased, folder)
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            who, actor = job.payload["registration_id"], job.payload["actor"]
            before = read_before(job.payload)
            if go_on(session, who, actor=actor, before=before, note=self._note, now=now):
                reason = "Zoom has not let the person go yet"
                run_at = now + BETWEEN_LOOKS
                jobs.postpone(session, job, run_at=run_at, reason=reason, now=now, is_attempt=False)
            else:
                session.flush()
                jobs.finish(session, job, now=now)
