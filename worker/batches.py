"""Adding many people of one event with one call, where many wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from services import batches, deliveries, new_registrants, person_limits
from services.deliveries import Delivery, Step
from services.delivery_stops import describe_ending
from services.fault_points import fault_point
from services.registrations import request_sync
from storage import events, jobs, organizations, zoom_budgets, zoom_registrants
from storage.job_requests import ZOOM_SYNC
from storage.jobs import LEASE_SECONDS, ClaimedJob, LeaseLost
from storage.models import Event, Registration, ZoomConnection, ZoomRegistrant
from storage.session import Database
from zoom_client import (
    AddedRegistrant,
    BatchNotSupported,
    ConfigurationError,
    Label,
    NewRegistrant,
    PersonDayLimited,
    RateLimited,
    Retryable,
    ScopeMissing,
    ZoomClient,
    ZoomError,
    ZoomOutcomeUnknown,
)

from . import endings
from .backoff import next_try
from .zoom_health import ZoomHealth

KIND = ZOOM_SYNC.kind
# Among so many who are due, those who need something else must not hide those who fit.
LOOK_AHEAD = 2 * batches.MOST
_OTHERS = batches.MANY - 1
# A budget that is empty for longer than this is not waited for: people are added alone meanwhile.
LONG_WAIT = timedelta(seconds=10)

log = logging.getLogger(__name__)

_Row = tuple[Registration, ZoomRegistrant]


@dataclass(frozen=True)
class _Batch:
    """Jobs of one event by registration, held by one worker, each with a fence of its own."""

    event: Event
    connection: ZoomConnection
    jobs: Mapping[int, ClaimedJob]


class BatchAdding:
    """Takes the place of adding one by one; arguments as `RegistrantSync`."""

    def __init__(
        self,
        database: Database,
        *,
        make_client: Callable[[ZoomConnection], ZoomClient],
        health: ZoomHealth,
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._make_client = make_client
        self._health = health
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> bool:
        """Add the job's person together with others; False if they have to be added alone."""
        batch = self._claim(job)
        if batch is None:
            return False
        people = self._begin(batch)
        if not people:
            return True
        members = _Batch(batch.event, batch.connection, {i: batch.jobs[i] for i in people})
        try:
            self._add(members, people)
        except LeaseLost:
            self._leave_doubts(members)
            raise
        return True

    def _claim(self, job: ClaimedJob) -> _Batch | None:
        """Claim those who wait at the same event, if they are many."""
        if job.event_id is None or job.crashes:
            return None
        now = self._read_clock()
        with self._database.read() as session:
            if (
                jobs.count_due(session, KIND, event_id=job.event_id, most=_OTHERS, now=now)
                < _OTHERS
            ):
                return None
            event = events.need_event(session, job.event_id)
            connection = organizations.need_connection(session, event.connection_id)
            if self._must_go_alone(session, event, connection, now):
                return None
            session.expunge_all()
        with self._database.write() as session:
            held = self._claim_others(session, job, now)
        return _Batch(event, connection, dict(sorted(held.items()))) if held else None

    def _claim_others(
        self, session: Session, job: ClaimedJob, now: datetime
    ) -> dict[int, ClaimedJob]:
        """Take the jobs of those who can be added together with this one's person."""
        own = job.payload["registration_id"]
        due = jobs.lock_due(session, KIND, event_id=job.event_id, limit=LOOK_AHEAD, now=now)
        found = {row.payload["registration_id"]: row for row in due}
        chosen = batches.choose_for_batch(session, [own, *found], now=now)
        if own not in chosen or len(chosen) < batches.MANY:
            return {}
        taken = {
            i: jobs.take(found[i], owner=job.owner, lease_seconds=LEASE_SECONDS, now=now)
            for i in chosen
            if i != own
        }
        return {own: job, **taken}

    def _must_go_alone(
        self, session: Session, event: Event, connection: ZoomConnection, now: datetime
    ) -> bool:
        names = [Label.HEAVY, _name_closure(event)]
        return (
            bool(describe_ending(event, now=now))
            # Zoom has no batches for a series.
            or bool(event.dates)
            # A probe must not put thirty people in doubt.
            or self._health.is_standing(connection, event)
            or zoom_budgets.is_closed(session, connection.account_id, names, now=now.timestamp())
        )

    def _begin(self, batch: _Batch) -> dict[int, NewRegistrant]:
        """Store that the adds begin, and give back who changed meanwhile."""
        now = self._read_clock()
        people: dict[int, NewRegistrant] = {}
        with self._database.write() as session:
            for registration_id, row in self._lock(session, batch).items():
                if batches.fits_batch(session, *row, now=now):
                    people[registration_id] = new_registrants.make_new_registrant(
                        session, batch.event, row[0]
                    )
                    deliveries.begin_add(row[1], now=now)
            session.flush()
            held = [batch.jobs[registration_id] for registration_id in people]
            if held:
                jobs.hold_all(session, held, lease_seconds=LEASE_SECONDS, now=now)
            for registration_id in batch.jobs.keys() - people:
                _give_back(session, batch.jobs[registration_id], "", now)
        return people

    def _add(self, batch: _Batch, people: Mapping[int, NewRegistrant]) -> None:
        event = batch.event
        client = self._make_client(batch.connection)
        fault_point("before_zoom")
        try:
            added = client.add_registrants(
                deliveries.get_kind(event),
                event.zoom_id,
                list(people.values()),
                auto_approve=True,
                confirmation_email=event.keeps_zoom_mails,
            )
        except ZoomError as error:
            if not isinstance(error, ScopeMissing | BatchNotSupported):  # one by one it may work
                self._health.record_failure(batch.connection, event, error)
            self._record_failure(batch, error)
            return
        fault_point("after_zoom")
        self._health.record_success(batch.connection, event)
        self._record_added(batch, batches.index_added(added))

    def _record_added(self, batch: _Batch, added: Mapping[str, AddedRegistrant]) -> None:
        """Store each link with its own person; who is missing is in doubt."""
        now = self._read_clock()
        with self._database.write() as session:
            rows = self._lock(session, batch)
            if events.need_event(session, batch.event.id).zoom_id != batch.event.zoom_id:
                added = {}  # It is about a meeting that is lost; everybody is added to another one.
            strangers = set(added)
            for registration, registrant in rows.values():
                strangers.discard(registration.email.lower())
                if answer := added.get(registration.email.lower()):
                    batches.record_batch_added(session, registrant, answer, now=now)
            self._end(session, batch, rows, now)
            deliveries.request_walk(
                session, batch.event.id, run_at=now + deliveries.READ_AFTER, now=now
            )
        if strangers:
            log.error("zoom answered about somebody else", extra={"event": batch.event.slug})

    def _end(
        self, session: Session, batch: _Batch, rows: Mapping[int, _Row], now: datetime
    ) -> None:
        done: list[endings.Done] = []
        for registration_id, (registration, registrant) in rows.items():
            job, step = batch.jobs[registration_id], deliveries.plan_step(registration, registrant)
            if step is Step.DONE:
                done.append((job, registration, registrant))
            elif step is Step.SETTLE:
                reason = "Zoom's answer to a batch did not name this person"
                endings.leave_unknown(session, job, registrant, reason, now, is_attempt=True)
            else:
                session.flush()
                _give_back(session, job, "", now)
        if done:
            endings.finish_steps(session, done, now)

    def _record_failure(self, batch: _Batch, error: ZoomError) -> None:
        """Decide by the kind of error: look, wait, or add each one alone."""
        reason = endings.describe(error)
        log.warning("zoom refused a batch", extra={"event": batch.event.slug, "reason": reason})
        now = self._read_clock()
        alone_until = _find_end_of_closure(error, now)
        is_theirs = _is_theirs(error)
        is_standing = self._health.is_standing(batch.connection, batch.event)
        goes_back = is_theirs or is_standing or alone_until is not None
        with self._database.write() as session:
            rows = self._lock(session, batch)
            for _, registrant in rows.values():
                self._end_add(registrant, error, now)
                if is_theirs:
                    deliveries.record_problem(
                        registrant, Delivery.WAITING, batches.REFUSED, now=now
                    )
            session.flush()
            for registration_id, (_, registrant) in rows.items():
                job = batch.jobs[registration_id]
                if isinstance(error, ZoomOutcomeUnknown):
                    endings.leave_unknown(session, job, registrant, reason, now, is_attempt=True)
                elif goes_back:
                    _give_back(session, job, reason, now)
                else:
                    _try_later(session, job, error, now)
            if alone_until is not None:
                _close(session, batch, alone_until, now)

    def _end_add(self, registrant: ZoomRegistrant, error: ZoomError, now: datetime) -> None:
        if isinstance(error, ZoomOutcomeUnknown):
            registrant.attempt_ended_at = now
            return
        deliveries.end_add_without_effect(registrant, now=now)
        person_limits.uncount_add(registrant, now=now)

    def _leave_doubts(self, batch: _Batch) -> None:
        """Have the new holders ask Zoom: the call may have added whom they believe missing."""
        now = self._read_clock()
        with self._database.write() as session:
            rows = self._lock(session, batch)
            for _, registrant in rows.values():
                deliveries.begin_doubt(registrant, now=now)
            session.flush()
            for registration, _ in rows.values():
                request_sync(session, registration, now=now)

    def _lock(self, session: Session, batch: _Batch) -> dict[int, _Row]:
        """Read and lock everybody in the order of their ids; a job comes after its person."""
        found = zoom_registrants.lock_by_ids(session, list(batch.jobs))
        return {registration.id: (registration, registrant) for registrant, registration in found}


