"""`flask mails`: mails that were held back by a restore."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click
from sqlalchemy.orm import Session

from services.audit import COMMAND, Action, record_as
from services.dates import format_moment
from services.mails import drop_held, send_held
from storage import events, mails, registrations
from storage.models import Mail
from views.site import Site, get_site

from .groups import SiteGroup, echo_table

_AT_ONCE = 100


@click.group("mails", cls=SiteGroup)
def mails_group() -> None:
    """See, send and drop mails that were held back."""


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
    site = get_site()
    wanted = _choose(site, mail_ids, is_all)
    for start in range(0, len(wanted), _AT_ONCE):
        with site.database.write() as session:
            for mail in wanted[start : start + _AT_ONCE]:
                send_held(session, mail.id, now=site.read_clock())
    click.echo(f"{len(wanted)} mails are on their way.")


@mails_group.command("drop")
@click.argument("mail_ids", type=int, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All that were held back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(mail_ids: tuple[int, ...], is_all: bool, yes: bool) -> None:
    """Never send mails that were held back; who had not got one is told nothing by it.

    Each person's page in the dashboard says so, and sends a mail anew.
    """
    site = get_site()
    wanted = _choose(site, mail_ids, is_all)
    names = Counter(mail.name for mail in wanted)
    kinds = ", ".join(f"{count} {name}" for name, count in names.most_common())
    if wanted and not yes:
        question = f"Never send {len(wanted)} mails ({kinds})? Who had not got one is not told"
        click.confirm(question, abort=True)
    dropped = 0
    for start in range(0, len(wanted), _AT_ONCE):
        with site.database.write() as session:
            dropped += _drop(session, site, wanted[start : start + _AT_ONCE])
    click.echo(f"{dropped} mails are dropped.")
    with site.database.read() as session:
        left = {mail.id for mail in wanted} & {mail.id for mail in mails.list_held(session)}
    if left:
        raise click.ClickException(f"{len(left)} are with a worker just now: run this again.")


def _drop(session: Session, site: Site, some: Sequence[Mail]) -> int:
    """Drop some of the mails, and say so in the log of each event's organization."""
    now = site.read_clock()
    dropped = Counter(mail.event_id for mail in some if drop_held(session, mail.id))
    for event_id, count in dropped.items():
        event = events.need_event(session, event_id)
        record_as(
            session,
            COMMAND,
            Action.PEOPLE_CHANGED,
            f"event:{event.public_id}",
            chain=event.organization_id,
            facts={"act": "drop_mails", "count": count},
            now=now,
        )
    return dropped.total()


def _choose(site: Site, mail_ids: Sequence[int], is_all: bool) -> list[Mail]:
    """Return the mails that are meant, detached, if they are held back."""
    if bool(mail_ids) == is_all:
        raise click.ClickException("Name mails by their ID, or say --all.")
    with site.database.read() as session:
        held = {mail.id: mail for mail in mails.list_held(session)}
    unknown = set(mail_ids) - set(held)
    if unknown:
        raise click.ClickException(f"Not held back: {', '.join(map(str, sorted(unknown)))}.")
    return [held[mail_id] for mail_id in dict.fromkeys(mail_ids or held)]
