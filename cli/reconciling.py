"""`flask event reconcile`: who is at Zoom and missing here, and the reverse."""

from __future__ import annotations

import click

from services.delivery_stops import describe_ending
from services.reconciling import Difference, compare
from storage import events
from storage.models import Event
from views.site import Site, get_site
from zoom_client import Kind, ZoomError

from .groups import SiteCommand, describe_zoom, echo_table, need_event
from .publishing import make_event_client


@click.command("reconcile", cls=SiteCommand)
@click.argument("slug", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every event that is not over.")
def reconcile_command(slug: str | None, is_all: bool) -> None:
    """Compare with Zoom, store its links anew, and show who differs; nobody is changed.

    Whoever is at Zoom and missing here registered after the backup: their link works, and they can
    register again, which adds nobody twice. An event of which Zoom says nothing is named with the
    reason, and the others are compared.
    """
    if (slug is None) != is_all:
        raise click.ClickException("Name one event by its slug, or say --all.")
    site = get_site()
    with site.database.read() as session:
        found = events.list_events(session) if slug is None else [need_event(session, slug)]
        wanted = [
            event for event in found if slug or not describe_ending(event, now=site.read_clock())
        ]
    rows = []
    silent = 0
    for event in wanted:
        try:
            differences = _compare(site, event)
        except click.ClickException as error:
            silent += 1
            click.echo(f"{event.slug} is not compared. {error.message}")
            continue
        rows += [
            (event.slug, one.email, one.here or "-", one.at_zoom or "-") for one in differences
        ]
    echo_table(("EVENT", "EMAIL", "HERE", "AT ZOOM"), rows)
    click.echo(f"{len(wanted) - silent} events compared, {len(rows)} people differ.")
    if silent:
        raise click.ClickException(f"{silent} events are not compared: the reasons stand above.")


def _compare(site: Site, event: Event) -> list[Difference]:
    client = make_event_client(site, event)
    try:
        people = list(client.list_registrants(Kind(event.kind), event.zoom_id))
    except ZoomError as error:
        raise click.ClickException(describe_zoom(error)) from error
    with site.database.write() as session:
        current = events.need_event(session, event.id)
        return compare(session, current, people, keys=site.keys)
