"""The time of a test: the real one, or noon in Japan, moved by whole stories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# From the hour at which the tests begin to noon in Japan. Neither Zoom's day of calls, which ends
# at midnight in UTC, nor a day in Japan ends in the midst of a test then. One distance for all: a
# site that is started after another one in a test must not live before it.
_BEGIN = datetime.now(UTC)
_TO_NOON = _BEGIN.replace(hour=3, minute=0, second=0, microsecond=0) - _BEGIN


class Clock:
    """Reads the real time, and goes as far ahead or back as it was moved."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    @classmethod
    def at_noon(cls) -> Clock:
        """Return a clock at which it was noon in Japan when the tests began."""
        clock = cls()
        clock.move(seconds=_TO_NOON.total_seconds())
        return clock

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, **by: float) -> None:
        """Let time pass: `move(minutes=15)`; backwards with a negative number."""
        self._ahead += timedelta(**by)
