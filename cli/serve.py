"""`flask serve`, `web`, `worker` and `demo`: the processes of a site."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import click
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from config import LOOPBACK, PREFIX, ROOT, Settings
from services.fault_points import fault_point
from storage import database_files, migrate
from storage.backups import drop_repeated
from views.compiled_templates import compile_templates
from views.overload import is_urgent
from views.people_rows import make_row_reader
from views.site import Site, get_site
from worker.alarms import AlarmWatch
from worker.assembly import WorkerParts, build_worker
from worker.smtp import make_transport
from worker.storage_watch import StorageWatch

from .backups import take_backup
from .groups import AppCommand, SiteCommand, describe
from .logs import configure_logging
from .organizers import has_owner, make_demo_entrance, make_owner_link
from .secrets import keep_secrets
from .sockets import inherit_listener
from .stand_in import stand_in_after_fork
from .supervisor import Child, supervise
from .web_server import serve

START_SECONDS = 60.0

SANDBOX_ACCOUNT = {
    f"{PREFIX}ZOOM_ACCOUNT_ID": "sandbox-account",
    f"{PREFIX}ZOOM_CLIENT_ID": "sandbox-client",
    f"{PREFIX}ZOOM_CLIENT_SECRET": "sandbox-secret",
}


init_option = click.option(
    "--init", "is_new", is_flag=True, help="Begin with an empty database where one is missing."
)


@click.command("web", cls=SiteCommand)
def web_command() -> None:
    """Serve pages: several processes, one for each core."""
    site = get_site()
    settings = site.settings
    listener = inherit_listener()
    if listener is None:
        check_port(settings.host, settings.port, "UKETSUKE_PORT")
    configure_logging(settings.log_level)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    ways: dict[str, Any] = {
        "transport": make_transport(settings.mail_url, settings.mailbox),
        "app_context": app.app_context,
        "read_clock": site.read_clock,
    }
    stand_in_after_fork(
        AlarmWatch(settings, site.database, **ways), StorageWatch(settings, site.database, **ways)
    )
    compile_templates(app)
    site.database.dispose()  # forks must not share a connection
    serve(
        app,
        host=settings.host,
        port=settings.port,
        listener=listener,
        processes=settings.web_processes or min(os.cpu_count() or 1, 4),
        threads=settings.web_threads,
        memory_mb=settings.web_memory_mb,
        is_urgent=is_urgent,
        at_end=site.visits.store,
    )


@click.command("worker", cls=SiteCommand)
def worker_command() -> None:
    """Talk to Zoom and to the mail server; any number of workers may run."""
    site = get_site()
    configure_logging(site.settings.log_level)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    worker = build_worker(
        WorkerParts(
            site.settings,
            site.database,
            keys=site.keys,
            links=site.links,
            make_client=site.make_zoom_client,
            webhook_pool=site.webhooks.pool,
            transport=make_transport(site.settings.mail_url, site.settings.mailbox),
            app_context=app.app_context,
            read_row=make_row_reader(app.app_context),
            read_clock=site.read_clock,
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()


@click.command("serve", cls=AppCommand)
@init_option
def serve_command(is_new: bool) -> None:
    """Serve everything on one machine: pages and one worker."""
    _serve(get_site(), is_new)


@click.command("demo", cls=AppCommand)
@init_option
def demo_command(is_new: bool) -> None:
    """Show everything with a Zoom sandbox and example events; needs no account.

    With a real Zoom account in the settings this is `flask serve`.
    """
    site = get_site()
    settings = site.settings
    if settings.has_zoom_account:
        _serve(site, is_new)
        return
    if settings.host not in LOOPBACK:
        raise click.ClickException("The demo answers on this machine alone: unset UKETSUKE_HOST.")
    if urlsplit(settings.site_url).hostname not in LOOPBACK:
        raise click.ClickException(
            "The demo shows every mail, so it runs on this machine alone: unset UKETSUKE_BASE_URL, "
            "or set the Zoom account of the site."
        )
    if settings.port == settings.sandbox_port:
        raise click.ClickException("UKETSUKE_PORT and UKETSUKE_SANDBOX_PORT must differ.")
    check_port(settings.host, settings.port, "UKETSUKE_PORT")
    check_port("127.0.0.1", settings.sandbox_port, "UKETSUKE_SANDBOX_PORT")
    configure_logging(settings.log_level)
    prepare_database(site, is_new=is_new)
    environ = make_demo_environ(os.environ, settings)
    threading.Thread(target=_announce_demo, args=(site,), daemon=True).start()
    examples = _make_child("demo-events", environ, "--people")
    supervise([make_sandbox(settings), *_make_site(environ), examples])


def make_demo_environ(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the environment in which the demo's processes find the sandbox as their Zoom."""
    sandbox = f"http://127.0.0.1:{settings.sandbox_port}"
    return {
        **environ,
        **SANDBOX_ACCOUNT,
        f"{PREFIX}ZOOM_API_URL": f"{sandbox}/v2",
        f"{PREFIX}ZOOM_OAUTH_URL": sandbox,
        f"{PREFIX}DEMO": "on",
    }


