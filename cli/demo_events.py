"""The example events of the demo: made once, kept while they lie ahead, made anew afterwards."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from services.dates import HOME
from services.event_documents import EventDocument, read_document
from services.event_editing import PUBLISHED, close_event, rename_event
from services.events import EventState, get_end
from services.organization_pages import SlugRefused, change_slug
from storage import events, organizations
from storage.models import Event
from views.site import Site, get_site
from zoom_client import Kind, MeetingDraft, MeetingNotFound, ZoomClient, ZoomUnreachable

from .demo_people import fill_event
from .events import store_document
from .groups import SiteCommand
from .publishing import make_client, publish_event

EXAMPLES = Path(__file__).parent.parent / "examples"
HOST = "host@example.com"
LIST_SLUG = "sample"
WAIT_SECONDS = 30.0

_THURSDAY = 3
_NOTICE = timedelta(days=21)


@dataclass(frozen=True)
class _Example:
    slug: str
    hour: int
    people: int


_EXAMPLE_EVENTS = (_Example("demo", 14, 260), _Example("demo-en", 17, 40))


@click.command("demo-events", cls=SiteCommand, hidden=True)
@click.option("--people", is_flag=True, help="With people in them.")
def demo_events_command(people: bool) -> None:
    """Make the example events at the sandbox and here."""
    site = get_site()
    ensure_demo_events(site)
    if people and site.settings.is_demo:
        # Pages can be opened by now; the lists fill within seconds.
        for example in _EXAMPLE_EVENTS:
            fill_event(site, example.slug, example.people)


def ensure_demo_events(site: Site) -> None:
    """Have both example events published and ahead of us; doing it again changes nothing.

    One that is over, or whose meeting the sandbox has forgotten, keeps its registrations under
    another address and makes room for a new one.
    """
    client = make_client(site)
    _wait_for_zoom(client)
    for example in _EXAMPLE_EVENTS:
        document = read_document((EXAMPLES / f"{example.slug}.toml").read_text(encoding="utf-8"))
        event = _get_usable_event(site, client, document.slug)
        if event is None:
            event = _make(site, client, document, example)
        if event.status == EventState.DRAFT:
            publish_event(site, event.slug)
    _open_list(site)


def _open_list(site: Site) -> None:
    """Give the organization a page of its coming events, unless it has one."""
    with site.database.write() as session:
        organization = organizations.get_first_organization(session)
        if organization is not None and organization.slug is None:
            with suppress(SlugRefused):
                change_slug(session, organization, LIST_SLUG, now=site.read_clock())


def _get_usable_event(site: Site, client: ZoomClient, slug: str) -> Event | None:
    """Return the stored event, unless it is over or unknown to the sandbox."""
    with site.database.read() as session:
        event = events.get_event_by_slug(session, slug)
    if event is None:
        return None
    if site.read_clock() < get_end(event) and _has_meeting(client, event):
        return event
    with site.database.write() as session:
        former = events.need_event(session, event.id)
        rename_event(session, former, f"{slug}-{former.zoom_id}", now=site.read_clock())
        if former.status == PUBLISHED:
            close_event(session, former, now=site.read_clock())
    return None


def _make(site: Site, client: ZoomClient, document: EventDocument, example: _Example) -> Event:
    starts_at = choose_start(site.read_clock(), example.hour)
    meeting = client.create_meeting(
        document.kind,
        HOST,
        MeetingDraft(
            topic=document.title[document.default_locale],
            start_time=starts_at,
            duration_minutes=document.duration_minutes,
            timezone=document.timezone,
        ),
    )
    document = replace(document, zoom_id=meeting.id, starts_at=starts_at)
    return store_document(site, document, EXAMPLES)


def choose_start(now: datetime, hour: int) -> datetime:
    """Return the first Thursday three weeks ahead, at a full hour in Tokyo."""
    earliest = (now + _NOTICE).astimezone(ZoneInfo(HOME))
    day = earliest + timedelta(days=(_THURSDAY - earliest.weekday()) % 7)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def _has_meeting(client: ZoomClient, event: Event) -> bool:
    try:
        client.get_meeting(Kind(event.kind), event.zoom_id)
    except MeetingNotFound:
        return False
    return True


def _wait_for_zoom(client: ZoomClient) -> None:
    """Wait for the sandbox, which starts at the same moment."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            client.scopes()
            return
        except ZoomUnreachable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
