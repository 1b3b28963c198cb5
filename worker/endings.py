"""How a registration's job ends or waits, stored in the caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from services import (
    deliveries,
    handed_places,
    kept_dates,
    person_limits,
    place_signs,
    zoom_refusals,
)
from services.deliveries import Delivery, Step, WrongRegistrant
from services.delivery_stops import STILL_AT_ZOOM
from services.happenings import Happening, tell
from services.mails import (
    MailName,
    hasten_mails_with_link,
    list_left_refused,
    request_mail,
)
from storage import events, jobs, zoom_registrants
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.models import Event, Registration, ZoomRegistrant
from storage.zoom_pauses import EVERYBODY
from zoom_client import (
    PersonDayLimited,
    RegistrantAction,
    ZoomError,
    ZoomOutcomeUnknown,
    ZoomRefused,
)
from zoom_client.pacing import ADDS_A_DAY

from .backoff import next_try

FIRST_LOOK_AFTER = timedelta(seconds=3)
UNKNOWN_FALLBACK = timedelta(minutes=15)
LOOK_FOR_PLACES_EVERY = timedelta(minutes=10)

ACTIONS = {
    Step.APPROVE: RegistrantAction.APPROVE,
    Step.CANCEL: RegistrantAction.CANCEL,
    Step.DENY: RegistrantAction.DENY,
}

log = logging.getLogger(__name__)

Done = tuple[ClaimedJob, Registration, ZoomRegistrant]
"""Somebody for whom nothing is left to do, and the job that was about it."""


def describe(error: ZoomError | WrongRegistrant) -> str:
    """Say what happened, for the organizer: the client's errors hold no address and no link."""
    return f"{type(error).__name__}: {error}"


