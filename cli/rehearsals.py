"""`flask go-live`, and what a copy that was restored for practice says of itself."""

from __future__ import annotations

import click

from services.restoring import erase_returned
from storage import rehearsals
from storage.erasing import read_erased
from views.site import Site, get_site

from .groups import SiteCommand

_GO_LIVE = "flask go-live"


@click.command("go-live", cls=SiteCommand)
@click.confirmation_option(
    prompt="Workers will mail people, call Zoom, and send webhooks, for what was done here in"
    " practice too. Has the former site been stopped for good, and its list of whom it erased"
    " (instance/erased) been added to that of this folder?"
)
def go_live_command() -> None:
    """Make the site of a copy that was restored with --rehearsal."""
    site = get_site()
    with site.database.write() as session:
        if not rehearsals.end(session):
            raise click.ClickException("This is no rehearsal: workers take jobs here already.")
        # As a restore does: these were erased at the former site since.
        erased = erase_returned(session, read_erased(site.settings.instance), now=site.read_clock())
    click.echo("This is the site: workers take jobs from now on.")
    if erased:
        click.echo(f"Erased again: {erased} people who had been erased after the backup.")
    click.echo("Next: flask event reconcile --all shows who is at Zoom and missing here.")


def describe_rehearsal(site: Site) -> str:
    """Say in one line that this is a copy, and what to do about it; or nothing."""
    with site.database.read() as session:
        found = rehearsals.get_rehearsal(session)
    if found is None:
        return ""
    return (
        f"this is a rehearsal, with the backup of {found.taken_at:%Y-%m-%d %H:%M} UTC: nobody is"
        " mailed, and Zoom is not called. Delete it once you have looked; to make the site of it,"
        f" stop the former one for good, then {_GO_LIVE}"
    )
