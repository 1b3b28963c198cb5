"""Settling adds of unknown outcome: one walk through Zoom's lists judges them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services import deliveries, settling, zoom_pauses
from services.delivery_stops import describe_ending
from services.keys import KeyRing
from services.settling import Judged
from storage import events, jobs, organizations, zoom_registrants
from storage import zoom_pauses as zoom_rows
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.models import Event, ZoomConnection
from storage.session import Database
from zoom_client import (
    ALL_STATUSES,
    RateLimited,
    Registrant,
    ScopeMissing,
    ZoomClient,
    ZoomError,
)

from .backoff import next_try
from .endings import describe, keep_lease
from .leases import renew_lease
from .zoom_health import ZoomHealth

LOOK_AGAIN_AFTER = timedelta(seconds=61)


class EventSettling:
    """Handles the job `zoom.settle` of one event; arguments as `RegistrantSync`."""

    def __init__(
        self,
        database: Database,
        *,
        make_client: Callable[[ZoomConnection], ZoomClient],
        keys: KeyRing,
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._make_client = make_client
        self._keys = keys
        self._read_clock = read_clock
        self._health = ZoomHealth(database, read_clock=read_clock)

    def handle(self, job: ClaimedJob) -> None:
        looked_from = self._read_clock()
        found = self._begin(job, looked_from)
        if found is None:
            self._health.give_probe_back(job)
            return
        event, connection = found
        client = self._make_client(connection)
        try:
            index = settling.index_by_address(self._walk(job, event, client))
        except ZoomError as error:
            if isinstance(error, ScopeMissing):
                self._health.record_refused_walk(connection, event, error)
            else:
                self._health.record_failure(connection, event, error)
            self._try_later(job, error, self._health.is_silent(connection, event))
            return
        self._health.record_success(connection, event)
        needs_look = self._judge(job, event, index, looked_from)
        now = self._read_clock()
        with self._database.write() as session:
            zoom_rows.lock_event(session, event.id, now=now).walked_at = now
            session.flush()
            if needs_look:
                jobs.postpone(
                    session,
                    job,
                    run_at=now + LOOK_AGAIN_AFTER,
                    reason="somebody was not found yet; looking again",
                    now=now,
                    is_attempt=False,
                )
            else:
                jobs.finish(session, job, again_at=now + deliveries.BETWEEN_WALKS, now=now)

    def _judge(
        self,
        job: ClaimedJob,
        event: Event,
        index: Mapping[str, Registrant],
        looked_from: datetime,
    ) -> bool:
        """Judge everybody in doubt, some in each transaction; return whether to look again."""
        needs_look = False
        for judge in (self._settle, self._tell_new_from_known):
            last: int | None = 0
            while last is not None:
                with self._database.write() as session:
                    judged = judge(session, event, index, looked_from, last)
                    keep_lease(session, job, self._read_clock())
                last, needs_look = judged.last, needs_look or judged.needs_look
        return needs_look

    def _settle(
        self,
        session: Session,
        event: Event,
        index: Mapping[str, Registrant],
        looked_from: datetime,
        after: int,
    ) -> Judged:
        return settling.settle_unknown(
            session,
            event,
            index,
            looked_from=looked_from,
            after=after,
            keys=self._keys,
            now=self._read_clock(),
        )

    def _tell_new_from_known(
        self,
        session: Session,
        event: Event,
        index: Mapping[str, Registrant],
        looked_from: datetime,
        after: int,
    ) -> Judged:
        return settling.tell_new_from_known(
            session,
            event,
            index,
            looked_from=looked_from,
            after=after,
            keys=self._keys,
            now=self._read_clock(),
        )

    def _begin(self, job: ClaimedJob, now: datetime) -> tuple[Event, ZoomConnection] | None:
        event_id: int = job.payload["event_id"]
        with self._database.write() as session:
            event = events.need_event(session, event_id)
            ending = describe_ending(event, now=now)
            is_asked_for = zoom_pauses.is_walked_for(session, event_id)
            if ending or not (is_asked_for or zoom_registrants.has_doubts(session, event_id)):
                jobs.finish(session, job, reason=ending, now=now)
                return None
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            return event, organizations.need_connection(session, event.connection_id)

    def _walk(self, job: ClaimedJob, event: Event, client: ZoomClient) -> Iterator[Registrant]:
        """Yield all registrants, keeping the lease by the clock: pages may be small and slow."""
        renewed_at = self._read_clock()
        kind = deliveries.get_kind(event)
        for status in ALL_STATUSES:
            for person in client.list_registrants(kind, event.zoom_id, statuses=[status]):
                renewed_at = self._renew(job, renewed_at)
                yield person
            # A list without anybody takes its time too.
            renewed_at = self._renew(job, renewed_at)

    def _renew(self, job: ClaimedJob, renewed_at: datetime) -> datetime:
        return renew_lease(self._database, job, renewed_at, now=self._read_clock())

    def _try_later(self, job: ClaimedJob, error: ZoomError, is_silent: bool) -> None:
        """Wait as long as Zoom says, though more people may be in doubt by now."""
        now = self._read_clock()
        alone = next_try(job.attempts, now=now, not_before=error.retry_after)
        with self._database.write() as session:
            jobs.postpone(
                session,
                job,
                run_at=now if is_silent else alone,
                reason=describe(error),
                now=now,
                is_attempt=not (is_silent or isinstance(error, RateLimited)),
                is_firm=True,
            )
