"""`flask event`: making, publishing and ending events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from services.dates import format_moment
from services.event_documents import EventDocument, check_slug, read_document
from services.event_drafts import choose_slug, make_draft, take_schedule
from services.event_editing import (
    cancel_event,
    close_event,
    reopen_event,
    save_event,
)
from services.event_files import export_event, list_pictures, read_pictures
from services.event_tasks import count_people
from services.events import EventState, get_state, read_seats
from services.tables import DocumentError
from services.texts import LOCALES, localize
from services.zoom_setup import ZoomPlan, read_from_zoom
from storage import events, organizations
from storage.models import Event
from views.site import Site, get_site
from zoom_client import Kind

from .groups import SiteGroup, echo_table, need_event
from .publishing import (
    ensure_connection,
    make_client,
    make_event_client,
    plan_publishing,
    publish_event,
)


@click.group("event", cls=SiteGroup)
def events_group() -> None:
    """Make, publish and end events."""


@events_group.command("add")
@click.option("--zoom-id", type=click.IntRange(min=1), required=True, help="Zoom's number of it.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True)
@click.option("--slug", help="Last part of the form's address; by default a random one.")
@click.option("--language", type=click.Choice(LOCALES), default="ja", show_default=True)
def add_event(zoom_id: int, kind: str, slug: str | None, language: str) -> None:
    """Make a draft of a meeting or webinar at Zoom: title, date and zone are read from there."""
    site = get_site()
    with site.database.read() as session:
        slug = slug or choose_slug(session, Kind(kind))
        if not check_slug(slug):
            raise click.ClickException("--slug may have small letters, digits and single hyphens.")
        if events.get_event_by_slug(session, slug):
            raise click.ClickException(f"There is an event {slug} already.")
    meeting = read_from_zoom(make_client(site), Kind(kind), zoom_id, now=site.read_clock())
    document = make_draft(meeting, slug=slug, locale=language)
    event = store_document(site, document, Path())
    click.echo(f"{event.slug} is a draft. Next: flask event publish {event.slug}")


@events_group.command("list")
def list_events() -> None:
    """Show all events, the earliest first."""
    site = get_site()
    with site.database.read() as session:
        rows = []
        for event in events.list_events(session):
            seats = read_seats(session, event)
            state = get_state(event, seats, site.read_clock())
            taken = f"{seats.taken}/{seats.capacity}" if seats.capacity else str(seats.taken)
            when = format_moment(event.starts_at, event.timezone, "en")
            title = localize(event.title, event.default_locale)
            counters = events.list_counters(session, event.id)
            pending, waiting = (
                str(counters.get(f"status:{status}", 0)) for status in ("pending", "waitlisted")
            )
            row = (event.slug, state, taken, pending, waiting, when, event.kind)
            rows.append((*row, event.zoom_id, title))
    heads = ("SLUG", "STATE", "SEATS", "PENDING", "WAITING", "START", "KIND", "ZOOM ID", "TITLE")
    echo_table(heads, rows)


@events_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_event(file: Path) -> None:
    """Make the event that FILE describes, or change the one with its slug.

    Without starts_at, duration_minutes and timezone in the file these are read from Zoom. An event
    stays its organization's; a new one is that of the first.
    """
    site = get_site()
    try:
        document = read_document(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8 text.") from error
    event = store_document(site, _complete(site, document), file.parent)
    click.echo(f"{event.slug} is stored, version {event.version}, {event.status}.")
    if event.status != "published" or event.zoom_titles or _sends_to_zoom(document):
        click.echo(f"Next: flask event publish {event.slug}")


@events_group.command("export")
@click.argument("slug")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def export(slug: str, file: Path | None) -> None:
    """Write an event to FILE with its pictures beside it, or print it."""
    with get_site().database.read() as session:
        event = need_event(session, slug)
        text = export_event(session, event)
        pictures = list_pictures(session, event)
    if file is None:
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8", newline="\n")
    for name, content in pictures.items():
        file.with_name(name).write_bytes(content)
    click.echo(f"Wrote {', '.join([str(file), *pictures])}")


@events_group.command("publish")
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Only say what would be changed at Zoom.")
def publish(slug: str, dry_run: bool) -> None:
    """Open the form: set approval, mails and questions at Zoom and read them back."""
    site = get_site()
    if dry_run:
        _show_changes(plan_publishing(site, slug))
        return
    published = publish_event(site, slug)
    for title in published.lost_titles:
        click.echo(f"Zoom did not keep the question “{title}”: its answers stay here.", err=True)
    if published.known_before:
        click.echo(f"Zoom has {published.known_before} people already; they get links by mail.")
    click.echo(f"Published: {site.links.event(slug)}")
    with site.database.read() as session:
        is_closed = need_event(session, slug).status == EventState.CLOSED
    if is_closed:
        # Somebody has closed it by hand, which publishing again does not undo.
        click.echo(f"Its form is still closed. Next: flask event reopen {slug}")


@events_group.command("close")
@click.argument("slug")
def close(slug: str) -> None:
    """Take no registrations any more; who is registered stays."""
    site = get_site()
    with site.database.write() as session:
        close_event(session, need_event(session, slug), now=site.read_clock())
    click.echo(f"{slug} is closed.")


@events_group.command("reopen")
@click.argument("slug")
def reopen(slug: str) -> None:
    """Open a closed event's form again."""
    site = get_site()
    with site.database.write() as session:
        reopen_event(session, need_event(session, slug), now=site.read_clock())
    click.echo(f"{slug} is open again.")


