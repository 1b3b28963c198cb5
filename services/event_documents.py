"""Everything about an event in one TOML file that people can read and write."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import tomli_w

from zoom_client import Kind

from .branding import derive_brand
from .dates import load_zone
from .event_dates import DateChoice
from .event_parts import PARTS, Material, ProgrammeItem, Speaker, read_parts, write_entry
from .events import BotCheck, LinkPolicy
from .picture_refs import PictureRef, read_picture_ref
from .question_documents import read_questions, write_question
from .questions import Question
from .tables import DocumentError, Table
from .texts import LOCALES, Text

LONGEST_LINE = 200
LONGEST_LEAD = 1_000
LONGEST_DESCRIPTION = 30_000
MOST_SEATS = 100_000
OLDEST_LEAST_AGE = 99
LONGEST_EVENT_MINUTES = 1_440

APPROVALS = ("automatic", "manual")
NAME_ORDERS = ("given_first", "family_first")

URL = re.compile(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?([/?#][!-~]*)?")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class OrganizationTexts:
    """Who is responsible, as pages, mails and the privacy notice name them.

    A `link_policy` here holds for all events, whatever they say themselves.
    """

    name: str = ""
    legal_name: str = ""
    address: str = ""
    representative: str = ""
    contact_email: str = ""
    contact_url: str = ""
    link_policy: str | None = None


@dataclass(frozen=True, kw_only=True)
class EventDocument:
    """An event as its file says it.

    What is None is not in the file: `zoom_id` has to come from elsewhere, the time is read from
    Zoom, the questions are those that every new event starts with, the organization stays as it is.
    """

    slug: str
    kind: Kind
    zoom_id: int | None = None
    zoom_name_order: str = "given_first"
    default_locale: str = "ja"
    starts_at: datetime | None = None
    duration_minutes: int | None = None
    timezone: str | None = None
    capacity: int | None = None
    has_waitlist: bool = False
    date_choice: str = "all"
    seats_per_date: int | None = None
    least_age: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    approval: str = "automatic"
    bot_check: str = "automatic"
    link_policy: str = "show"
    keeps_zoom_mails: bool = False
    fallback_url: str = ""
    brand_color: str = ""
    title: Text = field(default_factory=dict)
    lead: Text = field(default_factory=dict)
    description: Text = field(default_factory=dict)
    fee: Text = field(default_factory=dict)
    cohost: Text = field(default_factory=dict)
    logo: PictureRef | None = None
    header: PictureRef | None = None
    is_listed: bool = True
    records_attendance: bool = False
    speakers: tuple[Speaker, ...] = ()
    programme: tuple[ProgrammeItem, ...] = ()
    materials: tuple[Material, ...] = ()
    organization: OrganizationTexts | None = None
    questions: tuple[Question, ...] | None = None

    @property
    def has_schedule(self) -> bool:
        return None not in (self.starts_at, self.duration_minutes, self.timezone)


def read_document(text: str) -> EventDocument:
    """Read an event's file.

    A time without an offset is local to the event's time zone.

    Raises:
        DocumentError: the text is no TOML, or a key is missing, unknown or wrong.
    """
    try:
        table = Table(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DocumentError(f"This is not TOML: {error}") from error
    document = EventDocument(
        slug=_read_slug(table),
        kind=_read_kind(table),
        zoom_id=table.take_number("zoom_id", least=1, most=2**63 - 1, default=None),
        zoom_name_order=table.take_choice("zoom_name_order", NAME_ORDERS, "given_first"),
        default_locale=table.take_choice("default_locale", LOCALES, "ja"),
        capacity=table.take_number("capacity", least=1, most=MOST_SEATS, default=None),
        has_waitlist=table.take("has_waitlist", bool, False),
        date_choice=table.take_choice("date_choice", list(DateChoice), "all"),
        least_age=table.take_number("least_age", least=1, most=OLDEST_LEAST_AGE, default=None),
        seats_per_date=table.take_number("seats_per_date", least=1, most=MOST_SEATS, default=None),
        keeps_zoom_mails=table.take("keeps_zoom_mails", bool, False),
        approval=table.take_choice("approval", APPROVALS, "automatic"),
        bot_check=table.take_choice("bot_check", list(BotCheck), "automatic"),
        link_policy=table.take_choice("link_policy", list(LinkPolicy), "show"),
        fallback_url=_read_url(table, "fallback_url"),
        brand_color=_read_color(table),
        lead=table.take_localized("lead", LONGEST_LEAD),
        description=table.take_markdown("description", LONGEST_DESCRIPTION),
        fee=table.take_localized("fee", LONGEST_LINE),
        cohost=table.take_localized("cohost", LONGEST_LINE),
        title=_read_title(table),
        logo=read_picture_ref(table, "logo"),
        header=read_picture_ref(table, "header"),
        is_listed=table.take("is_listed", bool, True),
        records_attendance=table.take("records_attendance", bool, False),
        **read_parts(table),
        organization=_read_organization(table),
        questions=read_questions(table),
        **_read_times(table),
    )
    if document.has_waitlist and document.seats_per_date is not None:
        raise table.fault("seats_per_date", "knows no waiting list: leave has_waitlist out")
    table.close()
    return document


def write_document(document: EventDocument) -> str:
    """Write what `read_document` reads back as the same value."""
    values = {part.name: getattr(document, part.name) for part in fields(document)}
    zone = load_zone(document.timezone or "UTC")
    for name in ("starts_at", "opens_at", "closes_at"):
        if values[name] is not None:
            values[name] = values[name].astimezone(zone)
    values["kind"] = str(document.kind)
    for name in ("logo", "header", "organization"):
        values[name] = _write_members(values[name])
    if document.questions is not None:
        values["questions"] = [write_question(question) for question in document.questions]
    for name in PARTS:
        values[name] = [write_entry(entry) for entry in values[name]] or None
    written = _without_empty(values)
    if not document.is_listed:
        written["is_listed"] = False
    return tomli_w.dumps(written, multiline_strings=True)


def set_schedule(
    document: EventDocument, *, starts_at: datetime, duration_minutes: int, timezone: str
) -> EventDocument:
    """Fill in the times that the file leaves to Zoom."""
    return replace(
        document,
        starts_at=document.starts_at or starts_at,
        duration_minutes=document.duration_minutes or duration_minutes,
        timezone=document.timezone or timezone,
    )


def check_url(url: str) -> bool:
    """Tell whether an address is one of a page that may be named: https, in ASCII."""
    # The host stands in a header too, where nothing else may stand with it.
    return URL.fullmatch(url) is not None


def check_slug(slug: str) -> bool:
    return len(slug) <= 80 and SLUG.fullmatch(slug) is not None


def _read_slug(table: Table) -> str:
    slug = table.need_text("slug", 80)
    if not check_slug(slug):
        raise table.fault("slug", "may have small letters, digits and single hyphens alone")
    return slug


def _read_kind(table: Table) -> Kind:
    kind = table.take_choice("kind", list(Kind), None)
    if kind is None:
        raise table.fault("kind", "is missing: webinar or meeting")
    return Kind(kind)


def _read_title(table: Table) -> Text:
    title = table.take_localized("title", LONGEST_LINE)
    if not title:
        raise table.fault("title", "is missing: a table with ja, en or both")
    return title


def _read_times(table: Table) -> dict[str, Any]:
    timezone = table.take("timezone", str, None)
    if timezone is not None and timezone not in available_timezones():
        raise table.fault("timezone", f"must be a name such as Asia/Tokyo, not {timezone!r}")
    times = {
        name: _read_time(table, name, timezone) for name in ("starts_at", "opens_at", "closes_at")
    }
    if times["opens_at"] and times["closes_at"] and times["opens_at"] >= times["closes_at"]:
        raise table.fault("closes_at", "must be after opens_at")
    duration = table.take_number(
        "duration_minutes", least=1, most=LONGEST_EVENT_MINUTES, default=None
    )
    return {**times, "timezone": timezone, "duration_minutes": duration}


def _read_time(table: Table, key: str, timezone: str | None) -> datetime | None:
    moment = table.take(key, datetime, None)
    if moment is None or moment.tzinfo is not None:
        return moment
    if timezone is None:
        raise table.fault(key, "needs the key timezone, or an offset such as +09:00")
    return moment.replace(tzinfo=ZoneInfo(timezone))


def _read_color(table: Table) -> str:
    color = table.take_text("brand_color", 7)
    try:
        if color:
            derive_brand(color)
    except ValueError as error:
        raise table.fault("brand_color", "must be written as #0b5cff") from error
    return color


def _read_url(table: Table, key: str) -> str:
    url = table.take_text(key, 1_000)
    if url and not check_url(url):
        raise table.fault(key, "must be like https://www.example.com/page, in ASCII")
    return url


def _read_organization(table: Table) -> OrganizationTexts | None:
    organization = table.take_table("organization")
    if organization is None:
        return None
    texts = OrganizationTexts(
        name=organization.need_text("name", 200),
        legal_name=organization.take_text("legal_name", 200),
        address=organization.take_text("address", 500),
        representative=organization.take_text("representative", 200),
        contact_email=organization.take_text("contact_email", 254),
        contact_url=_read_url(organization, "contact_url"),
        link_policy=organization.take_choice("link_policy", list(LinkPolicy), None),
    )
    organization.close()
    return texts


def _write_members(part: PictureRef | OrganizationTexts | None) -> dict[str, Any]:
    if part is None:
        return {}
    return _without_empty({name.name: getattr(part, name.name) for name in fields(part)})


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what reading would fill in by itself."""
    return {name: value for name, value in values.items() if value not in (None, "", {}, False)}