def record_given_up(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Show at the person that the worker has given up on them; a later success takes it back."""
    registrant = zoom_registrants.get_zoom_registrant(session, job.payload["registration_id"])
    if registrant is not None:
        deliveries.record_problem(registrant, Delivery.NEEDS_SETTING, jobs.GIVEN_UP, now=now)


def is_doubtful(error: ZoomError | WrongRegistrant, registrant: ZoomRegistrant) -> bool:
    """Tell whether what failed, mostly an add, is worth a look through Zoom's lists.

    Zoom refuses somebody whom it has as denied with a code that nobody documents: then they are
    found, and approved. A refusal that comes again after that look is one, and so is an answer
    about somebody else. Whose adds of the day were used up while Zoom refused everybody, and is
    refused with the last one, is told so, as no other add could follow the look.
    """
    is_last_try = registrant.adds_that_day >= ADDS_A_DAY and registrant.problem == EVERYBODY
    if isinstance(error, ZoomRefused) and is_last_try:
        return False
    for kind in (ZoomRefused, WrongRegistrant):
        if isinstance(error, kind):
            return registrant.problem != kind.__name__
    return isinstance(error, ZoomOutcomeUnknown)


def finish_steps(session: Session, done: Sequence[Done], now: datetime) -> None:
    """Record that Zoom has what we want of some people, and send what waited for it.

    They are of one event, and one worker holds them all, so that thirty cost as many statements as
    one.
    """
    event = events.need_event(session, done[0][1].event_id)
    taken, changed, proofs, gives_up = {}, [], [], False
    for _, registration, registrant in done:
        before, proof = registrant.delivery, zoom_refusals.find_proof(registrant)
        gives_up |= before == Delivery.REFUSED or registrant.refused_dates is not None
        deliveries.record_done(registration, registrant, now=now)
        if kept_dates.has_all(registrant):
            request_mail(session, MailName.DATES, registration, now=now)
        kept_dates.forget(registrant)
        changed.append((before, registrant))
        if registrant.delivery == Delivery.REGISTERED and before != Delivery.REGISTERED:
            taken[registration.id] = registration
            proofs += [proof] if proof is not None else []
            tell(session, event, registration, Happening.CONFIRMED, now=now)
    told = hasten_mails_with_link(session, [person[1].id for person in done], now=now)
    for registration_id in list_left_refused(session, taken.keys() - told):
        request_mail(session, MailName.APPROVED, taken[registration_id], now=now)
    session.flush()
    if proofs and zoom_refusals.note_taken(session, event.id, asked_at=max(proofs), now=now):
        log.warning("zoom takes people again", extra={"event": event.slug})
    jobs.finish_all(session, [job for job, _, _ in done], now=now)
    leaving = handed_places.hand_on(session, event, changed, now=now)
    place_signs.note_delivered(session, event, leaving, now=now)
    if gives_up:
        place_signs.request_look(session, event, now=now)


def stop(
    session: Session, job: ClaimedJob, registrant: ZoomRegistrant, reason: str, now: datetime
) -> None:
    """End a job whose step is not taken; what somebody has to see to at Zoom is put aside first.

    That is over once they say, by having it tried again, that they have seen to it.
    """
    if reason.startswith(STILL_AT_ZOOM) and registrant.problem != STILL_AT_ZOOM:
        delivery = Delivery(registrant.delivery)
        deliveries.record_problem(registrant, delivery, STILL_AT_ZOOM, now=now)
        session.flush()
        jobs.park(session, job, reason=reason, now=now)
        return
    session.flush()
    jobs.finish(session, job, reason=reason, now=now)


def return_to_dates(
    session: Session, job: ClaimedJob, registrant: ZoomRegistrant, reason: str, now: datetime
) -> None:
    """Have somebody added at once for the dates that they had, as Zoom has no place on others."""
    deliveries.record_problem(registrant, Delivery.WAITING, kept_dates.WAITS, now=now)
    session.flush()
    jobs.postpone(session, job, run_at=now, reason=reason, now=now, is_attempt=False)


def keep_dates(
    session: Session, job: ClaimedJob, event: Event, registrant: ZoomRegistrant, now: datetime
) -> None:
    """Leave somebody on the dates that they had until the event's form opens again."""
    deliveries.record_problem(registrant, Delivery.WAITING, kept_dates.WAITS, now=now)
    session.flush()
    jobs.postpone(
        session,
        job,
        run_at=now + LOOK_FOR_PLACES_EVERY,
        reason=f"{kept_dates.WAITS}: with those that they had, while {event.closed_by_zoom} holds",
        now=now,
        is_attempt=False,
    )


def find_next_day(step: Step, registrant: ZoomRegistrant, now: datetime) -> datetime | None:
    """Return when Zoom takes a step about this person again, if not today."""
    if step in (Step.ADD, Step.CHANGE_DATES):
        # Whom it had no place for before may need another add for the way back.
        adds = 2 if step is Step.CHANGE_DATES and registrant.refused_dates else 1
        return person_limits.find_next_add(registrant, adds=adds, now=now)
    return person_limits.find_next_change(registrant, now=now) if step in ACTIONS else None


def wait_for_next_day(
    session: Session,
    job: ClaimedJob,
    registrant: ZoomRegistrant,
    resets_at: datetime,
    now: datetime,
) -> None:
    deliveries.record_problem(registrant, Delivery.WAITING, PersonDayLimited.__name__, now=now)
    word = kept_dates.WAITS if kept_dates.has_link(registrant) else PersonDayLimited.__name__
    session.flush()
    jobs.postpone(
        session,
        job,
        run_at=next_try(job.attempts, now=now, not_before=resets_at),
        reason=f"{word}: Zoom takes no more about this person today (UTC)",
        now=now,
        is_attempt=False,
    )


def give_zoom_time(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Wait where Zoom accepted a change and does not show it: asking at once would waste calls."""
    reason = "Zoom says yes and changes nothing"
    jobs.postpone(session, job, run_at=next_try(job.attempts, now=now), reason=reason, now=now)


def keep_lease(session: Session, job: ClaimedJob, now: datetime) -> None:
    session.flush()
    jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)


def leave_unknown(
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


def look_for(
    session: Session,
    job: ClaimedJob,
    registrant: ZoomRegistrant,
    error: ZoomError | WrongRegistrant,
    now: datetime,
) -> None:
    """Have somebody looked for in Zoom's lists, after an error that leaves open what Zoom has.

    Who is not there and was refused in words that say nothing is then added without answers.
    """
    if isinstance(error, WrongRegistrant):
        deliveries.record_unsure(registrant, now=now)
    elif isinstance(error, ZoomRefused):
        registrant.sends_answers = False
    problem = type(error).__name__
    deliveries.record_problem(registrant, Delivery.WAITING, problem, now=now)
    leave_unknown(session, job, registrant, describe(error), now, is_attempt=True)
