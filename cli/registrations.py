"""`flask registrations`: who is registered, and what an organizer decides about them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click
from sqlalchemy.orm import Session

from services.addresses import email_key
from services.audit import COMMAND, Action, record_as
from services.codes import read_receipt_number
from services.dates import format_moment
from services.erasing import erase
from services.events import read_link_policy
from services.receipts import get_live_submission
from services.registration_changes import approve, cancel, deny
from services.registration_exports import Export, list_export_rows
from services.registrations import ORGANIZER, Outcome, Status, drop, release
from services.reinstating import reinstate
from services.spreadsheets import FileFormat, write_cp932, write_csv, write_xlsx
from services.submissions import Doubt
from services.texts import LOCALES, write_full_name
from storage import events, registration_index, registrations, submissions
from storage.erasing import note_erased
from storage.models import Event, Registration, SubmissionRow
from storage.registration_lists import list_rows
from views.places import name_place
from views.site import get_site
from worker.indexing import index_anew

from .groups import SiteGroup, echo_table, need_event

_WRITERS: dict[FileFormat, Callable[[Iterable[list[str]]], Iterator[bytes]]] = {
    FileFormat.CSV: write_csv,
    FileFormat.XLSX: write_xlsx,
    FileFormat.CP932: partial(write_cp932, headings=("Receipt number", "Column", "Character")),
}

_event_option = click.option("--event", "slug", help="Only at this event.")


@click.group("registrations", cls=SiteGroup)
def registrations_group() -> None:
    """List, export and decide registrations; WHO is a receipt number or an email address."""


@registrations_group.command("list")
@click.argument("slug")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--held", is_flag=True, help="What was kept aside as suspicious.")
def list_registrations(slug: str, status: str | None, held: bool) -> None:
    """Show who is registered, in the order in which they came."""
    with get_site().database.read() as session:
        event = need_event(session, slug)
        if held:
            rows = [
                _write_row(event, row.number, row, f"held: {row.held_for or Doubt.TRAP}", "")
                for row in submissions.list_held(session, event.id)
            ]
        else:
            rows = [
                _write_row(event, row.number, person, person.status, row.delivery)
                for row in list_rows(session, event.id, status=status)
                if (person := row.registration)
            ]
    echo_table(("NUMBER", "NAME", "EMAIL", "STATUS", "AT ZOOM", "RECEIVED"), rows)


@registrations_group.command("export")
@click.argument("slug")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--lang", type=click.Choice(LOCALES), help="By default the event's own.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file.")
@click.option(
    "--format", "kind", type=click.Choice([kind.value for kind in FileFormat]), default="csv"
)
def export(slug: str, status: str | None, lang: str | None, output: Path | None, kind: str) -> None:
    """Write registrations with answers and consents for a spreadsheet.

    A cell that a spreadsheet would run as a formula begins with an apostrophe. cp932 makes a ZIP
    with a list of the characters that do not fit.
    """
    with get_site().database.read() as session:
        event = need_event(session, slug)
        now = get_site().read_clock()
        wanted = Export(event, lang or event.default_locale, name_place, status, now)
        rows = list_export_rows(session, wanted)
        with output.open("wb") if output else nullcontext(sys.stdout.buffer) as stream:
            for part in _WRITERS[FileFormat(kind)](rows):
                stream.write(part)
            stream.flush()


@registrations_group.command("release")
@click.argument("number")
def release_held(number: str) -> None:
    """Register somebody whose submission was kept aside."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        held = _need_held(session, number)
        event = events.need_event(session, held.event_id)
        release(session, event, held, policy=read_link_policy(session, event), now=now)
        outcome = held.outcome
    known = " The address was registered already." if outcome == Outcome.REPEAT else ""
    click.echo(f"{held.number} is released.{known}")


@registrations_group.command("drop")
@click.argument("number")
def drop_held(number: str) -> None:
    """Decide that a submission that was kept aside is none; it stays stored."""
    with get_site().database.write() as session:
        held = _need_held(session, number)
        drop(session, held)
    click.echo(f"{held.number} is dropped.")


@registrations_group.command("approve")
@click.argument("who")
@_event_option
def approve_person(who: str, slug: str | None) -> None:
    """Give a place to somebody who waits or was denied, and tell them."""
    _decide(approve, who, slug)


@registrations_group.command("deny")
@click.argument("who")
@_event_option
def deny_person(who: str, slug: str | None) -> None:
    """Refuse somebody, take back what they had at Zoom, and tell them."""
    _decide(deny, who, slug)


