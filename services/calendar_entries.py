"""One registration as its owner's calendar shows it, the same on pages and in mails."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storage import registrations
from storage.models import Event, Registration

from .calendars import CalendarEntry, make_uid
from .events import get_end
from .texts import localize


def make_calendar_entry(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    host: str,
    locale: str,
    join_url: str | None,
) -> CalendarEntry:
    """Describe an event for one person's calendar.

    Args:
        registration: whose it is: later files replace earlier ones, a cancellation finds its entry.
        host: the site's host name.
        join_url: our link, if the reader may have it.
    """
    changes = registrations.count_changes(session, registration.id)
    return CalendarEntry(
        uid=make_uid(registration.public_id, host),
        title=localize(event.title, locale),
        starts_at=event.starts_at,
        ends_at=get_end(event),
        timezone=event.timezone,
        locale=locale,
        stamped_at=max(event.updated_at, registration.updated_at),
        url=join_url,
        sequence=event.version + changes,
    )
