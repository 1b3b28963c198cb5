"""`flask organizers`: the first owner, and who has lost what they sign in with."""

from __future__ import annotations

import click

from services.access_links import LinkPurpose, add_link, invite_first_owner
from services.accounts import drop_second_factors, make_password_link
from services.addresses import email_key
from services.members import Role
from services.organizations import ensure_organization
from storage import members, organizations, organizers
from views.site import Site, get_site

from .groups import SiteGroup

DEMO_OWNER = "owner@demo.example"


@click.group("organizers", cls=SiteGroup)
def organizers_group() -> None:
    """Let the first owner in, and help who cannot sign in any more."""


@organizers_group.command("invite")
def invite_owner_command() -> None:
    """Print a link that makes one owner; it works once, for a day, and ends former ones."""
    click.echo(make_owner_link(get_site()))


@organizers_group.command("password")
@click.argument("email")
@click.option(
    "--without-second-factor",
    "is_bare",
    is_flag=True,
    help="Remove authenticator app, recovery codes and passkeys too.",
)
def password_link_command(email: str, is_bare: bool) -> None:
    """Print a link with which an organizer sets a new password; it works once, for an hour."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        organizer = organizers.get_organizer_by_key(session, email_key(email))
        if organizer is None:
            raise click.ClickException(f"Nobody signs in as {email}.")
        if is_bare:
            drop_second_factors(session, organizer, now=now)
        link = make_password_link(session, organizer, locale=organizer.locale, now=now)
        address = site.links.access(link)
    click.echo(address)


def make_owner_link(site: Site) -> str:
    """Return the link; the account of the settings, if there is one, is connected already."""
    now, account_id = site.read_clock(), site.settings.zoom_account_id
    with site.database.write() as session:
        if site.settings.has_zoom_account:
            ensure_organization(session, account_id=account_id, now=now)
        return site.links.access(invite_first_owner(session, now=now))


def has_owner(site: Site) -> bool:
    with site.database.read() as session:
        return members.has_owner(session, Role.OWNER)


def make_demo_entrance(site: Site) -> str:
    """Return a link that signs in the demo's owner, who is made if need be."""
    now = site.read_clock()
    with site.database.write() as session:
        owner = organizers.get_organizer_by_key(session, DEMO_OWNER)
        if owner is None:
            owner = organizers.add_organizer(
                session, email=DEMO_OWNER, email_key=DEMO_OWNER, name="", locale="ja", now=now
            )
            owner.may_add_organizations = True
        organization = organizations.get_first_organization(session)
        organization = organization or organizations.add_organization(session, now=now)
        if members.get_membership(session, organization.id, owner.id) is None:
            members.add_membership(
                session, organization.id, owner.id, role=Role.OWNER, event_ids=None, now=now
            )
        link = add_link(session, LinkPurpose.ENTER, organizer_id=owner.id, now=now)
        return site.links.access(link)
