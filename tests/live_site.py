"""A whole site in this process: pages over real HTTP, a worker, the sandbox, a mailbox."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select, text, update
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from config import Settings
from storage.models import Event, Job
from storage.session import Database
from tests import factories
from tests.clock import Clock
from tests.installation import START_SECONDS, find_free_port
from tests.mailbox import Mailbox
from tests.page import Visitor
from views.people_rows import make_row_reader
from views.site import Site
from worker.assembly import WorkerParts, build_worker
from worker.loop import Worker
from worker.smtp import make_transport
from zoom_sandbox import SandboxSettings
from zoom_sandbox.server import SandboxServer

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
SECRET_KEY = "a secret key that only the tests know of"

# What a worker in a process of its own has to be told to be this site's.
_SHARED = (
    "instance",
    "base_url",
    "database_url",
    "secret_key",
    "zoom_account_id",
    "zoom_client_id",
    "zoom_client_secret",
    "zoom_api_url",
    "zoom_oauth_url",
)


class LiveSite:
    """A site on a free port, with a Zoom of its own.

    The worker does nothing until `drain` (work off what is due now, in this thread) or
    `start_worker` (keep working in threads, as in operation). It is noon in Japan there, but
    for a site with processes of its own, which keep the real time.
    """

    def __init__(
        self,
        database_url: str,
        folder: Path,
        *,
        name: str = HOST,
        real_time: bool = False,
        **settings: Any,
    ) -> None:
        self._closing = ExitStack()
        self._has_real_time = real_time
        self.clock = Clock() if real_time else Clock.at_noon()
        self.is_zoom_up = True
        self.sandbox = self._closing.enter_context(SandboxServer(SandboxSettings()))
        self.zoom.set_clock(self.clock())
        port = self._closing.enter_context(socket.create_server((HOST, 0)))
        self.url = f"http://{name}:{port.getsockname()[1]}"
        self.settings = Settings(
            **{
                "instance": folder,
                "base_url": self.url,
                "database_url": database_url,
                "secret_key": SECRET_KEY,
                "zoom_account_id": "sandbox-account",
                "zoom_client_id": "sandbox-client",
                "zoom_client_secret": "sandbox-secret",
                "zoom_api_url": f"{self.sandbox.url}/v2",
                "zoom_oauth_url": self.sandbox.url,
                "form_min_seconds": 0.0,
                "rate_limits": False,
                "is_demo": True,
            }
            | settings
        )
        self.app = create_app(self.settings, read_clock=self.clock)
        self.mailbox = Mailbox(self.settings.mailbox)
        self._serve(port)

    @property
    def parts(self) -> Site:
        """What the site's views work with: database, keys, links."""
        site: Site = self.app.extensions["site"]
        return site

    @property
    def database(self) -> Database:
        return self.parts.database

    @property
    def zoom(self) -> Any:
        """The sandbox's control: its journal, faults and state."""
        return self.sandbox.control

    def let_pass(self, **by: float) -> None:
        """Let time pass here and at Zoom: `let_pass(minutes=15)`."""
        self.clock.move(**by)
        if self.is_zoom_up:
            self.zoom.set_clock(self.clock())

    def stop_zoom(self) -> None:
        """Take Zoom away: nothing listens at its address."""
        self.sandbox.stop()
        self.is_zoom_up = False

    def start_zoom(self) -> None:
        self.sandbox.start()
        self.is_zoom_up = True
        self.zoom.set_clock(self.clock())

    def read_room(self, url: str) -> str:
        """Follow Zoom's link and return what its page says: who would enter which room."""
        response = requests.get(url, timeout=10)
        assert response.status_code == 200, response.text
        return response.text

    def count_rows(self, table: str) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(text(table))) or 0

    def list_effects(self, email: str) -> list[str]:
        """List what our calls changed for an address at Zoom, oldest first."""
        entries = self.zoom.journal(email=email)
        return [entry["effect"] for entry in entries if entry["effect"]]

    def close_later(self, close: Callable[[], None]) -> None:
        self._closing.callback(close)

    def visitor(self, *, locale: str = "ja") -> Visitor:
        """Return somebody new, with a browser that asks for a language."""
        visitor = Visitor(self.url, locale=locale)
        self._closing.callback(visitor.close)
        return visitor

    def add_event(self, **members: Any) -> Event:
        """Add an event that is published here and exists at Zoom as publishing leaves it there."""
        with self.database.write() as session:
            return factories.make_event_at_zoom(session, self.zoom, now=self.clock(), **members)

    def build_worker(self) -> Worker:
        site = self.parts
        return build_worker(
            WorkerParts(
                self.settings,
                site.database,
                keys=site.keys,
                links=site.links,
                make_client=site.make_zoom_client,
                webhook_pool=site.webhooks.pool,
                transport=make_transport(self.settings.mail_url, self.settings.mailbox),
                app_context=self.app.app_context,
                read_row=make_row_reader(self.app.app_context),
                read_clock=self.clock,
            )
        )

    def drain(self) -> None:
        """Work off everything that is due now, then return."""
        self.build_worker().drain()

    def start_worker(self) -> Worker:
        """Keep working in threads until the site closes, or until `stop` of what is returned."""
        worker = self.build_worker()
        thread = threading.Thread(target=worker.run, name="worker")
        thread.start()
        self._closing.callback(thread.join)
        self._closing.callback(worker.stop)
        return worker

    def start_worker_process(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start `flask worker`, as in operation, on this site's database; it keeps real time."""
        return self.start_process("worker", **environ)

    def start_web_processes(self, **environ: str) -> int:
        """Start `flask web`, as behind a proxy, and return its port once it answers."""
        port = find_free_port()
        self.start_process(
            "web",
            UKETSUKE_PORT=str(port),
            UKETSUKE_FORM_MIN_SECONDS="0",
            UKETSUKE_TRUSTED_PROXIES="1",
            **environ,
        )
        self.wait_until(lambda: _answers(f"http://{HOST}:{port}/healthz"), seconds=START_SECONDS)
        return port

    def start_process(
        self, command: str, *, under: Sequence[str] = (), **environ: str
    ) -> subprocess.Popen[bytes]:
        """Start a command that runs until the site closes, with this site's settings.

        `under` is a program that runs it, with its options.
        """
        assert self._has_real_time, "a site with processes of its own needs real_time"
        settings = {
            f"UKETSUKE_{name.upper()}": str(getattr(self.settings, name)) for name in _SHARED
        }
        settings["UKETSUKE_DEMO"] = "on" if self.settings.is_demo else "off"
        process = subprocess.Popen(
            [*under, sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), command],
            env={**os.environ, **settings, **environ},
            stderr=subprocess.DEVNULL,
        )
        self._closing.callback(process.wait, 20)
        self._closing.callback(process.kill)
        return process

    def end_leases(self) -> None:
        """Let the time run out in which a worker that died still holds its jobs."""
        with self.database.write() as session:
            session.execute(update(Job).values(lease_until=self.clock()))

    def wait_until(self, is_so: Callable[[], object], *, seconds: float = 30) -> None:
        """Wait for what another thread or process does."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.05)

    def close(self) -> None:
        self._closing.close()

    def _serve(self, port: socket.socket) -> None:
        server = make_server(
            HOST,
            port.getsockname()[1],
            self.app,
            threaded=True,
            request_handler=_QuietHandler,
            fd=port.fileno(),
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="site")
        thread.start()
        self._closing.callback(self.database.dispose)
        self._closing.callback(self.parts.visits.store)
        self._closing.callback(server.server_close)
        self._closing.callback(thread.join)
        self._closing.callback(server.shutdown)


def _answers(address: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(address, timeout=10).ok
    return False


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: a failing test shows the page instead."""
