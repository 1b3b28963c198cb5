"""The calendar links of a receipt or personal page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response

from services.calendars import CalendarEntry, build_ics, google_url, make_uid, outlook_url
from services.events import get_end
from services.texts import localize
from storage.models import Event

from .locale import read_locale
from .site import get_site


@dataclass(frozen=True)
class CalendarLinks:
    google: str
    outlook_work: str
    outlook_home: str
    ics_url: str


def make_entry(event: Event, public_id: str, *, join_url: str | None) -> CalendarEntry:
    """Describe an event for one person's calendar; `join_url` is our link, if it may be there."""
    locale = read_locale()
    return CalendarEntry(
        uid=make_uid(public_id, urlsplit(get_site().settings.site_url).hostname or "localhost"),
        title=localize(event.title, locale),
        starts_at=event.starts_at,
        ends_at=get_end(event),
        timezone=event.timezone,
        locale=locale,
        stamped_at=event.updated_at,
        url=join_url,
        sequence=event.version,
    )


def list_calendar_links(entry: CalendarEntry, ics_url: str) -> CalendarLinks:
    return CalendarLinks(
        google=google_url(entry),
        outlook_work=outlook_url(entry, "outlook.office.com"),
        outlook_home=outlook_url(entry, "outlook.live.com"),
        ics_url=ics_url,
    )


def answer_ics(entry: CalendarEntry) -> Response:
    response = Response(build_ics(entry), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="invite.ics"'
    return response
