"""`flask organizations`: several of them in one installation, walled off from each other."""

from __future__ import annotations

import click

from services.access_links import invite_owner
from services.audit import COMMAND, Action, record_as
from storage import organizations
from views.site import get_site

from .groups import SiteGroup, echo_table

LONGEST_NAME = 200


@click.group("organizations", cls=SiteGroup)
def organizations_group() -> None:
    """Make another organization, and list all of them."""


@organizations_group.command("create")
@click.argument("name")
def create_organization_command(name: str) -> None:
    """Make an organization, and print the link of its owner: it works once, for a day."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise click.ClickException(f"A name has 1 to {LONGEST_NAME} characters.")
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        organization = organizations.add_organization(session, name=name, now=now)
        address = site.links.access(invite_owner(session, organization, now=now))
        record_as(session, COMMAND, Action.ORGANIZATION_ADDED, chain=organization.id, now=now)
    click.echo(address)


@organizations_group.command("list")
def list_organizations_command() -> None:
    """List all organizations with how many members and events they have."""
    with get_site().database.read() as session:
        rows = [
            (row.public_id, row.name or "(without a name)", members, events)
            for row, members, events in organizations.list_organizations(session)
        ]
    echo_table(("id", "name", "members", "events"), rows)
