"""`flask accept-secret`: the way on when the old secret is lost for good."""

from __future__ import annotations

import click

from services.known_secrets import SecretUnknown, accept_secrets, list_new_secrets
from views.site import get_site

from .groups import AppCommand, need_schema


@click.command("accept-secret", cls=AppCommand)
@click.confirmation_option(
    prompt="Links in mails sent before will never work again. Is the old secret lost for good?"
)
def accept_secret_command() -> None:
    """Go on with a new secret after the old one is lost: links already sent stay dead."""
    site = get_site()
    need_schema(site)
    with site.database.write() as session:
        try:
            list_new_secrets(session, site.keys)
        except SecretUnknown:
            count = accept_secrets(session, site.keys, now=site.read_clock())
        else:
            raise click.ClickException("The secret is one of this database already.")
    click.echo(f"The new secret is in use; {count} join links are asked of Zoom again.")
