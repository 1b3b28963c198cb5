"""`flask keys`: which programs may use the API, and how to shut one out without the dashboard."""

from __future__ import annotations

import click

from services.api_keys import read_state, revoke_by_operator
from storage import api_keys
from views.site import get_site

from .groups import SiteGroup, echo_table


@click.group("keys", cls=SiteGroup)
def keys_group() -> None:
    """List the keys of the API, and revoke them; they are made on the dashboard."""


@keys_group.command("list")
def list_keys_command() -> None:
    """List all keys, the newest first: what each begins with, its state and its last use."""
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        rows = [
            (
                *(key.public_id, f"{key.prefix}…", organization, key.name),
                *(read_state(key, now), " ".join(key.scopes)),
                f"{key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never",
            )
            for key, organization in api_keys.list_all_keys(session)
        ]
    echo_table(("ID", "KEY", "ORGANIZATION", "NAME", "STATE", "SCOPES", "LAST USED"), rows)


# An id may begin with a hyphen.
@keys_group.command("revoke", context_settings={"ignore_unknown_options": True})
@click.argument("key_id", metavar="ID")
def revoke_key_command(key_id: str) -> None:
    """End a key for good, by its ID or by the key itself."""
    site = get_site()
    with site.database.write() as session:
        key = revoke_by_operator(session, key_id, now=site.read_clock())
        if key is None:
            raise click.ClickException("There is no such key: flask keys list shows all.")
        name = key.name
    click.echo(f"{name} is revoked.")
