"""`flask backup` and `flask restore`: the whole site in one file, without its secret."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from services.fault_points import fault_point
from services.restoring import Restored, make_safe
from storage import rehearsals
from storage.backups import Manifest, read_manifest, restore_backup, write_backup
from storage.dumps import BackupError
from storage.erasing import read_erased
from storage.secret_keys import FILE_NAME, forget_secret_key
from views.site import Site, get_site

from .groups import AppCommand, SiteCommand

_IF_LOST = "If it is lost for good, restore with --without-secret, then run flask accept-secret."
_PRECIOUS = ("event", "registration", "submission", "mail")


@click.command("backup", cls=SiteCommand)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_command(file: Path) -> None:
    """Write everything into FILE while the site runs; the secret is kept apart, by you."""
    manifest = take_backup(get_site(), file)
    click.echo(f"{file} holds {_count(manifest)}; the secret is not in it.")


@click.command("restore", cls=AppCommand)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Keep aside the database that is there.")
@click.option("--without-secret", is_flag=True, help="The secret of the backup is lost for good.")
@click.option("--rehearsal", is_flag=True, help="Make a copy to look at: nothing leaves it.")
def restore_command(file: Path, replace: bool, without_secret: bool, rehearsal: bool) -> None:
    """Put a backup back, into an empty database, while nothing of the site runs.

    No mail of before is sent by itself, and Zoom is asked before anybody is added.
    """
    if rehearsal and replace:
        raise click.ClickException(
            "A rehearsal replaces no site: name an empty database of its own, or empty it."
        )
    os.umask(0o077)
    site = get_site()
    now = site.read_clock()
    done: list[Restored] = []

    def change(session: Session) -> None:
        erased = read_erased(site.settings.instance)
        done.append(make_safe(session, erased=erased, now=now))
        rehearsals.end(session)
        if rehearsal:
            taken_at = datetime.fromisoformat(manifest.taken_at)
            rehearsals.begin(session, taken_at=taken_at, now=now)
        fault_point("mid_restore")

    if site.secret_is_new and not without_secret:
        _refuse_new_secret(site)
    try:
        manifest = read_manifest(file)
        if not without_secret:
            _check_secret(site, manifest)
        with _clearing_up_if_ended():
            restore_backup(
                site.database,
                file,
                keep_aside_as=f"before_{now:%Y%m%d_%H%M%S}" if replace else None,
                make_safe=change,
            )
    except BackupError as error:
        raise click.ClickException(f"Nothing was restored: {error}.") from error
    _report(manifest, done[-1])
    if rehearsal:
        click.echo("A rehearsal: nobody is mailed, and Zoom is not called, until flask go-live.")
    else:
        _say_what_is_next(done[-1])


def take_backup(site: Site, file: Path) -> Manifest:
    secrets, now = site.keys.list_fingerprints(), site.read_clock()
    try:
        with _clearing_up_if_ended():
            return write_backup(site.database, file, secrets=secrets, now=now)
    except BackupError as error:
        raise click.ClickException(f"No backup was made: {error}.") from error


@contextmanager
def _clearing_up_if_ended() -> Iterator[None]:
    """Have SIGTERM end this as an error does: it would leave a copy of the database behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _refuse_new_secret(site: Site) -> None:
    """End the command, and leave the place of the secret free for the one that belongs there."""
    folder = site.settings.instance
    forget_secret_key(folder)
    raise click.ClickException(
        f"There is no secret: put that of the backup into {folder / FILE_NAME}, or set"
        f" UKETSUKE_SECRET_KEY. {_IF_LOST}"
    )


def _check_secret(site: Site, manifest: Manifest) -> None:
    """End the command unless links of the backup's mails would work here."""
    if set(manifest.secrets) & set(site.keys.list_fingerprints()):
        return
    settings = site.settings
    where = "UKETSUKE_SECRET_KEY" if settings.secret_key else settings.instance / FILE_NAME
    raise click.ClickException(
        f"The backup was made with another secret than that in {where}: put its own there."
        f" {_IF_LOST}"
    )


def _report(manifest: Manifest, restored: Restored) -> None:
    click.echo(f"Restored as of {manifest.taken_at}: {_count(manifest)}.")
    click.echo(
        f"Held back: {restored.mails_held} mails that had not been sent by then, or perhaps."
    )
    click.echo(f"In doubt: {restored.doubts} people, of whom Zoom is asked before they are added.")
    if restored.erased:
        click.echo(f"Erased again: {restored.erased} people who had come back with the backup.")


def _say_what_is_next(restored: Restored) -> None:
    if restored.mails_held:
        click.echo(
            "Next: flask mails list shows them; flask mails send those that are to go after all,"
            " then flask mails drop --all."
        )
    click.echo("Next: flask event reconcile --all shows who is at Zoom and missing here.")


def _count(manifest: Manifest) -> str:
    return ", ".join(f"{manifest.counts.get(table, 0)} {table}s" for table in _PRECIOUS)
