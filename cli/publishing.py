"""Publishing an event: ask Zoom between two transactions, never inside one."""

from __future__ import annotations

import click

from services.organizations import ensure_organization, find_stored_connection
from services.publishing import Published, Subject, prepare, read_subject, record_published
from services.zoom_setup import ZoomPlan, plan_changes
from storage import events, organizations
from storage.models import Event, ZoomConnection
from views.site import Site
from zoom_client import ZoomClient

from .groups import need_event

# Somebody waits at a terminal: Zoom's list of 10,000 people has 34 pages.
PATIENCE_SECONDS = 120.0


def publish_event(site: Site, slug: str) -> Published:
    """Set everything at Zoom, read it back, and make the event public; may be done again."""
    check_settings(site)
    subject, client = _read(site, slug)
    ready = prepare(client, subject, now=site.read_clock(), total_seconds=PATIENCE_SECONDS)
    with site.database.write() as session:
        event = events.lock_event(session, need_event(session, slug).id)
        return record_published(
            session, event, subject, ready, keys=site.keys, now=site.read_clock()
        )


def plan_publishing(site: Site, slug: str) -> ZoomPlan:
    """Say what publishing would change at Zoom; nothing is changed."""
    subject, client = _read(site, slug)
    return plan_changes(
        client,
        subject.kind,
        subject.zoom_id,
        subject.questions,
        wishes=subject.wishes,
        now=site.read_clock(),
    )


def check_settings(site: Site) -> None:
    """Refuse to go public on a real account while links or mails would lead nowhere."""
    missing = site.settings.list_missing()
    if missing:
        raise click.ClickException(
            f"Set {' and '.join(missing)} first: people need links that work and mails that arrive."
        )


def make_client(site: Site) -> ZoomClient:
    """Return the client of the first organization's connection."""
    return site.make_zoom_client(ensure_connection(site))


def make_event_client(site: Site, event: Event) -> ZoomClient:
    """Return the client of the account that an event is held at."""
    with site.database.read() as session:
        connection = organizations.need_connection(session, event.connection_id)
    if not connection.client_id:
        # It uses the account of the settings: there has to be one, and it may be another by now.
        ensure_connection(site)
    return site.make_zoom_client(connection)


def ensure_connection(site: Site) -> ZoomConnection:
    settings = site.settings
    if not settings.has_zoom_account:
        with site.database.read() as session:
            stored = find_stored_connection(session)
        if stored is not None:
            return stored
        raise click.ClickException(
            "No Zoom account: connect it in the dashboard, or set UKETSUKE_ZOOM_ACCOUNT_ID, "
            "UKETSUKE_ZOOM_CLIENT_ID and UKETSUKE_ZOOM_CLIENT_SECRET."
        )
    with site.database.write() as session:
        return ensure_organization(
            session, account_id=settings.zoom_account_id, now=site.read_clock()
        )


def _read(site: Site, slug: str) -> tuple[Subject, ZoomClient]:
    with site.database.read() as session:
        event = need_event(session, slug)
        subject = read_subject(session, event, now=site.read_clock())
    return subject, make_event_client(site, event)
