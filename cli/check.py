"""`flask check` and `flask migrate`: is everything there, and is the database of this version."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from urllib.parse import urlsplit

import click
from sqlalchemy.exc import SQLAlchemyError

from config import list_unknown
from services.known_secrets import (
    SecretBehind,
    SecretUnknown,
    check_newest_secret,
    has_several,
    list_new_secrets,
)
from services.messages import MailContent, MessageRefused, compose_message
from services.organizations import ensure_organization
from services.overview import WORKER_SILENT_AFTER
from services.zoom_preflight import NEEDED_CALLS
from storage import events, heartbeats, migrate, organizations
from storage.disks import FILLING_PERCENT, measure_fullest
from storage.models import ZoomConnection
from storage.readiness import (
    is_disk_full,
    is_writable,
    measure_clock_difference,
    write_something,
)
from views.site import Site, get_site
from worker.smtp import MailError, make_transport
from zoom_client import Kind, ZoomError, find_missing_scopes

from .groups import AppCommand, describe
from .rehearsals import describe_rehearsal
from .secrets import describe_sealed, explain
from .serve import init_option, prepare_database

CLOCK_SECONDS = 5
START_WORKER = "flask serve, or flask worker"
DELETE = "delete old backups and logs"
MAKE_ROOM = f"once it is full nobody can register; {DELETE}"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; without `problem` it is well."""

    subject: str
    problem: str = ""


@click.command("check", cls=AppCommand)
@click.option("--send-test", metavar="ADDRESS", help="Send a mail there, too.")
def check_command(send_test: str | None) -> None:
    """Look at settings, database, mail server, worker, Zoom; exit with 1 if something is wrong."""
    site = get_site()
    problems = 0
    # Each is told at once: what comes next may end the command.
    for finding in _look_and_send(site, send_test):
        click.echo(f"{'no' if finding.problem else 'ok':4}{finding.subject}")
        if finding.problem:
            click.echo(f"    {finding.problem}")
            problems += 1
    if problems:
        raise SystemExit(1)


@click.command("migrate", cls=AppCommand)
@init_option
def migrate_command(is_new: bool) -> None:
    """Bring the database to this version."""
    prepare_database(get_site(), is_new=is_new)
    click.echo("The database is of this version.")


def _look_and_send(site: Site, send_test: str | None) -> Iterator[Finding]:
    yield from look(site)
    if send_test:
        yield _send_test(site, send_test)


def look(site: Site) -> Iterator[Finding]:
    """Yield what was looked at; after a broken database nothing more can be."""
    yield from _look_at_settings(site)
    if site.settings.mail_url:
        yield _look_at_mail_server(site)
    yield _look_at_disk(site)
    database = _look_at_database(site)
    yield database
    if database.problem:
        return
    if rehearsal := describe_rehearsal(site):
        yield Finding("a site of its own", rehearsal)
    yield _look_at_clock(site)
    yield _look_at_secret(site)
    yield from _look_at_sealed(site)
    yield _look_at_worker(site)
    for connection in _list_connections(site):
        yield from _look_at_zoom(site, connection)


def _look_at_settings(site: Site) -> Iterator[Finding]:
    settings = site.settings
    account = (settings.zoom_account_id, settings.zoom_client_id, settings.zoom_client_secret)
    has_part = any(account) and not settings.has_zoom_account
    yield Finding(
        "Zoom account in the settings",
        "UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and _CLIENT_SECRET belong together"
        if has_part
        else ""
        if any(account) or _has_stored_account(site)
        else "none: connect Zoom in the dashboard, or set UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID "
        "and _CLIENT_SECRET",
    )
    if unknown := list_unknown(os.environ):
        yield Finding("names of settings", f"{', '.join(unknown)}: no such setting")
    if settings.is_demo:
        return
    yield Finding(
        "public address",
        "" if settings.base_url else "UKETSUKE_BASE_URL is not set: links would lead nowhere",
    )
    yield Finding(
        "mail server",
        ""
        if settings.mail_url
        else "UKETSUKE_MAIL_URL is not set: mails are written to files, and wait for a worker that "
        "has it once an event was published",
    )

    yield Finding(
        "operator's address",
        ""
        if settings.operator_email
        else "UKETSUKE_OPERATOR_EMAIL is not set: what stands still is told in the log alone",
    )


def _look_at_mail_server(site: Site) -> Finding:
    """Sign in as sending does, and leave again."""
    settings = site.settings
    try:
        make_transport(settings.mail_url, settings.mailbox).check(settings.sender)
    except MailError as error:
        host = urlsplit(settings.mail_url).hostname
        problem = (
            f"{host}: {error}: see that it runs and takes what UKETSUKE_MAIL_URL says; mails wait "
            "for a day, and go by themselves once it does"
        )
        return Finding("mail server's answer", problem)
    return Finding("mail server's answer")


