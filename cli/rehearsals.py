"""`flask go-live`, and what a copy that was restored for practice says of itself."""

from __future__ import annotations

import click

from storage import rehearsals
from views.site import Site, get_site

from .groups import SiteCommand

_GO_LIVE = "flask go-live"


@click.command("go-live", cls=SiteCommand)
@click.confirmation_option(
    prompt="Workers will mail people, call Zoom, and send webhooks, for what was done here in"
    " practice too. Has the former site been stopped for good?"
)
def go_live_command() -> None:
    """Make the site of a copy that was restored with --rehearsal."""
    site = get_site()
    with site.database.write() as session:
        if not rehearsals.end(session):
            raise click.ClickException("This is no rehearsal: workers take jobs here already.")
    click.echo("This is the site: workers take jobs from now on.")
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
