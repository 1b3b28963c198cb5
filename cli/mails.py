"""`flask mails`: mails that were held back by a restore."""

from __future__ import annotations

import click

from services.dates import format_moment
from services.mails import send_held
from storage import events, mails, registrations
from views.site import get_site

from .groups import SiteGroup, echo_table

_AT_ONCE = 100


@click.group("mails", cls=SiteGroup)
def mails_group() -> None:
    """See and send mails that were held back."""


@mails_group.command("list")
def list_held() -> None:
    """Show the mails that a restore held back: perhaps they were sent before it."""
    with get_site().database.read() as session:
        rows = []
        for mail in mails.list_held(session):
            event = events.need_event(session, mail.event_id)
            person = registrations.get_registration(session, mail.registration_id)
            address = person.email if person else ""
            asked = format_moment(mail.created_at, event.timezone, "en")
            rows.append((mail.id, event.slug, mail.name, address, asked))
    echo_table(("ID", "EVENT", "MAIL", "TO", "ASKED FOR"), rows)


@mails_group.command("send")
@click.argument("mail_ids", type=int, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All that were held back.")
def send(mail_ids: tuple[int, ...], is_all: bool) -> None:
    """Send mails that were held back; who had one already gets it a second time."""
    if bool(mail_ids) == is_all:
        raise click.ClickException("Name mails by their ID, or say --all.")
    site = get_site()
    with site.database.read() as session:
        held = [mail.id for mail in mails.list_held(session)]
    unknown = set(mail_ids) - set(held)
    if unknown:
        raise click.ClickException(f"Not held back: {', '.join(map(str, sorted(unknown)))}.")
    wanted = list(mail_ids) or held
    for start in range(0, len(wanted), _AT_ONCE):
        with site.database.write() as session:
            for mail_id in wanted[start : start + _AT_ONCE]:
                send_held(session, mail_id, now=site.read_clock())
    click.echo(f"{len(wanted)} mails are on their way.")
