"""Calendar files (RFC 5545) and links that add an event to a calendar."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from icalendar import Event, Timezone

Method = Literal["PUBLISH", "CANCEL"]
OutlookHost = Literal["outlook.office.com", "outlook.live.com"]

ALARM_BEFORE = timedelta(minutes=15)

_TOKYO = "Asia/Tokyo"
_PLACE = {"ja": "オンライン（Zoom）", "en": "Online (Zoom)"}


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """What somebody writes into a calendar.

    `url` is our join link, or None where the reader must not have it.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    locale: str
    url: str | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class CalendarEntry(Appointment):
    """One registration as its calendar keeps it.

    `uid` stays the same for a registration for ever and `sequence` rises with each change, so that
    a later file replaces or cancels the entry. `stamped_at` is when this state came to be.
    """

    uid: str
    stamped_at: datetime
    sequence: int = 0


def make_uid(registration_public_id: str, domain: str) -> str:
    return f"{registration_public_id}@{domain}"


def build_calendar(entries: Sequence[CalendarEntry], method: Method = "PUBLISH") -> bytes:
    """Write the calendar file of one person's entries: CRLF, folded at 75 octets.

    Times are in Asia/Tokyo with its VTIMEZONE, else in UTC: Outlook shifts the hour of a zone that
    it has no VTIMEZONE for.
    """
    # 0.1 s to import, and few processes ever write a file.
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//Uketsuke//Registration//EN")
    calendar.add("METHOD", method)
    if any(entry.timezone == _TOKYO for entry in entries):
        calendar.add_component(_build_tokyo())
    for entry in entries:
        calendar.add_component(_build_event(entry, method))
    return bytes(calendar.to_ical())


def google_url(entry: Appointment) -> str:
    """Return the address that opens Google Calendar with the event filled in."""
    times = "/".join(f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in _get_period(entry))
    return "https://calendar.google.com/calendar/render?" + _encode(
        action="TEMPLATE",
        text=_clean(entry.title),
        dates=times,
        ctz=entry.timezone,
        details=_write_description(entry),
        location=_PLACE[entry.locale],
    )


def outlook_url(entry: Appointment, host: OutlookHost) -> str:
    """Return the address that opens Outlook on the web with the event filled in.

    Microsoft documents no such address; this is the form in common use
    (add-event-to-calendar-docs, 2025-10-22).
    """
    start, end = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in _get_period(entry))
    return f"https://{host}/calendar/deeplink/compose?" + _encode(
        path="/calendar/action/compose",
        rru="addevent",
        startdt=start,
        enddt=end,
        subject=_clean(entry.title),
        body=_write_description(entry),
        location=_PLACE[entry.locale],
    )


def _build_event(entry: CalendarEntry, method: Method) -> Event:
    from icalendar import Event

    event = Event()
    event.add("UID", entry.uid)
    event.add("DTSTAMP", entry.stamped_at.astimezone(UTC))
    event.add("SEQUENCE", entry.sequence)
    for name, at in zip(("DTSTART", "DTEND"), _get_period(entry), strict=True):
        _add_time(event, name, at, entry.timezone)
    event.add("SUMMARY", _clean(entry.title))
    event.add("LOCATION", _PLACE[entry.locale])
    if description := _write_description(entry):
        event.add("DESCRIPTION", description)
    if entry.url:
        event.add("URL", entry.url)
    if method == "CANCEL":
        event.add("STATUS", "CANCELLED")
    else:
        event.add("STATUS", "CONFIRMED")
        _add_alarm(event, entry)
    return event


def _add_time(event: Event, name: str, at: datetime, timezone: str) -> None:
    if timezone != _TOKYO:
        event.add(name, at.astimezone(UTC))
        return
    local = at.astimezone(UTC) + timedelta(hours=9)
    event.add(name, local.replace(tzinfo=None), parameters={"TZID": _TOKYO})


def _add_alarm(event: Event, entry: CalendarEntry) -> None:
    from icalendar import Alarm

    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", _clean(entry.title))
    alarm.add("TRIGGER", -ALARM_BEFORE)
    event.add_component(alarm)


def _build_tokyo() -> Timezone:
    """Build the VTIMEZONE by hand: one STANDARD part, the only one that every Outlook reads."""
    from icalendar import Timezone, TimezoneStandard

    standard = TimezoneStandard()
    standard.add("DTSTART", datetime(1970, 1, 1))  # noqa: DTZ001 local by definition of VTIMEZONE
    standard.add("TZOFFSETFROM", timedelta(hours=9))
    standard.add("TZOFFSETTO", timedelta(hours=9))
    standard.add("TZNAME", "JST")
    zone = Timezone()
    zone.add("TZID", _TOKYO)
    zone.add_component(standard)
    return zone


def _get_period(entry: Appointment) -> tuple[datetime, datetime]:
    return entry.starts_at, entry.ends_at


def _write_description(entry: Appointment) -> str:
    return "\n\n".join(part for part in (entry.url, _clean(entry.description, "\n")) if part)


def _clean(text: str, keep: str = "") -> str:
    """Drop what no calendar shows: controls and lone surrogates."""
    return "".join(
        char for char in text if char in keep or unicodedata.category(char) not in ("Cc", "Cs")
    )


def _encode(**parameters: str) -> str:
    # Outlook shows a plus sign as it stands, so spaces become %20.
    return urlencode(parameters, quote_via=quote)
