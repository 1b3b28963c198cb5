"""The time of a test: the real one, or noon in Japan, moved by whole stories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# Noon in Japan. Neither Zoom's day of calls, which ends at midnight in UTC, nor a day in Japan
# ends in the midst of a test then, whatever the hour is at which it runs.
_NOON = 3


class Clock:
    """Reads the real time, and goes as far ahead or back as it was moved."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    @classmethod
    def at_noon(cls) -> Clock:
        """Return a clock at which it is noon in Japan today, for what days have a part in."""
        clock = cls()
        now = clock()
        noon = now.replace(hour=_NOON, minute=0, second=0, microsecond=0)
        clock.move(seconds=(noon - now).total_seconds())
        return clock

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, **by: float) -> None:
        """Let time pass: `move(minutes=15)`; backwards with a negative number."""
        self._ahead += timedelta(**by)