@events_group.command("cancel")
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
def cancel(slug: str, yes: bool) -> None:
    """Cancel an event for good; a worker tells everybody by mail. Nothing is deleted at Zoom."""
    site = get_site()
    if not yes:
        click.confirm(f"Cancel {slug} for good and tell everybody?", abort=True)
    with site.database.write() as session:
        event = need_event(session, slug)
        is_new = cancel_event(session, event, now=site.read_clock())
        people = count_people(session, event)
    if is_new:
        words = f"{slug} is cancelled; {people} people are told by mail."
    else:
        words = f"{slug} was cancelled before; whoever was not told yet is told by mail."
    click.echo(f"{words} The meeting stays in Zoom.")


def store_document(site: Site, document: EventDocument, folder: Path) -> Event:
    """Save an event whose pictures lie in `folder`; a new one is the first organization's."""
    with site.database.read() as session:
        event = events.get_event_by_slug(session, document.slug)
        stored = event and organizations.need_connection(session, event.connection_id)
    connection = stored or ensure_connection(site)
    pictures = read_pictures(document, lambda name: _read_file(folder / name))
    with site.database.write() as session:
        now = site.read_clock()
        return save_event(session, document, pictures=pictures, connection=connection, now=now)


def _show_changes(plan: ZoomPlan) -> None:
    if not plan.changes:
        click.echo("Nothing has to be changed at Zoom.")
        return
    rows = [(change.setting, change.before, change.after) for change in plan.changes]
    echo_table(("AT ZOOM", "NOW", "WOULD BE"), rows)


def _complete(site: Site, document: EventDocument) -> EventDocument:
    """Take from the stored event, else from Zoom, what the file leaves open."""
    with site.database.read() as session:
        event = events.get_event_by_slug(session, document.slug)
        if event is not None and document.zoom_id is None:
            document = replace(document, zoom_id=event.zoom_id)
    if document.zoom_id is None:
        raise DocumentError("zoom_id is missing")
    if document.has_schedule:
        return document
    client = make_event_client(site, event) if event else make_client(site)
    now = site.read_clock()
    meeting = read_from_zoom(client, document.kind, document.zoom_id, now=now)
    return take_schedule(document, meeting)


def _sends_to_zoom(document: EventDocument) -> bool:
    return any(question.zoom_title or question.zoom_field for question in document.questions or ())


def _read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
