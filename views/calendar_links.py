"""The calendar links of a receipt or personal page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response
from sqlalchemy.orm import Session

from services.calendar_entries import make_calendar_entry
from services.calendars import Appointment, CalendarEntry, build_ics, google_url, outlook_url
from storage.models import Event, Registration

from .locale import read_locale
from .site import get_site


@dataclass(frozen=True)
class CalendarLinks:
    google: str
    outlook_work: str
    outlook_home: str
    ics_url: str


def make_entry(
    session: Session, event: Event, registration: Registration, *, join_url: str | None
) -> CalendarEntry:
    host = urlsplit(get_site().settings.site_url).hostname or "localhost"
    return make_calendar_entry(
        session, event, registration, host=host, locale=read_locale(), join_url=join_url
    )


def list_calendar_links(entry: Appointment, ics_url: str) -> CalendarLinks:
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