@registrations_group.command("cancel")
@click.argument("who")
@_event_option
def cancel_person(who: str, slug: str | None) -> None:
    """Cancel a registration for somebody, and tell them."""
    _decide(cancel, who, slug)


@registrations_group.command("reinstate")
@click.argument("who")
@_event_option
def reinstate_person(who: str, slug: str | None) -> None:
    """Undo a cancellation: give a place, or one on the waiting list, and tell them."""
    _decide(reinstate, who, slug)


@registrations_group.command("erase")
@click.argument("who")
@_event_option
@click.confirmation_option(prompt="This cannot be undone. Erase the person?")
def erase_person(who: str, slug: str | None) -> None:
    """Forget who somebody was, and have Zoom let them go; nobody is told."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        registration = _need_registration(session, who, slug)
        event = events.need_event(session, registration.event_id)
        note = partial(note_erased, site.settings.instance)
        is_done = erase(session, event, registration, actor=ORGANIZER, note=note, now=now)
        record_as(
            session,
            COMMAND,
            Action.PERSON_CHANGED,
            f"registration:{registration.public_id}",
            chain=event.organization_id,
            facts={"act": "erase", "result": "done" if is_done else "under_way"},
            now=now,
        )
        name = event.slug
    later = "" if is_done else " A worker goes on as soon as Zoom has let the person go."
    click.echo(f"{who} is erased at {name}.{later}")


@registrations_group.command("reindex")
@click.option("--event", "slug", help="Of this event alone; else of all.")
@click.option("--from-nothing", is_flag=True, help="Drop the index first: it is damaged.")
def reindex(slug: str | None, from_nothing: bool) -> None:
    """Bring what people are found and counted by up to what is stored.

    Needed after a rolling upgrade from a version without a dashboard, and harmless at any time:
    the site goes on meanwhile.
    """
    database = get_site().database
    with database.read() as session:
        found = events.list_events(session) if slug is None else [need_event(session, slug)]
        chosen = [(event.id, event.slug) for event in found]
    for event_id, name in chosen:
        index_anew(database, event_id, from_nothing=from_nothing)
        with database.read() as session:
            count = registration_index.count_places(session, event_id)
        click.echo(f"{name}: {count} registrations are indexed.")


def _decide(change: Callable[..., None], who: str, slug: str | None) -> None:
    site = get_site()
    with site.database.write() as session:
        registration = _need_registration(session, who, slug)
        event = events.need_event(session, registration.event_id)
        change(session, event, registration, actor=ORGANIZER, now=site.read_clock())
        session.flush()
        status = registration.status
    click.echo(f"{registration.email} at {event.slug} is {status}.")


def _need_registration(session: Session, who: str, slug: str | None) -> Registration:
    found = _find_registrations(session, who)
    if slug is not None:
        event = need_event(session, slug)
        found = [person for person in found if person.event_id == event.id]
    if not found:
        raise click.ClickException(f"Nobody is registered as {who}.")
    if len(found) > 1:
        slugs = ", ".join(events.need_event(session, person.event_id).slug for person in found)
        raise click.ClickException(f"{who} is registered at {slugs}: say which with --event.")
    return found[0]


def _find_registrations(session: Session, who: str) -> list[Registration]:
    if "@" in who:
        return registrations.list_registrations_by_email_key(session, email_key(who))
    rows = (get_live_submission(session, row) for row in _find_submissions(session, who))
    ids = sorted({row.registration_id for row in rows if row.registration_id is not None})
    found = (registrations.get_registration(session, key) for key in ids)
    return [person for person in found if person is not None]


def _find_submissions(session: Session, text: str) -> list[SubmissionRow]:
    number = read_receipt_number(text)
    return submissions.list_submissions_by_number(session, number) if number else []


def _need_held(session: Session, text: str) -> SubmissionRow:
    rows = _find_submissions(session, text)
    held = [row for row in rows if row.outcome == Outcome.HELD]
    if not held:
        raise click.ClickException(f"Nothing is kept aside under {text}.")
    return held[0]


def _write_row(
    event: Event, number: str, person: Registration | SubmissionRow, status: str, delivery: str
) -> tuple[str, ...]:
    name = write_full_name(person.family_name, person.given_name, person.locale)
    received = format_moment(person.created_at, event.timezone, "en")
    return (number, name, person.email, status, delivery, received)
