"""`flask reseal`: what older secrets have sealed is sealed with the newest, so that they may go."""

from __future__ import annotations

import click

from views.site import get_site
from worker.sealing import reseal

from .groups import SiteCommand
from .secrets import describe_sealed


@click.command("reseal", cls=SiteCommand)
def reseal_command() -> None:
    """Seal anew what older secrets have sealed; afterwards they may be left out.

    The site may run meanwhile if all of its processes know the secret that stands in front here.
    It may be ended and begun again at any time. Workers do the same by themselves, an hour after
    they have met a new secret.
    """
    site = get_site()
    resealed = sum(batch.resealed for batch in reseal(site.database, site.keys))
    click.echo(f"{resealed} values are sealed anew with the newest secret.")
    if problem := describe_sealed(site):
        raise click.ClickException(problem)
