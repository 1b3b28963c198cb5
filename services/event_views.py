"""What pages and mails say about an event, in one language, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, organizations
from storage.models import Asset, Event

from .dates import format_moment, format_period, format_short, split_period
from .events import EventState, LinkPolicy, Seats, get_end, get_state, read_link_policy
from .messages import MailEvent
from .texts import Text, localize


@dataclass(frozen=True)
class Image:
    url: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class EventView:
    """One event as a reader of `locale` sees it at one moment.

    `description` is the organizer's Markdown. `date_text` and `time_text` stand one after the
    other. `seats_left` is set when few are, but not where it would tell whether a form that was
    sent had a known address. A full event that keeps a waiting list has the state `full`, a form,
    and `is_waiting_list_open`.
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


def view_event(
    session: Session, event: Event, locale: str, *, seats: Seats, now: datetime
) -> EventView:
    """Put together what a page about an event shows."""
    organization = organizations.need_organization(session, event.organization_id)
    policy = read_link_policy(session, event)
    state = get_state(event, seats, now)
    is_waiting_list_open = state is EventState.OPEN and seats.are_all_taken
    ends_at = get_end(event)
    date_text, time_text = split_period(event.starts_at, ends_at, event.timezone, locale)
    query = f"?lang={locale}"
    return EventView(
        kind=event.kind,
        locale=locale,
        title=localize(event.title, locale),
        lead=localize(event.lead, locale),
        description=localize(event.description, locale),
        date_text=date_text,
        time_text=time_text,
        starts_at=event.starts_at,
        ends_at=ends_at,
        timezone=event.timezone,
        fee=localize(event.fee, locale),
        cohost=localize(event.cohost, locale),
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
        opens_text=(
            format_moment(event.opens_at, event.timezone, locale) if event.opens_at else ""
        ),
        brand_css=f"/brand/{event.brand_color[1:]}.css" if event.brand_color else "",
        logo=_view_image(session, event.logo_id, event.logo_alt, locale),
        header=_view_image(session, event.header_id, event.header_alt, locale),
        form_url=f"/e/{event.slug}{query}",
        notice_url=f"/e/{event.slug}/notice{query}",
    )


def view_mail_event(session: Session, event: Event, locale: str) -> MailEvent:
    """Put together what a mail says about an event."""
    organization = organizations.need_organization(session, event.organization_id)
    return MailEvent(
        title=localize(event.title, locale),
        date_text=format_period(event.starts_at, get_end(event), event.timezone, locale),
        short_date=format_short(event.starts_at, event.timezone, locale),
        organizer=organization.legal_name or organization.name,
        organizer_address=organization.address,
        contact_email=organization.contact_email,
        contact_url=organization.contact_url,
        kind=event.kind,
    )


def _view_image(session: Session, asset_id: int | None, alt: Text, locale: str) -> Image | None:
    asset: Asset | None = events.get_asset_by_id(session, asset_id) if asset_id else None
    if asset is None:
        return None
    return Image(f"/assets/{asset.name}", asset.width, asset.height, localize(alt, locale))
