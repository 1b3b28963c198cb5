"""When the other side wants to be asked again."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def read_retry_after(header: str | None, now: datetime) -> datetime | None:
    """Read `Retry-After`: seconds, an HTTP date, or the ISO date-time that Zoom sends.

    A time without zone is taken as UTC; nonsense is None.
    """
    if not header:
        return None
    text = header.strip()
    try:
        if text.isascii() and text.isdigit():
            return now + timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