def make_sandbox(settings: Settings) -> Child:
    state = settings.instance / "zoom-sandbox.sqlite3"
    command = ["-m", "zoom_sandbox", "--port", str(settings.sandbox_port), "--state", str(state)]
    return Child("sandbox", [sys.executable, *command], os.environ)


def prepare_database(site: Site, *, is_new: bool) -> None:
    """Bring the database to this version, or say in one line why not.

    One that was there and is missing is made anew only where that is wanted: `is_new`.

    Side effects: what this process and its children write is for their own user alone.
    """
    os.umask(0o077)
    site.settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        if is_new:
            database_files.forget_file(site.database)
        database_files.check_file(site.database)
        _keep_copy(site)
        migrate.upgrade(site.database, on_step=lambda: fault_point("mid_migration"))
        database_files.note_file(site.database)
    except database_files.DatabaseLost as error:
        raise click.ClickException(
            f"The database {error} is missing, and it was there: put it back, restore a backup, or "
            "begin with an empty one by --init."
        ) from error
    except database_files.DatabaseDamaged as error:
        raise click.ClickException(
            f"The database is damaged: {error}. Restore a backup with flask restore."
        ) from error
    except migrate.DatabaseTooNew as error:
        raise click.ClickException(migrate.describe_misfit(site.database)) from error
    except migrate.DatabaseBusy as error:
        raise click.ClickException(
            "Others hold tables of the database all the time, so it was not upgraded, and nothing "
            "was changed: stop what runs long on it (pg_stat_activity shows it), or the site's "
            "processes, and try again."
        ) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"The database cannot be used: {describe(error)}") from error
    keep_secrets(site)


def _keep_copy(site: Site) -> None:
    """Back up a SQLite database before it is upgraded; for PostgreSQL that is the operator's."""
    if not site.database.is_sqlite or not migrate.needs_upgrade(site.database):
        return
    folder = site.settings.instance / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"before-upgrade-{site.read_clock():%Y%m%d-%H%M%S}.zip"
    take_backup(site, file)
    # An upgrade that fails is tried again by each start: its copies would fill the disk.
    file = drop_repeated(folder.glob("before-upgrade-*.zip"), of=file)
    click.echo(f"The database as it was before this upgrade: {file}")


def check_port(host: str, port: int, setting: str) -> None:
    """Say in one line that a port is taken, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"Port {port} is taken: choose another one with {setting}."
            raise click.ClickException(message) from error


def _serve(site: Site, is_new: bool) -> None:
    settings = site.settings
    check_port(settings.host, settings.port, "UKETSUKE_PORT")
    configure_logging(settings.log_level)
    prepare_database(site, is_new=is_new)
    click.echo(f"Uketsuke on {settings.site_url}")
    if not has_owner(site):
        # Nobody becomes the owner by being the first to come.
        click.echo(f"Become its owner, once and within a day: {make_owner_link(site)}")
    supervise(_make_site(os.environ))


def _make_site(environ: Mapping[str, str]) -> list[Child]:
    return [_make_child("web", environ), _make_child("worker", environ)]


def _make_child(name: str, environ: Mapping[str, str], *options: str) -> Child:
    command = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), name, *options]
    return Child(name, command, environ, is_restarted=name != "demo-events")


def _announce_demo(site: Site) -> None:
    """Print where to look as soon as everything is there."""
    settings = site.settings
    # The second of them: it is made last.
    ready = f"http://127.0.0.1:{settings.port}/e/demo-en"
    for _ in range(int(START_SECONDS * 10)):
        try:
            with urlopen(ready, timeout=5):
                break
        except OSError:
            time.sleep(0.1)
    else:
        click.echo("The demo did not start within a minute: see the messages above.", err=True)
        return
    address, sandbox = settings.site_url, f"http://127.0.0.1:{settings.sandbox_port}"
    click.echo(
        f"""
  Uketsuke is ready. Ctrl-C ends it.

  Webinar, Japanese   {address}/e/demo
  Meeting, English    {address}/e/demo-en
  Dashboard           {make_demo_entrance(site)}
                      (this link signs you in, once; the next start prints another)
  Mails that it sent  {address}/mailbox
  What "Zoom" knows   {sandbox}/
"""
    )
