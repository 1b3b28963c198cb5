"""One registration as its owner's calendar shows it, the same on pages and in mails."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storage import registrations
from storage.models import Event, Registration, SubmissionRow

from .calendars import CalendarEntry, make_uid
from .events import get_end
from .texts import localize


def make_calendar_entry(
    session: Session,
    event: Event,
    owner: Registration | SubmissionRow,
    *,
    host: str,
    locale: str,
    join_url: str | None,
) -> CalendarEntry:
    """Describe an event for one person's calendar.

    Args:
        owner: the registration, so that later files replace earlier ones and a cancellation finds
            its entry; or the submission, where its reader may not know the registration.
        host: the site's host name.
        join_url: our link, if the reader may have it.
    """
    changes, stamped_at = 0, event.updated_at
    if isinstance(owner, Registration):
        changes = registrations.count_changes(session, owner.id)
        stamped_at = max(stamped_at, owner.updated_at)
    return CalendarEntry(
        uid=make_uid(owner.public_id, host),
        title=localize(event.title, locale),
        starts_at=event.starts_at,
        ends_at=get_end(event),
        timezone=event.timezone,
        locale=locale,
        stamped_at=stamped_at,
        url=join_url,
        sequence=event.version + changes,
    )
