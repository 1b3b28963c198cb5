"""`flask check` and `flask migrate`: is everything there, and is the database of this version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
from sqlalchemy.exc import SQLAlchemyError

from services.known_secrets import (
    SecretBehind,
    SecretUnknown,
    check_newest_secret,
    list_new_secrets,
)
from services.organizations import ensure_organization
from services.overview import WORKER_SILENT_AFTER
from storage import events, heartbeats, migrate
from views.site import Site, get_site
from zoom_client import Kind, ZoomError, find_missing_scopes

from .groups import AppCommand, describe
from .secrets import explain
from .serve import init_option, prepare_database

CALLS = (
    *("get_meeting", "update_meeting", "get_questions", "update_questions"),
    *("list_registrants", "add_registrant", "get_registrant", "set_registrant_status"),
)
"""What the site asks of an account at Zoom, by the names of the client's methods."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at; without `problem` it is well."""

    subject: str
    problem: str = ""


@click.command("check", cls=AppCommand)
def check_command() -> None:
    """Look at settings, database, worker and Zoom account; exit with 1 if something is wrong."""
    findings = list(look(get_site()))
    for finding in findings:
        click.echo(f"{'no' if finding.problem else 'ok':4}{finding.subject}")
        if finding.problem:
            click.echo(f"    {finding.problem}")
    if any(finding.problem for finding in findings):
        raise SystemExit(1)


@click.command("migrate", cls=AppCommand)
@init_option
def migrate_command(is_new: bool) -> None:
    """Bring the database to this version."""
    prepare_database(get_site(), is_new=is_new)
    click.echo("The database is of this version.")


def look(site: Site) -> Iterator[Finding]:
    """Yield what was looked at; after a broken database nothing more can be."""
    yield from _look_at_settings(site)
    database = _look_at_database(site)
    yield database
    if database.problem:
        return
    yield _look_at_secret(site)
    yield _look_at_worker(site)
    if site.settings.has_zoom_account:
        yield from _look_at_zoom(site)


def _look_at_settings(site: Site) -> Iterator[Finding]:
    settings = site.settings
    account = (settings.zoom_account_id, settings.zoom_client_id, settings.zoom_client_secret)
    has_part = any(account) and not settings.has_zoom_account
    yield Finding(
        "Zoom account in the settings",
        "UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and _CLIENT_SECRET belong together"
        if has_part
        else ""
        if any(account)
        else "none: set UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and _CLIENT_SECRET",
    )
    if settings.is_demo:
        return
    yield Finding(
        "public address",
        "" if settings.base_url else "UKETSUKE_BASE_URL is not set: links would lead nowhere",
    )
    yield Finding(
        "mail server",
        "" if settings.mail_url else "UKETSUKE_MAIL_URL is not set: mails are written to files",
    )


def _look_at_database(site: Site) -> Finding:
    try:
        return Finding("database", migrate.describe_misfit(site.database))
    except SQLAlchemyError as error:
        return Finding("database", f"does not answer: {describe(error)}")


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


def _look_at_worker(site: Site) -> Finding:
    with site.database.read() as session:
        lives = heartbeats.has_lived_since(session, site.read_clock() - WORKER_SILENT_AFTER)
    return Finding("worker", "" if lives else "none was seen in the last minute: run flask serve")


def _look_at_zoom(site: Site) -> Iterator[Finding]:
    with site.database.write() as session:
        account_id = site.settings.zoom_account_id
        connection = ensure_organization(session, account_id=account_id, now=site.read_clock())
        kinds = sorted({event.kind for event in events.list_events(session)}) or list(Kind)
    try:
        granted = site.make_zoom_client(connection).scopes()
    except ZoomError as error:
        yield Finding("Zoom", str(error))
        return
    for kind in kinds:
        missing = find_missing_scopes(granted, Kind(kind), CALLS)
        problem = f"the app lacks the scopes {', '.join(missing)}" if missing else ""
        yield Finding(f"Zoom's permissions for {kind}s", problem)
