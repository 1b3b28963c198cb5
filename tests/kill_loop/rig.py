"""A whole site in processes: web, two workers, the sandbox; and a mail server in this one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from resource import RLIMIT_AS, prlimit
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app import create_app
from config import Settings
from services.fault_points import FAULT_VARIABLE
from storage import job_requests, migrate
from storage.models import Job, Mail
from tests import factories
from tests.faults.journals import Answer, Copy, Journals, gather, read_copy
from tests.fixtures.postgresql import Cluster
from tests.installation import ROOT, Installation, wait_until
from tests.worker.smtp_server import Inbox, serve
from zoom_sandbox.control import SandboxControl

from .app import CLOCK_VARIABLE, FileClock

EVENTS: dict[str, dict[str, Any]] = {
    "spring": {"kind": "meeting", "link_policy": "show"},
    "autumn": {"kind": "webinar", "link_policy": "code"},
}
PROCESSES = {"web": "web", "worker-1": "worker", "worker-2": "worker"}

CONNECTIONS = "connections"

DRAIN_SECONDS = 180.0
"""What is stuck stays so for ever; a machine that is busy with something else takes its time."""

HELD_SECONDS, HELD_IN_VAIN_SECONDS = 30.0, 6.0
"""So long a worker that lives may hold a job before its lease is ended by moving the clock.

Ended sooner, a second worker would do what the first one does: leases are longer than any call. In
vain it holds one whose end it could not store, as the database was away.
"""

PAUSE_SECONDS, PASSED_IN_A_PAUSE = 4.0, 30.0


class PostBox(Inbox):
    """Keeps every copy of a mail; `cuts` times it hangs up before it says that it has one."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[Copy] = []
        self.in_doubt: set[str] = set()
        self.cuts = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> Any:
        message = message_from_bytes(envelope.content, policy=policy.default)
        copy = read_copy(message)
        self.copies.append(copy)
        if self.cuts:
            self.cuts -= 1
            self.in_doubt.add(copy.message_id)
            server.transport.abort()
        return "250 OK"


