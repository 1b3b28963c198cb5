"""Making Zoom match our registrations, one call at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services import deliveries
from services.deliveries import Delivery, Step, WrongRegistrant
from services.fault_points import fault_point
from services.keys import KeyRing
from services.mails import MailName, hasten_mails_with_link, request_mail
from services.registrations import request_sync
from storage import jobs, organizations, zoom_registrants
from storage.jobs import LEASE_SECONDS, ClaimedJob, LeaseLost
from storage.models import Event, Registration, ZoomConnection, ZoomRegistrant
from storage.session import Database
from zoom_client import (
    ConfigurationError,
    RateLimited,
    RegistrantAction,
    RegistrantNotFound,
    Retryable,
    ValidationFailed,
    ZoomClient,
    ZoomError,
    ZoomOutcomeUnknown,
    ZoomRefused,
)

from .backoff import next_try

FIRST_LOOK_AFTER = timedelta(seconds=3)
MOST_STEPS = 6
FRESH_FOR = timedelta(seconds=LEASE_SECONDS / 2)
UNKNOWN_FALLBACK = timedelta(minutes=15)

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

    def handle(self, job: ClaimedJob) -> None:
        """Go step by step, each one stored, until nothing is left to do or to be gained."""
        before = None
        for _ in range(MOST_STEPS):
            situation = self._begin_step(job, before)
            if situation is None:
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
            _give_zoom_time(session, job, now)

    def _begin_step(self, job: ClaimedJob, before: Step | None) -> _Situation | None:
        """Plan the next step and store that it begins; None if there is nothing to call now."""
        now = self._read_clock()
        with self._storing(job) as (session, event, registration, registrant):
            step = deliveries.plan_step(registration, registrant)
            if step is Step.DONE:
                _finish(session, job, registration, registrant, now)
                return None
            if ending := deliveries.describe_ending(event, now=now):
                session.flush()
                jobs.finish(session, job, reason=ending, now=now)
                return None
            if step is Step.SETTLE:
                reason = "asking Zoom what became of the last try"
                _leave_unknown(session, job, registrant, reason, now, is_attempt=False)
                return None
            if step is before and step is not Step.ADD:
                # An add follows an add only once: without the answers that Zoom refused.
                _give_zoom_time(session, job, now)
                return None
            if step is Step.ADD:
                deliveries.begin_add(registrant, now=now)
            elif step in _ACTIONS:
                deliveries.begin_change(registrant, now=now)
            _keep_lease(session, job, now)
            connection = organizations.need_connection(session, event.connection_id)
        return _Situation(step, event, registration, registrant, connection, now)

    def _try_step(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> bool:
        """Take the step; return False where it failed and there is nothing more to do now."""
        try:
            self._take_step(job, situation, client)
        except ZoomError as error:
            self._record_failure(job, situation, error)
            return False
        except WrongRegistrant as error:
            log.error("zoom answered about somebody else", extra={"job": job.id})
            self._refuse(job, situation, error)
            return False
        return True

    def _take_step(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> None:
        if situation.step is Step.ADD:
            self._add(job, situation, client)
            return
        event, registrant = situation.event, situation.registrant
        kind = deliveries.get_kind(event)
        ref = deliveries.make_ref(situation.registration, registrant)
        try:
            if action := _ACTIONS.get(situation.step):
                fault_point("before_status")
                client.set_registrant_status(kind, event.zoom_id, action, [ref])
            read = client.get_registrant(kind, event.zoom_id, ref.id)
        except RegistrantNotFound:
            read = None
        fault_point("before_save_link")
        now = self._read_clock()
        with self._storing(job) as (session, _, registration, stored):
            if read is None:
                deliveries.record_unsure(stored, now=now)
            else:
                deliveries.record_read(
                    session, registration, stored, read, keys=self._keys, now=now
                )
            _keep_lease(session, job, now)

    def _add(self, job: ClaimedJob, situation: _Situation, client: ZoomClient) -> None:
        event, sends_answers = situation.event, situation.registrant.sends_answers
        with self._database.read() as session:
            person = deliveries.make_new_registrant(session, event, situation.registration)
        if not sends_answers:
            person = deliveries.make_bare_registrant(person)
        kind = deliveries.get_kind(event)
        fault_point("before_zoom")
        try:
            added = client.add_registrant(kind, event.zoom_id, person, auto_approve=True)
        except ValidationFailed as error:
            if not sends_answers or not deliveries.is_about_answers(error):
                raise
            added = None
        fault_point("after_zoom")
        now = self._read_clock()
        with self._storing(job) as (session, _, _, registrant):
            if added is None:
                deliveries.leave_answers_out(registrant, now=now)
            else:
                deliveries.record_added(event, registrant, added, now=now)
            _keep_lease(session, job, now)

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
            elif situation.step in _ACTIONS and registrant.registrant_id is not None:
                deliveries.begin_change(registrant, now=now)
            session.flush()
            request_sync(session, registration, now=now)

    def _record_failure(self, job: ClaimedJob, situation: _Situation, error: ZoomError) -> None:
        """Decide by the kind of error whether to look, to wait, or to put aside."""
        log.warning(
            "zoom call failed",
            extra={"job": job.id, "step": str(situation.step), "reason": describe(error)},
        )
        if situation.step is Step.ADD and _is_doubtful(error, situation.registrant):
            now = self._read_clock()
            with self._storing(job) as (session, _, _, registrant):
                problem = type(error).__name__
                deliveries.record_problem(registrant, Delivery.WAITING, problem, now=now)
                _leave_unknown(session, job, registrant, describe(error), now, is_attempt=True)
        elif isinstance(error, Retryable):
            self._wait(job, error, Delivery.WAITING)
        elif isinstance(error, ConfigurationError):
            self._wait(job, error, Delivery.NEEDS_SETTING)
        else:
            self._refuse(job, situation, error)

    def _wait(self, job: ClaimedJob, error: ZoomError, delivery: Delivery) -> None:
        now = self._read_clock()
        with self._storing(job) as (session, _, _, registrant):
            deliveries.end_add_without_effect(registrant, now=now)
            deliveries.record_problem(registrant, delivery, type(error).__name__, now=now)
            session.flush()
            jobs.postpone(
                session,
                job,
                run_at=next_try(job.attempts, now=now, not_before=error.retry_after),
                reason=describe(error),
                now=now,
                is_attempt=not isinstance(error, RateLimited),
            )

    def _refuse(
        self, job: ClaimedJob, situation: _Situation, error: ZoomError | WrongRegistrant
    ) -> None:
        """Put aside what waiting will not mend, and tell the person once."""
        now = self._read_clock()
        with self._storing(job) as (session, _, registration, registrant):
            is_news = registrant.delivery != Delivery.REFUSED
            if isinstance(error, WrongRegistrant):
                deliveries.record_unsure(registrant, now=now)
            else:
                deliveries.end_add_without_effect(registrant, now=now)
            problem = type(error).__name__
            deliveries.record_problem(registrant, Delivery.REFUSED, problem, now=now)
            if is_news and situation.step in (Step.ADD, Step.APPROVE, Step.READ):
                request_mail(session, MailName.REFUSED, registration, now=now)
            session.flush()
            jobs.park(session, job, reason=describe(error), now=now)

    @contextmanager
    def _storing(
        self, job: ClaimedJob
    ) -> Iterator[tuple[Session, Event, Registration, ZoomRegistrant]]:
        """Open a transaction on the job's registration.

        Everybody takes the registration first and the job last, so nobody waits in a circle.
        """
        with self._database.write() as session:
            yield session, *deliveries.read_for_step(session, job.payload["registration_id"])


_ACTIONS = {
    Step.APPROVE: RegistrantAction.APPROVE,
    Step.CANCEL: RegistrantAction.CANCEL,
    Step.DENY: RegistrantAction.DENY,
}


def describe(error: ZoomError | WrongRegistrant) -> str:
    """Say what happened, for the organizer: the client's errors hold no address and no link."""
    return f"{type(error).__name__}: {error}"


