"""The site with a clock that its test can move: leases and waits pass in no time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app import create_app
from services import deliveries
from services.chosen_dates import ZoomDates
from storage.models import ZoomRegistrant

CLOCK_VARIABLE = "KILL_LOOP_CLOCK"
CARELESS_VARIABLE = "KILL_LOOP_CARELESS"
"""For the control: a site that adds again without asking Zoom first."""


class FileClock:
    """Reads the real time, ahead by as many seconds as a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))

    def move(self, seconds: float) -> None:
        """Let time pass for every process; to be called by one alone."""
        draft = self._file.with_suffix(".part")
        draft.write_text(str(float(self._file.read_text()) + seconds))
        draft.replace(self._file)


def forget_that_an_add_began(
    registrant: ZoomRegistrant, dates: ZoomDates | None = None, *, now: datetime
) -> None:
    """Begin an add as a site does that trusts its own memory alone."""
    registrant.first_attempt_at = registrant.first_attempt_at or now


if CARELESS_VARIABLE in os.environ:
    deliveries.begin_add = forget_that_an_add_began
if CLOCK_VARIABLE in os.environ:
    app = create_app(read_clock=FileClock(Path(os.environ[CLOCK_VARIABLE])))
