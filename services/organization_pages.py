"""An organization's page of coming events: its address, and what stands on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, public_pages
from storage.models import Organization
from storage.public_pages import ListedEvent

from .chosen_dates import list_closed
from .dates import format_moment, split_period
from .event_dates import find_next, read_dates, takes_choice
from .event_documents import check_slug
from .events import EventState, count_seats, get_end, get_state
from .texts import LOCALES, localize

LONGEST_SLUG = 60
MOST_FORMER = 10
"""An organization keeps so many addresses that its page had; older ones may be others' again."""

EVENTS_A_PAGE = 20
SURELY_OVER = timedelta(days=1)
CLOSES_SOON = timedelta(days=3)


class SlugRefused(Exception):
    """An address that an organization's page cannot have."""


class SlugTaken(SlugRefused):
    """The address is, or was, another organization's."""


@dataclass(frozen=True)
class ComingEvent:
    """One event of a list, in one language; `later_dates` counts those of a series after it."""

    slug: str
    kind: str
    title: str
    lead: str
    date_text: str
    time_text: str
    starts_at: datetime
    ends_at: datetime
    former_starts_at: datetime | None
    timezone: str
    state: str
    is_waiting_list_open: bool
    are_few_left: bool
    opens_text: str
    closes_text: str
    later_dates: int
    languages: tuple[str, ...]


@dataclass(frozen=True)
class ComingEvents:
    """A page of them; `after` asks for the next one, and is empty on the last."""

    events: tuple[ComingEvent, ...]
    after: str = ""


def suggest_slug(name: str) -> str:
    """Make an address of a name; a Japanese one has nothing to make one of."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(dict.fromkeys(words))[:LONGEST_SLUG].strip("-")


def change_slug(session: Session, organization: Organization, slug: str, *, now: datetime) -> bool:
    """Give an organization's page an address; none closes it. Tell whether that is new.

    Former addresses lead to the present one. Side effects: pages of its events are drawn again,
    as they lead there.

    Raises:
        SlugRefused: it cannot be an address, or is another's.
    """
    if slug == (organization.slug or ""):
        return False
    if slug:
        if len(slug) > LONGEST_SLUG or not check_slug(slug):
            raise SlugRefused
        if public_pages.get_owner_of_slug(session, slug) not in (None, organization.id):
            raise SlugTaken
    public_pages.change_slug(session, organization, slug or None, kept=MOST_FORMER, now=now)
    events.raise_versions(session, organization.id, now=now)
    return True


def list_coming(
    session: Session, organization: Organization, locale: str, *, after: str = "", now: datetime
) -> ComingEvents:
    """List the listed events that are not over, the next one first."""
    rows = public_pages.list_listed(
        session,
        organization.id,
        since=now - SURELY_OVER,
        after=after,
        limit=EVENTS_A_PAGE + 1,
        now=now,
    )
    shown = [row for row in rows[:EVENTS_A_PAGE] if now < get_end(row.head)]
    choosing = [row.head for row in shown if takes_choice(row.head)]
    closed = list_closed(session, choosing, now=now)
    return ComingEvents(
        tuple(_view(row, locale, closed.get(row.head.id, {}), now) for row in shown),
        after=rows[EVENTS_A_PAGE - 1].head.public_id if len(rows) > EVENTS_A_PAGE else "",
    )


def count_coming(session: Session, organization: Organization, *, now: datetime) -> int:
    """Count what all pages of `list_coming` list."""
    since = now - SURELY_OVER
    begun = public_pages.list_listed(session, organization.id, since=since, until=now, now=now)
    under_way = sum(now < get_end(row.head) for row in begun)
    return under_way + public_pages.count_listed(session, organization.id, since=now)


def _view(row: ListedEvent, locale: str, closed: Mapping[str, str], now: datetime) -> ComingEvent:
    event, dates = row.head, read_dates(row.head)
    seats = count_seats(event, event.seats_taken)
    state = get_state(event, seats, now)
    if takes_choice(event) and len(closed) == len(dates):
        state = EventState.FULL if state is EventState.OPEN else state
    shown = find_next(dates, now)
    starts_at = shown.starts_at if shown else event.starts_at
    ends_at = shown.ends_at if shown else get_end(event)
    date_text, time_text = split_period(starts_at, ends_at, event.timezone, locale)
    closes_at = event.closes_at
    closes_soon = closes_at is not None and closes_at - now < CLOSES_SOON
    zone = event.timezone
    return ComingEvent(
        slug=event.slug,
        kind=row.kind,
        title=localize(row.title, locale),
        lead=localize(row.lead, locale),
        date_text=date_text,
        time_text=time_text,
        starts_at=starts_at,
        ends_at=ends_at,
        former_starts_at=None if shown else row.former_starts_at,
        timezone=zone,
        state=state,
        is_waiting_list_open=state is EventState.OPEN and seats.are_all_taken,
        are_few_left=seats.few_left is not None,
        opens_text=format_moment(event.opens_at, zone, locale) if event.opens_at else "",
        closes_text=format_moment(closes_at, zone, locale) if closes_at and closes_soon else "",
        later_dates=sum(not date.is_gone and date.starts_at > starts_at for date in dates),
        languages=tuple(each for each in LOCALES if row.title.get(each)),
    )