def record_given_up(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Show at the person that the worker has given up on them; a later success takes it back."""
    registrant = zoom_registrants.get_zoom_registrant(session, job.payload["registration_id"])
    if registrant is not None:
        deliveries.record_problem(registrant, Delivery.NEEDS_SETTING, "GivenUp", now=now)


def _is_doubtful(error: ZoomError, registrant: ZoomRegistrant) -> bool:
    """Tell whether an add that failed is worth a look through Zoom's lists.

    Zoom refuses somebody whom it has as denied with a code that nobody documents: then they are
    found, and approved. A refusal that comes again after that look is one.
    """
    if isinstance(error, ZoomRefused):
        return registrant.problem != ZoomRefused.__name__
    return isinstance(error, ZoomOutcomeUnknown)


def _finish(
    session: Session,
    job: ClaimedJob,
    registration: Registration,
    registrant: ZoomRegistrant,
    now: datetime,
) -> None:
    """Record that Zoom has what we want, and send what waited for it."""
    was_refused = registrant.delivery == Delivery.REFUSED
    deliveries.record_done(registration, registrant, now=now)
    is_told = hasten_mails_with_link(session, registration.id, now=now)
    if was_refused and not is_told and registrant.delivery == Delivery.REGISTERED:
        request_mail(session, MailName.APPROVED, registration, now=now)
    session.flush()
    jobs.finish(session, job, now=now)


def _give_zoom_time(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Wait where Zoom said yes and shows nothing of it: asking at once would only use up calls."""
    reason = "Zoom says yes and changes nothing"
    jobs.postpone(session, job, run_at=next_try(job.attempts, now=now), reason=reason, now=now)


def _keep_lease(session: Session, job: ClaimedJob, now: datetime) -> None:
    session.flush()
    jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)


def _leave_unknown(
    session: Session,
    job: ClaimedJob,
    registrant: ZoomRegistrant,
    reason: str,
    now: datetime,
    *,
    is_attempt: bool,
) -> None:
    """Wait for the settling job, which makes this one ready again as soon as it knows."""
    deliveries.end_add_unknown(session, registrant, run_at=now + FIRST_LOOK_AFTER, now=now)
    session.flush()
    jobs.postpone(
        session,
        job,
        run_at=now + UNKNOWN_FALLBACK,
        reason=reason,
        now=now,
        is_attempt=is_attempt,
    )
