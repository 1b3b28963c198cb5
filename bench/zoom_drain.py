"""How fast a crowd that waits for Zoom gets its links, and whether a limit of Zoom's is broken.

Run `python -m bench.zoom_drain --people 10000 --database postgresql`. People are put into the
database as their posts would; then a worker starts, beside a sandbox that answers as slowly as Zoom
and refuses what is too much for the plan.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from app import create_app
from cli.serve import SANDBOX_ACCOUNT
from config import Settings
from services.events import LinkPolicy
from services.registrations import register
from storage import migrate
from storage.models import Event, ZoomRegistrant
from storage.session import Database
from tests import factories
from tests.fixtures.postgresql import Cluster
from zoom_sandbox.control import SandboxControl

from .processes import Process, find_free_port

LATENCY_SECONDS = 0.2
LONGEST_SECONDS = 900.0
AT_ONCE = 200


@dataclass(frozen=True)
class Drained:
    """What it took: calls by Zoom's label, and how many of them Zoom refused for a limit."""

    seconds: float
    first_link_seconds: float
    calls: dict[str, int]
    refused: int


def drain(
    people: int,
    folder: Path,
    *,
    address: str = "",
    latency_seconds: float = LATENCY_SECONDS,
    workers: int = 1,
) -> Drained:
    """Let a crowd wait at one event and measure until all have their links.

    Args:
        address: a PostgreSQL database, or empty for a SQLite file in the folder.
    """
    port = find_free_port()
    sandbox = f"http://127.0.0.1:{port}"
    environ = {
        **SANDBOX_ACCOUNT,
        "UKETSUKE_INSTANCE": str(folder),
        "UKETSUKE_DEMO": "on",  # mails are files
        "UKETSUKE_DATABASE_URL": address,
        "UKETSUKE_ZOOM_API_URL": f"{sandbox}/v2",
        "UKETSUKE_ZOOM_OAUTH_URL": sandbox,
    }
    with ExitStack() as running:
        zoom = Process(
            [sys.executable, "-m", "zoom_sandbox", "--port", str(port)],
            environ={"ZOOM_SANDBOX_LATENCY_SECONDS": str(latency_seconds)},
            log=folder / "zoom.log",
        )
        running.enter_context(zoom).wait_for_port(port)
        control = SandboxControl(sandbox)
        running.callback(control.close)
        with _open_database(environ) as database:
            _fill(database, control, people)
            began = time.monotonic()
            for _ in range(workers):
                command = [sys.executable, "-m", "flask", "--app", "app.py", "worker"]
                worker = Process(command, environ=environ, log=folder / "worker.log")
                running.enter_context(worker)
            first = _wait_for_links(database, 1) - began
            seconds = _wait_for_links(database, people) - began
        used = control.state()["used_today"]
        refused = len(control.journal(status=429))
    calls = Counter({label: used.get(label, 0) for label in ("LIGHT", "MEDIUM", "HEAVY")})
    return Drained(seconds, first, dict(calls), refused)


@contextmanager
def _open_database(environ: dict[str, str]) -> Iterator[Database]:
    database: Database = create_app(Settings.from_env(environ)).extensions["site"].database
    migrate.upgrade(database)
    try:
        yield database
    finally:
        database.dispose()


def _fill(database: Database, control: SandboxControl, people: int) -> None:
    """Register people as their posts would, whose forms ask nothing that Zoom gets."""
    now = datetime.now(UTC)
    with database.write() as session:
        event: Event = factories.make_event_at_zoom(session, control, now=now)
    # More than Zoom has seats for unless an account's plan says so: the limits of calls count here.
    control.change_meeting(event.zoom_id, capacity=people)
    for first in range(0, people, AT_ONCE):
        with database.write() as session:
            for number in range(first, min(first + AT_ONCE, people)):
                submission = factories.make_submission(event, email=f"p{number}@example.com")
                register(session, event, submission, policy=LinkPolicy.SHOW, now=now)


def _wait_for_links(database: Database, people: int) -> float:
    """Return the moment at which so many have one."""
    statement = select(func.count()).where(ZoomRegistrant.join_url.is_not(None))
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with database.read() as session:
            if (session.scalar(statement) or 0) >= people:
                return time.monotonic()
        time.sleep(0.1)
    raise TimeoutError(f"{people} people had no links after {LONGEST_SECONDS:g} seconds")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.zoom_drain", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        address = ""
        if options.database == "postgresql":
            cluster = Cluster()
            running.callback(cluster.remove)
            address = cluster.create("drain")
        result = drain(options.people, Path(folder), address=address, workers=options.workers)
    calls = ", ".join(f"{label} {count}" for label, count in result.calls.items())
    print(
        f"{options.database}: {options.people} people have their links after "
        f"{result.seconds:.1f} s ({options.people / result.seconds:.0f} a second), the first after "
        f"{result.first_link_seconds:.1f} s; calls: {calls}; refused by Zoom: {result.refused}"
    )


if __name__ == "__main__":
    main()
