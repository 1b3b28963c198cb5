"""The calendar links of a receipt or personal page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response
from sqlalchemy.orm import Session

from services.calendar_entries import CalendarOwner, make_calendar_entries
from services.calendars import Appointment, CalendarEntry, build_calendar, google_url, outlook_url
from storage.models import Event, Registration

from .locale import read_locale
from .site import get_site


@dataclass(frozen=True)
class CalendarLinks:
    """Where entries come from; of several dates only the file has all."""

    google: str
    outlook_work: str
    outlook_home: str
    ics_url: str


def make_entries(
    session: Session, event: Event, registration: Registration, *, join_url: str | None
) -> tuple[CalendarEntry, ...]:
    host = urlsplit(get_site().settings.site_url).hostname or "localhost"
    owner = CalendarOwner(registration, host, read_locale(), join_url)
    return make_calendar_entries(session, event, owner)


def list_calendar_links(entries: Sequence[Appointment], ics_url: str) -> CalendarLinks:
    if len(entries) != 1:
        return CalendarLinks("", "", "", ics_url)
    [entry] = entries
    return CalendarLinks(
        google=google_url(entry),
        outlook_work=outlook_url(entry, "outlook.office.com"),
        outlook_home=outlook_url(entry, "outlook.live.com"),
        ics_url=ics_url,
    )


def answer_ics(entries: Sequence[CalendarEntry]) -> Response:
    response = Response(build_calendar(entries), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="invite.ics"'
    return response