def _send_test(site: Site, address: str) -> Finding:
    settings = site.settings
    words = "This is a test of the mail server's settings. Nothing has to be done."
    try:
        message = compose_message(
            MailContent("Uketsuke: test", f"{words}\n", f"<!doctype html><p>{words}</p>"),
            sender=Address(addr_spec=settings.sender),
            sender_name="Uketsuke",
            recipient=address,
            message_id=secrets.token_hex(16),
            locale="en",
            reply_to=None,
            date=site.read_clock(),
        )
        make_transport(settings.mail_url, settings.mailbox).send(message, address)
    except (MailError, MessageRefused) as error:
        return Finding("test mail", f"{type(error).__name__}: {error}")
    return Finding("test mail")


def _look_at_disk(site: Site) -> Finding:
    fill = measure_fullest(site.database, site.settings.instance)
    problem = f"that of {fill.folder} is {fill.percent} % full: {MAKE_ROOM}"
    return Finding("disk", problem if fill.percent >= FILLING_PERCENT else "")


def _look_at_clock(site: Site) -> Finding:
    """Compare clocks: leases and tries are counted by that of each machine."""
    ahead = measure_clock_difference(site.database, now=site.read_clock()).total_seconds()
    problem = f"{ahead:+.0f} seconds between here and the database server"
    return Finding("clock", problem if abs(ahead) > CLOCK_SECONDS else "")


def _look_at_database(site: Site) -> Finding:
    try:
        misfit = migrate.describe_misfit(site.database)
        return Finding("database", misfit or describe_refusal(site))
    except SQLAlchemyError as error:
        return Finding("database", f"does not answer: {explain_silence(site, error)}")


def describe_refusal(site: Site) -> str:
    """Say why the database that answers would keep no registration, and what to do; or nothing."""
    try:
        if not is_writable(site.database):
            return (
                "may only be read: name the server that takes writes in UKETSUKE_DATABASE_URL, if "
                "this one only follows it; else see to its default_transaction_read_only"
            )
        write_something(site.database, now=site.read_clock())
    except SQLAlchemyError as error:
        if is_disk_full(site.database, error):
            return f"has no room on its disk, so nobody can register: {DELETE}"
        return f"keeps nothing: {describe(error)}"
    return ""


def explain_silence(site: Site, error: SQLAlchemyError) -> str:
    """Say what the driver said, and what to do about a server that is not there."""
    if site.database.is_sqlite:
        return describe(error)
    return (
        f"{describe(error)}: see that it runs and takes connections, or correct "
        "UKETSUKE_DATABASE_URL; once it answers, everything goes on by itself"
    )


def _look_at_secret(site: Site) -> Finding:
    try:
        with site.database.read() as session:
            list_new_secrets(session, site.keys)
            check_newest_secret(session, site.keys)
    except SecretUnknown as error:
        return Finding("secret", explain(site.settings, error))
    except SecretBehind:
        return Finding("secret", "others use a newer one: put it before this one, with a comma")
    return Finding("secret")


def _look_at_sealed(site: Site) -> Iterator[Finding]:
    """Count what is sealed by which secret, where there were several."""
    with site.database.read() as session:
        if not has_several(session):
            return
    yield Finding("what is sealed", describe_sealed(site))


def _look_at_worker(site: Site) -> Finding:
    now = site.read_clock()
    with site.database.read() as session:
        lives = heartbeats.has_lived_since(session, now - WORKER_SILENT_AFTER, now=now)
    return Finding(
        "worker", "" if lives else f"none was seen in the last minute: run {START_WORKER}"
    )


def _has_stored_account(site: Site) -> bool:
    try:
        with site.database.read() as session:
            return organizations.has_stored_secret(session)
    except SQLAlchemyError:
        return False


def _list_connections(site: Site) -> list[ZoomConnection]:
    """List whatever there are credentials for, those of the settings first."""
    found = []
    if site.settings.has_zoom_account:
        with site.database.write() as session:
            account_id = site.settings.zoom_account_id
            found = [ensure_organization(session, account_id=account_id, now=site.read_clock())]
    with site.database.read() as session:
        stored = organizations.list_connections(session)
    known = {connection.id for connection in found}
    return found + [row for row in stored if row.client_secret and row.id not in known]


def _look_at_zoom(site: Site, connection: ZoomConnection) -> Iterator[Finding]:
    with site.database.read() as session:
        used = {event.kind for event in events.list_events_of_connection(session, connection.id)}
    try:
        granted = site.make_zoom_client(connection).scopes()
    except ZoomError as error:
        yield Finding("Zoom", str(error))
        return
    for kind in sorted(used) or list(Kind):
        missing = find_missing_scopes(granted, Kind(kind), NEEDED_CALLS)
        problem = f"the app lacks the scopes {', '.join(missing)}" if missing else ""
        yield Finding(f"Zoom's permissions for {kind}s", problem)
