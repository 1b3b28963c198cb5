"""The worker process: threads that claim jobs and hand them to what handles their kind."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.api_requests import REPEATED_WITHIN
from services.fault_points import fault_point
from services.job_failures import note_failure
from storage import api_requests, heartbeats, jobs, limits, rehearsals, zoom_budgets
from storage.jobs import GIVEN_UP, LEASE_SECONDS, POISONOUS_AFTER, ClaimedJob, LeaseLost
from storage.session import Database, is_outage
from storage.wakeup import make_waker

from .backoff import next_try
from .bells import Bell
from .outages import DatabaseOutage, is_for_all

IDLE_SECONDS = 1.0
BEAT_SECONDS = 10.0
LOOK_SECONDS = 60.0
GIVE_UP_AFTER = 20
"""So many failures in a row that nobody foresaw; waiting for another system is none."""

log = logging.getLogger(__name__)

Handler = Callable[[ClaimedJob], None]
Recorder = Callable[[Session, ClaimedJob, datetime], None]


class Queue(Protocol):
    """Where a lane takes its jobs from: the module `jobs`, or one that holds some of them back."""

    def has_due(self, session: Session, *, kinds: Sequence[str], now: datetime) -> bool: ...

    def claim(
        self,
        session: Session,
        *,
        kinds: Sequence[str],
        owner: str,
        lease_seconds: float,
        now: datetime,
    ) -> ClaimedJob | None: ...


@dataclass(frozen=True)
class Lane:
    """Job kinds that share threads, so that a slow mail server does not delay Zoom.

    `recorders` store, by kind, that a job was put aside, in the transaction that does so.
    `bell` wakes one thread, and that one the next if it finds a job: the others need not look.
    """

    name: str
    handlers: Mapping[str, Handler]
    threads: int
    recorders: Mapping[str, Recorder] = field(default_factory=dict)
    queue: Queue = jobs
    bell: Bell = field(default_factory=Bell)


class ThreadEnded(Exception):
    """A thread of the worker ended though nobody asked it to."""


class Worker:
    """Runs lanes of jobs until it is stopped; any number of workers may share a database.

    One thread waits for the database to say that there may be jobs, and wakes the lanes; that is
    for speed alone, as each thread of a lane looks every second anyway.

    Args:
        looks: called once a minute, to see what stands still; what one fails at stops no other.
    """

    def __init__(
        self,
        database: Database,
        lanes: list[Lane],
        *,
        looks: Sequence[Callable[[], None]] = (),
        read_clock: Callable[[], datetime],
    ) -> None:
        # Begins with the process's number, for whoever looks for the process that holds a job.
        self.owner = f"{os.getpid()}-{secrets.token_hex(5)}"
        self._database = database
        self._lanes = lanes
        self._looks = looks
        self._read_clock = read_clock
        self._stop = threading.Event()
        self._outage = DatabaseOutage()
        self._has_failed = False
        # Why threads perhaps still hold jobs though they do nothing, each by its own name.
        self._left_over: dict[str, str] = {}

    def stop(self) -> None:
        """Ask every thread to end after the job it holds."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            ThreadEnded: a thread ended by itself; the process should be started anew.
        """
        threads = [
            threading.Thread(target=self._serve, args=(lane, owner))
            for lane in self._lanes
            for owner in self._list_owners(lane)
        ]
        threads.append(threading.Thread(target=self._wake_until_stopped))
        if self._looks:
            threads.append(threading.Thread(target=self._look_until_stopped))
        for thread in threads:
            thread.start()
        self._beat_until_stopped()
        for thread in threads:
            thread.join()
        if self._has_failed:
            raise ThreadEnded

    def drain(self) -> None:
        """Handle everything that is due now in this thread, then return; for tests and checks."""
        while any(self._claim_and_handle(lane, self.owner) for lane in self._lanes):
            pass

    def _list_owners(self, lane: Lane) -> list[str]:
        """Name the lane's threads, each in the 32 characters that `job.owner` has."""
        return [f"{self.owner}-{lane.name}-{number}" for number in range(lane.threads)]

    def _serve(self, lane: Lane, owner: str) -> None:
        with self._ending_together(lane.name):
            while not self._stop.is_set():
                if not self._claim_and_handle(lane, owner):
                    lane.bell.wait(IDLE_SECONDS)
            with suppress(SQLAlchemyError):
                self._let_go(owner)
        lane.bell.ring()  # the next one has to end, too

    def _wake_until_stopped(self) -> None:
        with self._ending_together("waker"), closing(make_waker(self._database)) as waker:
            while not self._stop.is_set():
                if waker.wait(IDLE_SECONDS, self._stop):
                    self._wake_lanes()
        self._wake_lanes()

    def _wake_lanes(self) -> None:
        for lane in self._lanes:
            lane.bell.ring()

    @contextmanager
    def _ending_together(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception:
            # One thread less would be noticed by nobody while the others beat on.
            log.exception("a thread of the worker ended", extra={"lane": name})
            self._has_failed = True
            self._stop.set()

    def _claim_and_handle(self, lane: Lane, owner: str) -> bool:
        try:
            self._let_go(owner)
            job = self._claim(lane, owner)
        except SQLAlchemyError as error:
            self._outage.begin(error)
            self._stop.wait(IDLE_SECONDS)
            return False
        if job is None:
            return False
        lane.bell.ring()  # where one job was, there may be another
        self._outage.end()
        if job.crashes >= POISONOUS_AFTER:
            reason = f"its worker died, or was cut off from the database, {job.crashes} times"
            self._put_aside(lane, job, f"{reason} while it ran")
            return True
        fault_point("after_claim")
        try:
            lane.handlers[job.kind](job)
        except LeaseLost:
            log.warning("another worker took the job", extra={"job": job.key})
            self._left_over[owner] = "another worker took what was held with it"
        except Exception as error:
            log.exception("job failed", extra={"job": job.key, "kind": job.kind})
            if is_outage(error):
                self._left_over[owner] = self._describe(error)
            self._put_back(lane, job, error)
        return True

    def _let_go(self, owner: str) -> None:
        """Hand back what a thread still holds after an outage, the others of a batch too.

        Left to its lease it would count as what its worker died of.
        """
        if reason := self._left_over.get(owner):
            now = self._read_clock()
            with self._database.write() as session:
                jobs.let_go(session, owner, run_at=next_try(1, now=now), reason=reason, now=now)
            del self._left_over[owner]

    def _claim(self, lane: Lane, owner: str) -> ClaimedJob | None:
        kinds = list(lane.handlers)
        now = self._read_clock()
        with self._database.read() as session:
            if not lane.queue.has_due(session, kinds=kinds, now=now):
                return None
            if rehearsals.is_rehearsal(session):
                return None
        with self._database.write() as session:
            return lane.queue.claim(
                session, kinds=kinds, owner=owner, lease_seconds=LEASE_SECONDS, now=now
            )

    def _put_back(self, lane: Lane, job: ClaimedJob, error: Exception) -> None:
        now = self._read_clock()
        failure = note_failure(
            error,
            is_outage=is_outage(error),
            before=job.reason,
            attempts=job.attempts,
            now=now,
        )
        reason = failure.write()
        if failure.times >= GIVE_UP_AFTER and not failure.is_outage:
            self._put_aside(lane, job, reason)
            return
        with self._leaving_it_held(job), self._database.write() as session:
            run_at = next_try(job.attempts, now=now)
            jobs.postpone(session, job, run_at=run_at, reason=reason, now=now)

    def _put_aside(self, lane: Lane, job: ClaimedJob, reason: str) -> None:
        """Give up, where whoever looks after the job's person sees it too."""
        now = self._read_clock()
        log.error("job put aside", extra={"job": job.key, "kind": job.kind, "reason": reason})
        with self._leaving_it_held(job), self._database.write() as session:
            if recorder := lane.recorders.get(job.kind):
                recorder(session, job, now)
            session.flush()
            jobs.park(session, job, reason=f"{GIVEN_UP}: {reason}", now=now)

    @contextmanager
    def _leaving_it_held(self, job: ClaimedJob) -> Iterator[None]:
        try:
            yield
        except (LeaseLost, SQLAlchemyError) as error:
            if is_outage(error):
                self._left_over[job.owner] = self._describe(error)
            log.warning("the job could not be put back", extra={"job": job.key})

    def _describe(self, error: Exception) -> str:
        return note_failure(error, is_outage=is_outage(error), now=self._read_clock()).write()

    def look(self) -> None:
        """Do once what is done every minute."""
        for look in self._looks:
            try:
                look()
            except Exception as error:
                if is_for_all(error):
                    self._outage.begin(error)
                    return
                # It may fail for one event, or be too slow for one statement, each minute; the
                # others have nothing to do with it.
                log.exception("nobody looked for what stands still")

    def _look_until_stopped(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self.look()

    def _beat_until_stopped(self) -> None:
        started_at = self._read_clock()
        while True:
            now = self._read_clock()
            try:
                with self._database.write() as session:
                    heartbeats.beat(session, self.owner, started_at=started_at, now=now)
                    long_ago = (now - timedelta(hours=1)).timestamp()
                    limits.forget_full_buckets(session, now=long_ago)
                    api_requests.forget_old(session, before=now - REPEATED_WITHIN)
                    zoom_budgets.forget_idle_budgets(
                        session, before=(now - timedelta(days=1)).date(), now=now.timestamp()
                    )
                self._outage.end()
            except SQLAlchemyError as error:
                self._outage.begin(error)
            if self._stop.wait(IDLE_SECONDS if self._outage.is_on else BEAT_SECONDS):
                return
