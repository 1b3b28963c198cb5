"""Making Zoom match our registrations, step by step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from services import deliveries, kept_dates, new_registrants, person_limits, place_signs
from services.chosen_dates import ZoomDates, read_zoom_dates
from services.deliveries import Delivery, Step, WrongRegistrant
from services.delivery_stops import describe_stop
from services.fault_points import fault_point
from services.keys import KeyRing
from services.registrations import request_sync
from services.zoom_refusals import EverybodyRefused
from storage import jobs, organizations
from storage.jobs import LEASE_SECONDS, ClaimedJob, LeaseLost
from storage.models import Event, Registration, ZoomConnection, ZoomRegistrant
from storage.session import Database
from zoom_client import (
    ConfigurationError,
    PersonDayLimited,
    RateLimited,
    RegistrantNotFound,
    Retryable,
    ValidationFailed,
    ZoomClient,
    ZoomError,
    ZoomOutcomeUnknown,
)

from . import endings
from .backoff import next_try
from .batches import BatchAdding
from .refusals import Refusals
from .zoom_health import ZoomHealth

MOST_STEPS = 6
_LEAVING = (Step.LEAVE, Step.CHANGE_DATES)
FRESH_FOR = timedelta(seconds=LEASE_SECONDS / 2)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Situation:
    """What one step starts from, detached from its transaction."""

    step: Step
    event: Event
    registration: Registration
    registrant: ZoomRegistrant
    connection: ZoomConnection
    begun_at: datetime
    dates: ZoomDates | None


class RegistrantSync:
    """Handles the job `zoom.sync`: makes Zoom match one registration.

    Args:
        make_client: returns the client of a connection; all share one pool.
        read_clock: the time, aware.
    """

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
        self._refusals = Refusals(database, read_clock=read_clock)
        self._batches = BatchAdding(
            database, make_client=make_client, health=self._health, read_clock=read_clock
        )

    def handle(self, job: ClaimedJob) -> None:
        """Go step by step, each one stored, until nothing is left to do or to be gained."""
        if self._batches.handle(job):
            return
        before = None
        for _ in range(MOST_STEPS):
            situation = self._begin_step(job, before)
            if situation is None:
                if before is None:
                    self._health.give_probe_back(job)
                return
            client = self._make_client(situation.connection)
            self._check_fresh(job, situation)
            try:
                if not self._try_step(job, situation, client):
                    return
            except LeaseLost:
                self._leave_doubt(job, situation)
                raise
            before = situation.step
        now = self._read_clock()
        with self._database.write() as session:
            endings.give_zoom_time(session, job, now)

    def _begin_step(self, job: ClaimedJob, before: Step | None) -> _Situation | None:
        """Plan the next step and store that it begins; None if there is nothing to call now."""
        now = self._read_clock()
        with self._storing(job) as (session, event, registration, registrant):
            dates = read_zoom_dates(session, event, registration, now=now)
            limited = kept_dates.limit(event, registration, registrant, dates)
            dates = limited or dates
            step = deliveries.plan_step(registration, registrant, dates)
            if step is Step.DONE and limited:
                endings.keep_dates(session, job, event, registrant, now)
                return None
            if step is Step.DONE:
                endings.finish_steps(session, [(job, registration, registrant)], now)
                return None
            leaves = dates and deliveries.list_to_leave(registrant, step, dates)
            if step is Step.CHANGE_DATES and not leaves:
                # Zoom dropped all of the dates for which it had them.
                deliveries.record_gone(registrant, now=now)
                step = Step.ADD
            if stop := describe_stop(event, registration, step, dates, now=now):
                endings.stop(session, job, registrant, stop, now)
                return None
            if step is Step.SETTLE:
                reason = "asking Zoom what became of the last try"
                endings.leave_unknown(session, job, registrant, reason, now, is_attempt=False)
                return None
            if resets_at := endings.find_next_day(step, registrant, now):
                endings.wait_for_next_day(session, job, registrant, resets_at, now)
                return None
            if step is before and step not in (Step.ADD, *_LEAVING):
                # An add follows an add only once: without the answers that Zoom refused.
                endings.give_zoom_time(session, job, now)
                return None
            if step is Step.CHANGE_DATES and dates:
                kept_dates.begin_change_of_dates(registrant, dates)
            if step is Step.ADD:
                deliveries.begin_add(registrant, dates, now=now)
            elif step in endings.ACTIONS:
                deliveries.begin_change(registrant, now=now)
            endings.keep_lease(session, job, now)
            connection = organizations.need_connection(session, event.connection_id)
        return _Situation(step, event, registration, registrant, connection, now, dates)

    def _try_step(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> bool:
        """Take the step; return False where it failed and there is nothing more to do now."""
        try:
            self._take_step(job, situation, client)
        except ZoomError as failure:
            error = self._refusals.judge(job, situation.step, failure)
            self._health.record_failure(situation.connection, situation.event, error)
            self._record_failure(job, situation, error)
            return False
        except WrongRegistrant as error:
            log.error("zoom answered about somebody else", extra={"job": job.key})
            self._record_failure(job, situation, error)
            return False
        self._health.record_success(situation.connection, situation.event)
        return True

    def _take_step(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> None:
        if situation.step is Step.ADD:
            self._add(job, situation, client)
            return
        if situation.step in _LEAVING:
            self._leave_dates(job, situation, client)
            return
        event, registrant = situation.event, situation.registrant
        kind = deliveries.get_kind(event)
        ref = deliveries.make_ref(situation.registration, registrant)
        try:
            if action := endings.ACTIONS.get(situation.step):
                fault_point("before_status")
                with self._counting_change(job):
                    client.set_registrant_status(kind, event.zoom_id, action, [ref])
            read = client.get_registrant(kind, event.zoom_id, ref.id)
        except RegistrantNotFound:
            read = None
        fault_point("before_save_link")
        now = self._read_clock()
        with self._storing(job) as (session, current, registration, stored):
            if current.zoom_id != event.zoom_id:
                pass  # It is about a meeting that is lost; everybody is added to another one.
            elif read is None:
                deliveries.record_unsure(stored, now=now)
            else:
                deliveries.record_read(
                    session, registration, stored, read, keys=self._keys, now=now
                )
            endings.keep_lease(session, job, now)

    @contextmanager
    def _counting_change(self, job: ClaimedJob) -> Iterator[None]:
        """Take back the count of a change that Zoom turned away unread.

        One whose answer was lost stays counted, as one after which only the reading fails.
        """
        try:
            yield
        except (Retryable, ConfigurationError) as error:
            if not (isinstance(error, ZoomOutcomeUnknown) and error.may_have_happened):
                now = self._read_clock()
                with self._storing(job) as (_, _, _, registrant):
                    person_limits.uncount_change(registrant, now=now)
            raise

    def _add(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> None:
        event = situation.event
        with self._database.read() as session:
            person = new_registrants.make_new_registrant(session, event, situation.registration)
        if not situation.registrant.sends_answers:
            person = new_registrants.make_bare_registrant(person)
        kind = deliveries.get_kind(event)
        fault_point("before_zoom")
        try:
            added = client.add_registrant(
                kind,
                event.zoom_id,
                person,
                auto_approve=True,
                occurrence_ids=sorted(situation.dates.wanted) if situation.dates else (),
            )
        except ValidationFailed as error:
            if not new_registrants.may_be_about_answers(error, person):
                raise
            added = None
        fault_point("after_zoom")
        now = self._read_clock()
        with self._storing(job) as (session, _, registration, registrant):
            if added is None:
                deliveries.leave_answers_out(registrant, now=now)
            else:
                deliveries.record_added(event, registration, registrant, added, now=now)
            endings.keep_lease(session, job, now)

    def _leave_dates(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> None:
        """Take somebody off some dates at Zoom; off one where they are not nothing changes.

        Whoever is to be added anew leaves all that there are.
        """
        event, registrant, dates = situation.event, situation.registrant, situation.dates
        assert dates is not None, "only where people choose"
        kind = deliveries.get_kind(event)
        ref = deliveries.make_ref(situation.registration, registrant)
        is_gone = situation.step is Step.CHANGE_DATES
        fault_point("before_leave")
        left = deliveries.list_to_leave(registrant, situation.step, dates)
        while left:
            date = left[0]
            try:
                client.delete_registrant(kind, event.zoom_id, ref.id, occurrence_id=date)
            except RegistrantNotFound:
                is_gone = True
                break
            except ValidationFailed:
                # Zoom has no such date any more, nor therefore anybody on it.
                pass
            fault_point("after_leave")
            record = partial(deliveries.record_left, date=left.pop(0))
            self._store_left(job, situation.step, [date], record)
        if is_gone:
            self._store_left(job, situation.step, left, deliveries.record_gone)

    def _store_left(
        self, job: ClaimedJob, step: Step, dates: list[str], record: Callable[..., None]
    ) -> None:
        """Store each date by itself: many at a slow Zoom take longer than a lease."""
        now = self._read_clock()
        with self._storing(job) as (session, _, _, stored):
            record(stored, now=now)
            endings.keep_lease(session, job, now)
            comes_back = step is Step.CHANGE_DATES
            place_signs.note_left(session, stored, dates, comes_back=comes_back, now=now)

    def _check_fresh(self, job: ClaimedJob, situation: _Situation) -> None:
        """Make no call that was planned long ago.

        A machine that was suspended in between wakes with a lease that somebody else may hold, and
        with a plan that may be wrong by now; Zoom knows of no lease.
        """
        if self._read_clock() - situation.begun_at > FRESH_FOR:
            raise LeaseLost(job.key)

    def _leave_doubt(self, job: ClaimedJob, situation: _Situation) -> None:
        """Have the new holder ask Zoom: our call may have changed there what it has read before."""
        now = self._read_clock()
        with self._database.write() as session:
            _, registration, registrant = deliveries.read_for_step(
                session, job.payload["registration_id"]
            )
            if situation.step is Step.ADD:
                deliveries.begin_doubt(registrant, now=now)
            elif situation.step in endings.ACTIONS and registrant.registrant_id is not None:
                deliveries.begin_change(registrant, now=now)
            elif situation.step in _LEAVING:
                deliveries.begin_doubt_of_dates(registrant, now=now)
            session.flush()
            request_sync(session, registration, now=now)

    def _record_failure(
        self, job: ClaimedJob, situation: _Situation, error: ZoomError | WrongRegistrant
    ) -> None:
        """Decide by the kind of error whether to look, to wait, or to put aside."""
        log.warning(
            "zoom call failed",
            extra={"job": job.key, "step": str(situation.step), "reason": endings.describe(error)},
        )
        tells_nothing = situation.step is Step.ADD or isinstance(error, WrongRegistrant)
        if tells_nothing and endings.is_doubtful(error, situation.registrant):
            now = self._read_clock()
            with self._storing(job) as (session, _, _, registrant):
                endings.look_for(session, job, registrant, error, now)
        elif isinstance(error, PersonDayLimited):
            self._look_once(job, situation, error)
        elif isinstance(error, Retryable):
            self._wait(job, situation, error, Delivery.WAITING)
        elif isinstance(error, ConfigurationError):
            self._wait(job, situation, error, Delivery.NEEDS_SETTING)
        else:
            self._refuse(job, situation, error)

    def _look_once(self, job: ClaimedJob, situation: _Situation, error: PersonDayLimited) -> None:
        """Find out whether Zoom has them from one of those calls; else they wait for its next day.

        It counts whatever was tried for this address today, by whomever.
        """
        now = self._read_clock()
        with self._storing(job) as (session, _, _, registrant):
            problem, reason = type(error).__name__, endings.describe(error)
            deliveries.record_problem(registrant, Delivery.WAITING, problem, now=now)
            if situation.step is Step.ADD:
                person_limits.use_up_adds(registrant, now=now)
                deliveries.begin_doubt(registrant, looks=1, now=now)
                endings.leave_unknown(session, job, registrant, reason, now, is_attempt=False)
            else:
                person_limits.use_up_changes(registrant, now=now)
                endings.wait_for_next_day(session, job, registrant, error.retry_after or now, now)

    def _wait(
        self, job: ClaimedJob, situation: _Situation, error: ZoomError, delivery: Delivery
    ) -> None:
        """Wait alone, or with everybody else until a probe shows that it works again."""
        now = self._read_clock()
        is_standing = self._health.is_standing(situation.connection, situation.event)
        with self._storing(job) as (session, _, _, registrant):
            deliveries.end_add_without_effect(registrant, now=now)
            if situation.step is Step.ADD and not isinstance(error, EverybodyRefused):
                person_limits.uncount_add(registrant, now=now)
            deliveries.record_problem(registrant, delivery, type(error).__name__, now=now)
            session.flush()
            alone = next_try(job.attempts, now=now, not_before=error.retry_after)
            jobs.postpone(
                session,
                job,
                run_at=now if is_standing else alone,
                reason=endings.describe(error),
                now=now,
                is_attempt=not (is_standing or isinstance(error, RateLimited)),
            )

    def _refuse(
        self, job: ClaimedJob, situation: _Situation, error: ZoomError | WrongRegistrant
    ) -> None:
        about = (situation.step, situation.event, error)
        self._refusals.put_aside(job, *about, dates=situation.dates, asked_at=situation.begun_at)

    @contextmanager
    def _storing(
        self, job: ClaimedJob
    ) -> Iterator[tuple[Session, Event, Registration, ZoomRegistrant]]:
        """Open a transaction on the job's registration.

        Everybody takes the registration first and the job last, so nobody waits in a circle.
        """
        with self._database.write() as session:
            yield session, *deliveries.read_for_step(session, job.payload["registration_id"])