class Rig:
    """The site of one kill loop, on SQLite or, with a cluster, on PostgreSQL.

    Use as a context manager. What dies is started again by `keep_running`, which has to be called
    often; `drain` lets all work be done, moving the clock over what only waits.
    """

    def __init__(self, folder: Path, cluster: Cluster | None = None, **environ: str) -> None:
        self.folder = folder
        self.cluster = cluster
        self.post_box = PostBox()
        self.deaths: list[str] = []
        self._fault = folder / "fault"
        self._closing = ExitStack()
        self._installation = Installation(
            folder,
            app=Path(__file__).with_name("app.py"),
            UKETSUKE_DATABASE_URL=cluster.create("site") if cluster else "",
            UKETSUKE_SECRET_KEY="a secret key that only the tests know of",
            UKETSUKE_ZOOM_ACCOUNT_ID="sandbox-account",
            UKETSUKE_ZOOM_CLIENT_ID="sandbox-client",
            UKETSUKE_ZOOM_CLIENT_SECRET="sandbox-secret",
            UKETSUKE_WEB_PROCESSES="2",
            UKETSUKE_FORM_MIN_SECONDS="0",
            UKETSUKE_RATE_LIMITS="off",
            ZOOM_SANDBOX_LATENCY_SECONDS="0.02",
            **{CLOCK_VARIABLE: str(folder / "clock"), FAULT_VARIABLE: f"@{self._fault}"},
            **environ,
        )
        self.url = self._installation.url
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Rig:
        with ExitStack() as closing:
            closing.callback(self._end)
            self._set_up(closing)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _end(self) -> None:
        self._installation.kill()
        for process in self._processes.values():
            process.wait()

    def _set_up(self, closing: ExitStack) -> None:
        installation = self._installation
        port = closing.enter_context(serve(self.post_box))
        installation.environ |= {
            "UKETSUKE_BASE_URL": self.url,
            "UKETSUKE_MAIL_URL": f"smtp://127.0.0.1:{port}",
            "UKETSUKE_ZOOM_API_URL": f"{installation.sandbox_url}/v2",
            "UKETSUKE_ZOOM_OAUTH_URL": installation.sandbox_url,
        }
        (self.folder / "clock").write_text("0")
        (self.folder / "instance").mkdir(exist_ok=True)
        self.clock = FileClock(self.folder / "clock")
        self.done_at = self.clock()
        app = create_app(Settings.from_env(installation.environ), read_clock=self.clock)
        self.site = app.extensions["site"]
        closing.callback(self.site.database.dispose)
        migrate.upgrade(self.site.database)
        self.zoom = SandboxControl(installation.sandbox_url)
        closing.callback(self.zoom.close)
        self.keep_running()
        with self.site.database.write() as session:
            for slug, members in EVENTS.items():
                factories.make_event_at_zoom(
                    session, self.zoom, now=self.clock(), slug=slug, **members
                )
        self.wait_for_pages()

    def wait_for_pages(self) -> None:
        wait_until(lambda: self._installation.answers(f"{self.url}/healthz"))

    def wait_for_zoom(self) -> None:
        wait_until(lambda: self._installation.answers(f"{self._installation.sandbox_url}/"))

    def count_rows(self, table: str) -> int:
        with self.site.database.read() as session:
            return session.scalar(select(func.count()).select_from(text(table))) or 0

    def find(self, name: str) -> int:
        return self._processes[name].pid

    def list_children(self, name: str) -> list[int]:
        """List the processes that one of ours has started, such as those that answer pages."""
        number = self.find(name)
        children = Path(f"/proc/{number}/task/{number}/children").read_text()
        return [int(child) for child in children.split()]

    def arm(self, fault: str) -> None:
        """Have the first process that comes to a place, in this round, do what `fault` says."""
        draft = self._fault.with_suffix(".part")
        draft.write_text(fault)
        draft.replace(self._fault)

    def disarm(self) -> bool:
        """Take the fault back; False if it has happened."""
        is_armed = self._fault.exists()
        self._fault.unlink(missing_ok=True)
        return is_armed

    def keep_running(self) -> None:
        """Start what has died, and note what cannot be known since."""
        for name in ("sandbox", *PROCESSES):
            process = self._processes.get(name)
            if process is not None and process.poll() is None:
                continue
            if process is not None:
                self.deaths.append(name)
                # Where the database is away too, it is noted once that is back.
                self._note_what_is_being_sent()
            if name == "sandbox":
                self._processes[name] = self._start_sandbox()
                self.wait_for_zoom()
                self.zoom.set_clock(self.clock())
            else:
                self._processes[name] = self._installation.start(PROCESSES[name], name=name)

    @contextmanager
    def without_memory(self, name: str) -> Iterator[None]:
        """Let the processes that one of ours has started have no more memory than they have now."""
        children = self.list_children(name)
        limits = [prlimit(child, RLIMIT_AS) for child in children]
        for child, (_, most) in zip(children, limits, strict=True):
            prlimit(child, RLIMIT_AS, (1, most))
        yield
        for child, limit in zip(children, limits, strict=True):
            with suppress(ProcessLookupError):
                prlimit(child, RLIMIT_AS, limit)

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Let the database be away meanwhile: what was done then could not be stored."""
        yield
        self.deaths.append(CONNECTIONS)
        # Of this process alone: the site's must find out by themselves.
        self.site.database.dispose()
        wait_until(self._note_what_is_being_sent)

    def drain(self) -> int:
        """Wait until all work is done, moving the clock where it only waits; return how often.

        Raises:
            AssertionError: it was not done in three minutes.
        """
        deadline = time.monotonic() + DRAIN_SECONDS
        seen, seen_at, moves = None, 0.0, 0
        while True:
            self.keep_running()
            looked_at = self.clock()
            left = self._read_work(looked_at)
            if not left:
                self.done_at = looked_at
                return moves
            assert time.monotonic() < deadline, f"stuck: {left}"
            if left != seen:
                seen, seen_at = left, time.monotonic()
            is_held = any(self._lives(owner) for _, owner, _ in left)
            in_vain = CONNECTIONS in self.deaths
            patience = 0.0 if not is_held else HELD_IN_VAIN_SECONDS if in_vain else HELD_SECONDS
            until = min(until for _, _, until in left)
            quiet = time.monotonic() - seen_at
            if until > self.clock() and quiet >= patience:
                self._pass_time((until - self.clock()).total_seconds() + 0.1)
                moves += 1
            elif quiet > max(PAUSE_SECONDS, patience):
                # It is due, and nobody takes it: calls to Zoom are paused.
                self._pass_time(PASSED_IN_A_PAUSE)
                moves, seen_at = moves + 1, time.monotonic()
            time.sleep(0.03)

    def read_last_words(self) -> list[str]:
        """Read the last lines that each process has logged."""
        logs = sorted(self.folder.glob("*.err"))
        return [f"{log.name}: {line}" for log in logs for line in log.read_text().splitlines()[-3:]]

    def gather(self, answers: list[Answer]) -> Journals:
        box = self.post_box
        return gather(
            self.site.database,
            self.zoom,
            self.site.links,
            answers=answers,
            copies=list(box.copies),
            in_doubt=box.in_doubt,
            # What has become due since then nobody can have done.
            now=self.done_at,
        )

    def _lives(self, owner: str | None) -> bool:
        """Tell whether a job is held by a worker that lives: its name begins with its process."""
        if owner is None:
            return False
        workers = (self.find(name) for name, command in PROCESSES.items() if command == "worker")
        return int(owner.partition("-")[0]) in workers

    def _note_what_is_being_sent(self) -> bool:
        """Note the mails that may come twice: that they go was stored, that they went was not.

        Returns False where the database is away.
        """
        is_open = Mail.state.in_(("sending", "unknown", "again"))
        try:
            with self.site.database.read() as session:
                found = session.scalars(select(Mail.message_id).where(is_open)).all()
        except SQLAlchemyError:
            return False
        self.post_box.in_doubt.update(found)
        return True

    def _read_work(self, now: datetime) -> list[tuple[str, str | None, Any]]:
        """List the jobs not done: key, who holds it, and until when nothing happens by itself."""
        words_of_delay = select(Mail.id).where(Mail.name == "delayed", Mail.state == "queued")
        with self.site.database.read() as session:
            delayed = {f"mail:{number}" for number in session.scalars(words_of_delay)}
            found = session.execute(
                select(Job.key, Job.owner, Job.run_at, Job.lease_until)
                .where(Job.state.in_(("ready", "running")))
                .order_by(Job.id)
            ).all()
        return [
            (key, owner, lease_until or run_at)
            for key, owner, run_at, lease_until in found
            # They wait for long; but where the clock was moved past their hour they are dropped.
            if key not in delayed or owner or run_at <= now
        ]

    def _pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.zoom.set_clock(self.clock())
        with self.site.database.write() as session:
            job_requests.wake_workers(session)
            if self.site.database.is_sqlite:
                # Any change of the file wakes its workers.
                session.execute(text("PRAGMA user_version = 1"))

    def _start_sandbox(self) -> subprocess.Popen[bytes]:
        port = str(self._installation.sandbox_port)
        state = str(self.folder / "zoom.sqlite3")
        command = [sys.executable, "-m", "zoom_sandbox", "--port", port, "--state", state]
        with (self.folder / "sandbox.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self._installation.environ, stdout=log, stderr=log
            )
