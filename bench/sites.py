"""The two sites that are compared, on one database and behind the same server."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from app import create_app
from cli.demo_events import EXAMPLES, HOST
from cli.events import store_document
from cli.publishing import make_client, publish_event
from cli.serve import SANDBOX_ACCOUNT
from config import Settings
from services.event_documents import read_document
from services.events import BotCheck
from storage import migrate
from storage.models import Event, Job, Registration
from storage.session import Database
from views.site import Site
from zoom_client import MeetingDraft

from . import floor
from .floor import WEB_PROCESSES, WEB_THREADS
from .processes import Process, find_free_port
from .visitors import Script

SLUG = "bench"
WORKER_START_SECONDS = 15.0

FLOOR_ANSWERS = {
    "family_name": "山田",
    "given_name": "太郎",
    "company": "例株式会社",
    "department": "企画部",
    "job_title": "部長",
    "phone": "03-1234-5678",
    "country": "Country 07",
    "age_band": "30 to 49",
    "reason": ["Reason 1", "Reason 4"],
    "message": "よろしくお願いします。",
    "consent": "I agree",
}
PRODUCT_ANSWERS = {
    "family_name": "山田",
    "given_name": "太郎",
    "question_company": "例株式会社",
    "question_department": "企画部",
    "question_job_title": "部長",
    "question_age_band": "30s",
    "question_prefecture": "JP-13",
    "question_reason": ["learn", "solve"],
    "question_privacy": "yes",
}


@dataclass(frozen=True)
class Server:
    """A running site: its processes' root and what its visitors do."""

    pid: int
    script: Script


@dataclass(frozen=True)
class Product:
    """The real site: its web processes, and the environment for a worker beside them."""

    web: Server
    site: Site
    environ: dict[str, str]
    folder: Path
    sandbox_url: str

    @property
    def database(self) -> Database:
        return self.site.database

    @contextmanager
    def run_worker(self) -> Iterator[int]:
        """Run a worker that has begun to work on what was left before; return its process."""
        before = self.count_finished_jobs()
        command = [sys.executable, "-m", "flask", "--app", "app.py", "worker"]
        log = self.folder / "worker.log"
        with Process(command, environ=self.environ, log=log) as worker:
            deadline = time.monotonic() + WORKER_START_SECONDS
            while self.count_finished_jobs() == before and time.monotonic() < deadline:
                time.sleep(0.1)
            yield worker.pid

    def count_lost(self, promised: Iterable[str]) -> int:
        """Count who was told that they are registered, and is not."""
        with self.database.read() as session:
            return len(set(promised) - set(session.scalars(select(Registration.email))))

    def read_zoom_id(self) -> int:
        with self.database.read() as session:
            return session.scalars(select(Event.zoom_id)).one()

    def count_finished_jobs(self) -> int:
        statement = select(func.count()).where(Job.state == "done")
        with self.database.read() as session:
            return session.scalar(statement) or 0


@contextmanager
def run_floor(folder: Path, address: str) -> Iterator[Server]:
    """Serve the floor; `address` is a PostgreSQL database, or empty for a SQLite file."""
    address = address or str(folder / "floor.sqlite3")
    floor.open_table(address).create()
    port = find_free_port()
    command = [sys.executable, "-m", "bench.floor", str(port)]
    environ = {floor.ADDRESS: address}
    with Process(command, environ=environ, log=folder / "floor.log") as process:
        process.wait_for_port(port)
        yield Server(
            process.pid,
            Script(
                port=port,
                path="/form",
                token=r'name="(csrf_token)" value="([^"]+)"',
                fields=FLOOR_ANSWERS,
                status=200,
                done="You are registered",
            ),
        )


@contextmanager
def run_product(folder: Path, address: str) -> Iterator[Product]:
    """Serve the real site with one open event; `address` as for the floor."""
    port, sandbox_port = find_free_port(), find_free_port()
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    environ = {
        **SANDBOX_ACCOUNT,
        "UKETSUKE_INSTANCE": str(folder),
        "UKETSUKE_DEMO": "on",  # mails are files
        "UKETSUKE_DATABASE_URL": address,
        "UKETSUKE_PORT": str(port),
        "UKETSUKE_ZOOM_API_URL": f"{sandbox}/v2",
        "UKETSUKE_ZOOM_OAUTH_URL": sandbox,
        "UKETSUKE_WEB_PROCESSES": str(WEB_PROCESSES),
        "UKETSUKE_WEB_THREADS": str(WEB_THREADS),
        # The visitors say what a proxy would, and fill the form in at once.
        "UKETSUKE_TRUSTED_PROXIES": "1",
        "UKETSUKE_FORM_MIN_SECONDS": "0",
    }
    with ExitStack() as running:
        zoom = Process(
            [sys.executable, "-m", "zoom_sandbox", "--port", str(sandbox_port)],
            environ={"ZOOM_SANDBOX_ENFORCE_RATE_LIMITS": "off"},
            log=folder / "zoom.log",
        )
        running.enter_context(zoom).wait_for_port(sandbox_port)
        site = _prepare_event(environ)
        running.callback(site.database.dispose)
        web = Process(
            [sys.executable, "-m", "flask", "--app", "app.py", "web"],
            environ=environ,
            log=folder / "web.log",
        )
        running.enter_context(web).wait_for_port(port)
        yield Product(Server(web.pid, write_script(port)), site, environ, folder, sandbox)


def write_script(port: int, slug: str = SLUG) -> Script:
    """Say what visitors of the real site do, on a form of the default questions."""
    return Script(
        port=port,
        path=f"/e/{slug}",
        token=r'name="(form_token)" value="([^"]+)"',
        fields=PRODUCT_ANSWERS,
        status=303,
        done="data-copy-source",  # the join link
    )


def _prepare_event(environ: dict[str, str]) -> Site:
    """Migrate the database and publish the demo's webinar, without a last seat."""
    site: Site = create_app(Settings.from_env(environ)).extensions["site"]
    migrate.upgrade(site.database)
    document = read_document((EXAMPLES / "demo.toml").read_text(encoding="utf-8"))
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    meeting = make_client(site).create_meeting(
        document.kind,
        HOST,
        MeetingDraft(
            topic=SLUG, start_time=starts_at, duration_minutes=60, timezone=document.timezone
        ),
    )
    document = replace(document, slug=SLUG, capacity=None, zoom_id=meeting.id, starts_at=starts_at)
    # Thousands come at once, which is what an event asks for work at; here it is what is measured.
    document = replace(document, bot_check=BotCheck.NEVER)
    store_document(site, document, EXAMPLES)
    publish_event(site, SLUG)
    return site
