"""One registration as its owner's calendar shows it, the same on pages and in mails."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from storage import registrations
from storage.models import Event, Registration

from .calendars import CalendarEntry, make_uid
from .chosen_dates import read_dropped_dates, read_people_dates
from .event_dates import EventDate
from .events import get_end
from .texts import localize


@dataclass(frozen=True)
class CalendarOwner:
    """Whose calendar it is: later files replace earlier ones, a cancellation finds its entry.

    `host` is the site's host name, `join_url` our link, if the reader may have it.
    """

    registration: Registration
    host: str
    locale: str
    join_url: str | None


def make_calendar_entries(
    session: Session, event: Event, owner: CalendarOwner
) -> tuple[CalendarEntry, ...]:
    """Describe an event for one person's calendar: one entry, in a series one for each date."""
    whole = _describe(session, event, owner)
    if not event.dates:
        return (whole,)
    dates = read_people_dates(session, event, owner.registration)
    held = [date for date in dates if not date.is_gone and not date.is_waiting]
    return tuple(_choose_date(whole, owner, date) for date in held)


def make_dropped_entries(
    session: Session, event: Event, owner: CalendarOwner
) -> tuple[CalendarEntry, ...]:
    """Describe the dates of a series that a person's calendar may have and should not."""
    whole = _describe(session, event, owner)
    dates = read_dropped_dates(session, event, owner.registration)
    return tuple(_choose_date(whole, owner, date) for date in dates)


def _describe(session: Session, event: Event, owner: CalendarOwner) -> CalendarEntry:
    registration = owner.registration
    return CalendarEntry(
        uid=make_uid(registration.public_id, owner.host),
        title=localize(event.title, owner.locale),
        starts_at=event.starts_at,
        ends_at=get_end(event),
        timezone=event.timezone,
        locale=owner.locale,
        stamped_at=max(event.updated_at, registration.updated_at),
        url=owner.join_url,
        sequence=event.version + registrations.count_changes(session, registration.id),
    )


def _choose_date(whole: CalendarEntry, owner: CalendarOwner, date: EventDate) -> CalendarEntry:
    """Make the entry of one date, known by the date's id for ever."""
    return replace(
        whole,
        uid=make_uid(f"{owner.registration.public_id}-{date.id}", owner.host),
        starts_at=date.starts_at,
        ends_at=date.ends_at,
    )
