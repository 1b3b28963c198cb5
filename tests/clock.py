"""The time of a test: the real one, moved by whole stories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Reads the real time, and goes as far ahead or back as it was moved."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, **by: float) -> None:
        """Let time pass: `move(minutes=15)`; backwards with a negative number."""
        self._ahead += timedelta(**by)
