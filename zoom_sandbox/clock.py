"""The sandbox's own clock, which tests may move, and Zoom's way of writing times."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class Clock:
    """Tick with real time, shifted by an offset."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def today(self) -> str:
        """Name the UTC day, the day at whose end Zoom's daily limits start again."""
        return self.now().date().isoformat()

    def move(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    def set_to(self, moment: datetime) -> None:
        self._offset = moment - datetime.now(UTC)


def parse_time(text: str, timezone: str = "UTC") -> datetime:
    """Read `2026-12-01T10:00:00Z` as UTC and the same without `Z` as local to `timezone`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.astimezone(UTC)


def format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
