"""What pages and mails say about an event, in one language, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import events, organizations
from storage.models import Asset, Event

from .dates import format_moment, format_period, format_short, split_period
from .event_dates import (
    Closed,
    EventDate,
    find_next,
    has_lost_dates,
    read_dates,
    takes_choice,
    write_date,
)
from .events import EventState, LinkPolicy, Seats, get_end, get_state, read_link_policy
from .messages import MailEvent
from .texts import LOCALES, Text, localize

PORTRAIT_SHOWN = 96
"""Pictures of speakers are squares, shown this wide whatever they have."""


@dataclass(frozen=True)
class Image:
    url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class DateView:
    """One date of a series; `note` is past or gone where nobody can come any more."""

    id: str
    text: str
    starts_at: datetime
    ends_at: datetime
    note: str


@dataclass(frozen=True)
class SpeakerView:
    name: str
    role: str
    text: str
    picture: Image | None


@dataclass(frozen=True)
class ProgrammeItemView:
    """One entry of a programme; `speakers` are names."""

    time: str
    title: str
    text: str
    speakers: tuple[str, ...]


@dataclass(frozen=True)
class MaterialView:
    label: str
    url: str


@dataclass(frozen=True)
class EventView:
    """One event as a reader of `locale` sees it at one moment.

    `description` is the organizer's Markdown. `date_text` and `time_text` stand one after the
    other. `seats_left` is set when few are, but not where it would tell whether a form that was
    sent had a known address. `former_starts_at` is when people had registered for, where it was
    moved since. A full event that keeps a waiting list has the state `full`, a form,
    and `is_waiting_list_open`. A series has `dates`, and its times are those of the next one;
    `has_choice` says that people choose among them, `has_lost_dates` that all were cancelled.
    `languages` are those of its title, its own one first.
    """

    kind: str
    locale: str
    title: str
    lead: str
    description: str
    date_text: str
    time_text: str
    starts_at: datetime
    ends_at: datetime
    former_starts_at: datetime | None
    former_text: str
    timezone: str
    fee: str
    cohost: str
    organizer: str
    organizer_address: str
    contact_email: str
    contact_url: str
    capacity: int | None
    are_few_left: bool
    seats_left: int | None
    is_waiting_list_open: bool
    approval: str
    state: str
    opens_text: str
    brand_css: str
    logo: Image | None
    header: Image | None
    form_url: str
    notice_url: str
    dates: tuple[DateView, ...] = ()
    has_choice: bool = False
    has_lost_dates: bool = False
    speakers: tuple[SpeakerView, ...] = ()
    programme: tuple[ProgrammeItemView, ...] = ()
    materials: tuple[MaterialView, ...] = ()
    is_listed: bool = False
    slug: str = ""
    brand_color: str = ""
    languages: tuple[str, ...] = ()
    list_url: str = ""


def view_event(
    session: Session, event: Event, locale: str, *, seats: Seats, now: datetime
) -> EventView:
    """Put together what a page about an event shows."""
    organization = organizations.need_organization(session, event.organization_id)
    policy = read_link_policy(session, event)
    state = get_state(event, seats, now)
    is_waiting_list_open = state is EventState.OPEN and seats.are_all_taken
    query = f"?lang={locale}"
    return EventView(
        kind=event.kind,
        locale=locale,
        organizer=organization.legal_name or organization.name,
        organizer_address=organization.address,
        contact_email=organization.contact_email,
        contact_url=organization.contact_url,
        capacity=event.capacity,
        are_few_left=seats.few_left is not None,
        seats_left=seats.few_left if policy is LinkPolicy.SHOW else None,
        is_waiting_list_open=is_waiting_list_open,
        approval=event.approval,
        state=EventState.FULL if is_waiting_list_open else state,
        brand_css=f"/brand/{event.brand_color[1:]}.css" if event.brand_color else "",
        logo=_view_image(session, event.logo_id, event.logo_alt, locale),
        header=_view_image(session, event.header_id, event.header_alt, locale),
        form_url=f"/e/{event.slug}{query}",
        notice_url=f"/e/{event.slug}/notice{query}",
        dates=list_date_views(event, locale, now),
        has_choice=takes_choice(event),
        has_lost_dates=has_lost_dates(event),
        is_listed=event.is_listed,
        slug=event.slug,
        brand_color=event.brand_color,
        languages=_list_languages(event),
        list_url=f"/o/{organization.slug}{query}" if organization.slug else "",
        **_view_times(event, locale, now),
        **_view_words(event, locale),
    )


def _view_times(event: Event, locale: str, now: datetime) -> dict[str, Any]:
    shown = find_next(read_dates(event), now)
    starts_at = shown.starts_at if shown else event.starts_at
    ends_at = shown.ends_at if shown else get_end(event)
    date_text, time_text = split_period(starts_at, ends_at, event.timezone, locale)
    former_starts_at = None if shown else event.former_starts_at

    return {
        "date_text": date_text,
        "time_text": time_text,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "former_starts_at": former_starts_at,
        "former_text": _write_moment(former_starts_at, event, locale),
        "timezone": event.timezone,
        "opens_text": _write_moment(event.opens_at, event, locale),
    }


def _write_moment(moment: datetime | None, event: Event, locale: str) -> str:
    return format_moment(moment, event.timezone, locale) if moment else ""


def _list_languages(event: Event) -> tuple[str, ...]:
    written = [locale for locale in LOCALES if event.title.get(locale)]
    return tuple(sorted(written, key=lambda locale: locale != event.default_locale)) or LOCALES


def _view_words(event: Event, locale: str) -> dict[str, Any]:
    texts = ("title", "lead", "description", "fee", "cohost")
    words: dict[str, Any] = {name: localize(getattr(event, name), locale) for name in texts}
    return words | {
        "speakers": tuple(_view_speaker(row, locale) for row in event.speakers),
        "programme": _view_programme(event, locale),
        "materials": tuple(
            MaterialView(localize(row["label"], locale), row["url"]) for row in event.materials
        ),
    }


def list_date_views(event: Event, locale: str, now: datetime) -> tuple[DateView, ...]:
    """List the dates of a series in words; nothing for any other event."""
    return tuple(_view_date(date, event.timezone, locale, now) for date in read_dates(event))


def _view_speaker(row: Mapping[str, Any], locale: str) -> SpeakerView:
    picture = row["picture"]
    return SpeakerView(
        name=localize(row["name"], locale),
        role=localize(row["role"], locale),
        text=localize(row["text"], locale),
        picture=picture
        and Image(
            f"/assets/{picture['asset']}",
            PORTRAIT_SHOWN,
            PORTRAIT_SHOWN,
            localize(picture["alt"], locale),
        ),
    )


def _view_programme(event: Event, locale: str) -> tuple[ProgrammeItemView, ...]:
    names = {row["id"]: localize(row["name"], locale) for row in event.speakers}
    return tuple(
        ProgrammeItemView(
            time=localize(row["time"], locale),
            title=localize(row["title"], locale),
            text=localize(row["text"], locale),
            speakers=tuple(names[speaker] for speaker in row["speakers"] if speaker in names),
        )
        for row in event.programme
    )


def _view_date(date: EventDate, timezone: str, locale: str, now: datetime) -> DateView:
    note = Closed.GONE if date.is_gone else Closed.PAST if now >= date.ends_at else ""
    text = write_date(date, timezone, locale)
    return DateView(date.id, text, date.starts_at, date.ends_at, note)


def view_mail_event(
    session: Session, event: Event, locale: str, *, dates: Sequence[EventDate] = (), now: datetime
) -> MailEvent:
    """Put together what a mail says about an event; `dates` are its reader's, in a series."""
    shown = find_next(dates, now)
    starts_at = shown.starts_at if shown else event.starts_at
    ends_at = shown.ends_at if shown else get_end(event)
    organization = organizations.need_organization(session, event.organization_id)
    return MailEvent(
        title=localize(event.title, locale),
        date_text=format_period(starts_at, ends_at, event.timezone, locale),
        short_date=format_short(starts_at, event.timezone, locale),
        organizer=organization.legal_name or organization.name,
        organizer_address=organization.address,
        contact_email=organization.contact_email,
        contact_url=organization.contact_url,
        kind=event.kind,
        dates=tuple(write_date(date, event.timezone, locale) for date in dates),
        former_text=_write_moment(None if shown else event.former_starts_at, event, locale),
    )


def _view_image(session: Session, asset_id: int | None, alt: Text, locale: str) -> Image | None:
    asset: Asset | None = events.get_asset_by_id(session, asset_id) if asset_id else None
    if asset is None:
        return None
    return Image(f"/assets/{asset.name}", asset.width, asset.height, localize(alt, locale))
