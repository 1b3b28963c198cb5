"""Registrations, and the worker's lanes to Zoom, beside a Zoom of their own; no pages, no mails."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outbound import HttpPool
from services import registration_changes, registration_edits
from services.erasing import erase
from services.event_tasks import JOB_KIND as EVENT_JOB
from services.events import LinkPolicy
from services.keys import KeyRing
from services.people_acts import Act, act_on
from services.people_tasks import do_next, start_task
from services.place_signs import JOB_KIND as PLACES_JOB
from services.registrations import register, sync_key
from services.zoom_tokens import SharedTokenStore
from storage import events, people_tasks, registrations, submissions, zoom_queue, zoom_registrants
from storage.jobs import POISONOUS_AFTER
from storage.models import Event, Job, Mail, Registration, ZoomConnection, ZoomRegistrant
from storage.session import Database
from tests import factories
from tests.clock import Clock
from tests.fixtures.databases import SECRET
from worker.endings import record_given_up
from worker.event_dates import DatesFollowing
from worker.loop import Lane, Worker
from worker.people import EventTasks
from worker.places import PlaceFinding
from worker.settling import EventSettling
from worker.zoom import RegistrantSync
from zoom_client import Credentials, ZoomClient
from zoom_sandbox.server import SandboxServer

TARO = "taro@example.com"
CREDENTIALS = Credentials("sandbox-account", "sandbox-client", "sandbox-secret")


class Desk:
    """One event and its people, known by address; `work` does what a worker would do now."""

    def __init__(self, database: Database, sandbox: SandboxServer, **members: Any) -> None:
        self.database = database
        self.sandbox = sandbox
        self.clock = Clock.at_noon()
        self.keys = KeyRing([SECRET * 2])
        self.before_calls: Callable[[], None] = lambda: None
        self._pool = HttpPool()
        self.zoom.set_clock(self.clock())
        with database.write() as session:
            self.event: Event = self._make_event(session, members)

    def _make_event(self, session: Session, members: dict[str, Any]) -> Event:
        return factories.make_event_at_zoom(session, self.zoom, now=self.clock(), **members)

    @property
    def zoom(self) -> Any:
        """The sandbox's control."""
        return self.sandbox.control

    def register(self, email: str = TARO) -> None:
        with self.database.write() as session:
            submission = factories.make_submission(self.event, email=email)
            register(session, self.event, submission, policy=LinkPolicy.SHOW, now=self.clock())

    def cancel(self, email: str = TARO) -> None:
        with self.database.write() as session:
            person = self._find(session, email)
            registration_changes.cancel(
                session, self.event, person, actor="person", now=self.clock()
            )

    def register_again(self, email: str = TARO) -> None:
        with self.database.write() as session:
            person = self._find(session, email)
            registration_changes.register_again(session, self.event, person, now=self.clock())

    def erase(self, email: str = TARO) -> bool:
        """Return whether it is forgotten at once who it was."""
        with self.database.write() as session:
            person = self._find(session, email)
            return erase(
                session,
                self.event,
                person,
                actor="organizer",
                note=lambda _: None,
                now=self.clock(),
            )

    def deny(self, email: str = TARO) -> None:
        """Do what an organizer does, as `approve`."""
        self._decide(registration_changes.deny, email)

    def approve(self, email: str = TARO) -> None:
        self._decide(registration_changes.approve, email)

    def retry(self, email: str = TARO) -> None:
        """Do what an organizer does on somebody's own page."""
        with self.database.write() as session:
            person = self._find(session, email)
            act_on(session, self.event, person, Act.RETRY, now=self.clock())

    def try_again(self, *people: str) -> dict[str, int]:
        """Do what an organizer does about several people; return how many have each result."""
        with self.database.write() as session:
            ids = [self._find(session, email).id for email in people]
            task_id = start_task(session, self.event, Act.RETRY, ids, by=None, now=self.clock()).id
        is_left = True
        while is_left:
            with self.database.write() as session:
                is_left = do_next(session, task_id, by=None, now=self.clock())
        with self.database.read() as session:
            return people_tasks.count_results(session, task_id)

    def rename(self, family_name: str, email: str = TARO) -> None:
        with self.database.write() as session:
            person = self._find(session, email)
            registration_edits.edit_details(
                session,
                self.event,
                person,
                family_name=family_name,
                given_name=person.given_name,
                answers={},
                form_version_id=person.form_version_id,
                now=self.clock(),
            )

    def correct_address(self, right: str, wrong: str = TARO) -> None:
        """Do what the page of a receipt does for who mistyped their address."""
        with self.database.write() as session:
            row = submissions.get_creating_submission(session, self._find(session, wrong).id)
            assert row is not None
            registration_changes.correct_address(
                session,
                self.event,
                row,
                email=right,
                email_key=right,
                policy=LinkPolicy.SHOW,
                now=self.clock(),
            )

    def change_event(self, **members: object) -> None:
        with self.database.write() as session:
            event = events.need_event(session, self.event.id)
            assert event is not None
            for name, value in members.items():
                setattr(event, name, value)

    def work(self) -> None:
        """Work off what is due now."""
        self.make_worker().drain()

    def give_up(self, email: str = TARO) -> None:
        """Have somebody's job put aside as one of which each worker died that took it."""
        with self.database.write() as session:
            session.merge(self.read_job(email)).crashes = POISONOUS_AFTER
        self.work()
        assert (self.read(email).problem, self.read_job(email).state) == ("GivenUp", "parked")

    def use_pool(self, pool: HttpPool) -> None:
        """Call Zoom through another pool from now on."""
        self._pool = pool

    def make_client(
        self, connection: ZoomConnection, database: Database | None = None
    ) -> ZoomClient:
        self.before_calls()
        database = database or self.database
        store = SharedTokenStore(database, connection.id, owner="app", read_clock=self.clock)
        return ZoomClient(
            CREDENTIALS,
            token_store=store,
            api_url=f"{self.sandbox.url}/v2",
            oauth_url=self.sandbox.url,
            pool=self._pool,
            now=self.clock,
        )

    def make_worker(self, database: Database | None = None, *, threads: int = 2) -> Worker:
        database = database or self.database
        parts: dict[str, Any] = {
            "make_client": partial(self.make_client, database=database),
            "keys": self.keys,
            "read_clock": self.clock,
        }
        self.sync = RegistrantSync(database, **parts)
        settling = EventSettling(database, **parts)
        following = DatesFollowing(
            database, make_client=parts["make_client"], read_clock=self.clock
        )
        people = {
            PLACES_JOB: PlaceFinding(database, read_clock=self.clock).handle,
            EVENT_JOB: EventTasks(database, read_clock=self.clock).handle,
        }
        looks = {"zoom.settle": settling.handle, "zoom.dates": following.handle}
        lanes = [
            Lane(
                "zoom",
                {"zoom.sync": self.sync.handle},
                threads,
                {"zoom.sync": record_given_up},
                queue=zoom_queue,
            ),
            Lane("settle", looks, 1, queue=zoom_queue),
            Lane("people", people, 1),
        ]
        return Worker(database, lanes, read_clock=self.clock)

    def let_pass(self, **by: float) -> None:
        """Let time pass here and at Zoom."""
        self.clock.move(**by)
        self.zoom.set_clock(self.clock())

    def let_pass_until(self, hour: int, minute: int = 0) -> None:
        """Let time pass until an hour in UTC, by which Zoom's days go."""
        now = self.clock()
        then = now.replace(hour=hour, minute=minute, second=0)
        self.let_pass(seconds=((then - now) % timedelta(days=1)).total_seconds())

    def read(self, email: str = TARO) -> ZoomRegistrant:
        """Return what we know of somebody at Zoom."""
        with self.database.read() as session:
            registrant = zoom_registrants.get_zoom_registrant(
                session, self._find(session, email).id
            )
            assert registrant is not None
            return registrant

    def read_link(self, email: str = TARO) -> str | None:
        with self.database.read() as session:
            return zoom_registrants.read_join_url(session, self.read(email))

    def read_job(self, email: str = TARO) -> Job:
        with self.database.read() as session:
            job = session.scalar(
                select(Job).where(Job.key == sync_key(self._find(session, email).id))
            )
            assert job is not None
            return job

    def find_settling(self) -> Job | None:
        with self.database.read() as session:
            return session.scalar(select(Job).where(Job.kind == "zoom.settle"))

    def list_mails(self) -> list[str]:
        """List the names of the mails that were asked for."""
        with self.database.read() as session:
            return list(session.scalars(select(Mail.name).order_by(Mail.id)))

    def list_effects(self, email: str = TARO) -> list[str]:
        entries = self.zoom.journal(email=email)
        return [entry["effect"] for entry in entries if entry["effect"]]

    def count_calls(self, action: str) -> int:
        return len(self.zoom.journal(action=action))

    def wait_for_attempt(self, email: str = TARO) -> None:
        """Wait until a worker has noted that it is about to add somebody."""
        self._wait_until(lambda: self.read(email).attempt_started_at is not None)

    def wait_for_fault(self) -> None:
        """Wait until calls have met all faults: a slow one is at Zoom, and has done nothing yet."""
        self._wait_until(lambda: self.zoom.state()["faults"] == [])

    def wait_for_calls(self, action: str, count: int) -> None:
        """Wait until Zoom has done so many calls; their answers may still be delayed after that."""
        self._wait_until(lambda: self.count_calls(action) >= count)

    def list_at_zoom(self) -> dict[str, str]:
        """Return Zoom's status of everybody, by address."""
        return {person["email"]: person["status"] for person in self.zoom.state()["registrants"]}

    def _decide(self, decide: Callable[..., None], email: str) -> None:
        with self.database.write() as session:
            person = self._find(session, email)
            decide(session, self.event, person, actor="organizer", now=self.clock())

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)

    def _find(self, session: Any, email: str) -> Registration:
        person = registrations.get_registration_by_email_key(session, self.event.id, email)
        assert person is not None, f"{email} is not registered"
        return person


MakeDesk = Callable[..., Desk]