def _name_closure(event: Event) -> str:
    """Return the name under which the account's budget has batches of an event closed."""
    return f"batch:{event.id}"


def _give_back(session: Session, job: ClaimedJob, reason: str, now: datetime) -> None:
    """Make a job due again for whoever comes, without a try used up."""
    jobs.postpone(session, job, run_at=now, reason=reason, now=now, is_attempt=False)


def _try_later(session: Session, job: ClaimedJob, error: ZoomError, now: datetime) -> None:
    jobs.postpone(
        session,
        job,
        run_at=next_try(job.attempts, now=now, not_before=error.retry_after),
        reason=endings.describe(error),
        now=now,
        is_attempt=not isinstance(error, RateLimited),
    )


def _close(session: Session, batch: _Batch, until: datetime, now: datetime) -> None:
    """Have people of this event be added alone until then."""
    zoom_budgets.close(
        session,
        batch.connection.account_id,
        _name_closure(batch.event),
        until=until.timestamp(),
        day=now.astimezone(UTC).date(),
    )


def _is_theirs(error: ZoomError) -> bool:
    """Tell whether a batch was refused for somebody in it: one by one the others may be taken."""
    if isinstance(error, PersonDayLimited):
        return True
    return not isinstance(error, Retryable | ConfigurationError | BatchNotSupported)


def _find_end_of_closure(error: ZoomError, now: datetime) -> datetime | None:
    """Return until when people of this event are better added alone; None for at once."""
    if isinstance(error, BatchNotSupported):
        return now + timedelta(days=1)
    if isinstance(error, ScopeMissing):
        return now + timedelta(minutes=10)
    if isinstance(error, RateLimited) and not isinstance(error, PersonDayLimited):
        wait = error.retry_after
        return wait if wait is not None and wait - now > LONG_WAIT else None
    return None
