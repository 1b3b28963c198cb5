"""Delivery of registrations to Zoom: what to do next, and what an answer means.

The worker asks for the next step, makes that one call, and records its result. So a delivery can
stop at any point and go on from what is stored; nothing is assumed about a call whose outcome is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import (
    events,
    job_requests,
    known_registrants,
    registration_index,
    registrations,
    zoom_pauses,
    zoom_registrants,
)
from storage.job_requests import ZOOM_SETTLE
from storage.models import Event, Registration, ZoomRegistrant
from zoom_client import (
    AddedRegistrant,
    Kind,
    Registrant,
    RegistrantRef,
    RegistrantStatus,
)

from .chosen_dates import ZoomDates
from .keys import KeyRing
from .person_limits import count_add, count_change
from .registrations import Status

LOOKS_BEFORE_ADDING_AGAIN = 2

# A walk costs a call for each 300 people; a stream of doubts must not make one after the other.
BETWEEN_WALKS = timedelta(seconds=15)
# What a batch does not tell waits for the batches that follow.
READ_AFTER = timedelta(seconds=10)

# Zoom's times have whole seconds, and two clocks never agree quite.
CREATE_TIME_TOLERANCE = timedelta(seconds=2)


class Delivery(StrEnum):
    """What became of a registration at Zoom, as the dashboard says it."""

    WAITING = "waiting"
    REGISTERED = "registered"
    WITHDRAWN = "withdrawn"
    NEEDS_SETTING = "needs_setting"
    REFUSED = "refused"


class Step(StrEnum):
    """The one call that brings Zoom nearer to what we want."""

    ADD = "add"
    APPROVE = "approve"
    CANCEL = "cancel"
    CHANGE_DATES = "change_dates"
    DENY = "deny"
    LEAVE = "leave"
    READ = "read"
    SETTLE = "settle"
    DONE = "done"


CHANGING = "changing"
"""Stands for Zoom's status while it is to be read before anything else, as while we change it."""


class WrongRegistrant(Exception):
    """Zoom answered with another person or meeting than was asked for; nothing of it is kept."""


def plan_step(
    registration: Registration,
    registrant: ZoomRegistrant,
    dates: ZoomDates | None = None,
) -> Step:
    """Compare what the registration is with what Zoom said last.

    `dates` is given where people choose. Nobody says what Zoom makes of an add for further dates,
    so who wants other ones leaves all and is added anew.
    """
    if registrant.attempt_started_at is not None:
        return Step.SETTLE
    at_zoom = registrant.zoom_status
    if at_zoom == CHANGING:
        return Step.READ
    if registration.status != Status.APPROVED:
        return {
            RegistrantStatus.APPROVED: Step.CANCEL,
            RegistrantStatus.PENDING: Step.DENY,
        }.get(RegistrantStatus(at_zoom) if at_zoom else RegistrantStatus.DENIED, Step.DONE)
    if at_zoom is None:
        return Step.ADD
    if dates is not None and registrant.occurrence_ids is not None:
        has = dates.ahead.intersection(registrant.occurrence_ids)
        if dates.wanted - has:
            return Step.CHANGE_DATES
        if has - dates.wanted:
            return Step.LEAVE
    if at_zoom != RegistrantStatus.APPROVED:
        return Step.APPROVE
    return Step.DONE if registrant.join_url is not None else Step.READ


def begin_add(registrant: ZoomRegistrant, dates: ZoomDates | None = None, *, now: datetime) -> None:
    """Remember, before the call, that an add is under way, and for which dates.

    A process may die during it.
    """
    registrant.occurrence_ids = None if dates is None else sorted(dates.wanted)
    registrant.attempt_started_at = now
    registrant.attempt_ended_at = None
    registrant.first_attempt_at = registrant.first_attempt_at or now
    registrant.last_attempt_at = now
    registrant.answered_at = None
    registrant.missed_looks = 0
    registrant.last_missed_at = None
    registrant.updated_at = now
    count_add(registrant, now=now)


def begin_change(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Forget Zoom's status before a call that changes it: its answer may be lost, or come late."""
    registrant.zoom_status = CHANGING
    registrant.last_attempt_at = now
    registrant.updated_at = now
    count_change(registrant, now=now)


def doubt_status(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Have Zoom be read before anything else: what an answer said of somebody may be untrue."""
    registrant.zoom_status = CHANGING
    registrant.updated_at = now


def begin_doubt(registrant: ZoomRegistrant, *, looks: int = 2, now: datetime) -> None:
    """Have the person looked up in Zoom's lists, as after an add without an answer.

    Where the call certainly did nothing, one of the `looks` is enough.
    """
    registrant.attempt_started_at = registrant.attempt_ended_at = now
    registrant.missed_looks = LOOKS_BEFORE_ADDING_AGAIN - looks
    registrant.last_missed_at = None
    registrant.updated_at = now


def end_add_without_effect(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Record that Zoom certainly did nothing."""
    registrant.attempt_started_at = None
    registrant.attempt_ended_at = None
    registrant.updated_at = now


def leave_answers_out(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Record that Zoom took nothing, perhaps for the answers: from now on it gets none of them."""
    end_add_without_effect(registrant, now=now)
    registrant.sends_answers = False


def end_add_unknown(
    session: Session, registrant: ZoomRegistrant, *, run_at: datetime, now: datetime
) -> None:
    """Record that nobody knows what Zoom did, and have the event's registrants looked through.

    Side effects: the event's settling job.
    """
    registrant.attempt_ended_at = registrant.attempt_ended_at or now
    registrant.updated_at = now
    # The person before the job, as the walk takes them: else the two wait for each other.
    session.flush()
    request_walk(session, registrant.event_id, run_at=run_at, now=now)


def request_walk(session: Session, event_id: int, *, run_at: datetime, now: datetime) -> None:
    """Have the event's registrants at Zoom be looked through, but not right after the last time."""
    state = zoom_pauses.get_event(session, event_id)
    if state is not None and state.walked_at is not None and state.walked_at <= now:
        run_at = max(run_at, state.walked_at + BETWEEN_WALKS)
    job_requests.ensure(
        session,
        kind=ZOOM_SETTLE.kind,
        key=ZOOM_SETTLE.key(event_id),
        payload={ZOOM_SETTLE.name: event_id},
        event_id=event_id,
        run_at=run_at,
        now=now,
    )


def record_added(
    event: Event,
    registration: Registration,
    registrant: ZoomRegistrant,
    added: AddedRegistrant,
    *,
    now: datetime,
) -> None:
    """Store whom an add made; the answer names no address, so the link is kept only once read.

    Nobody is cancelled or denied by its id before that either: it may be another person's. To be
    approved a webinar's people are named by id and address, of which Zoom wants both to fit.

    Raises:
        WrongRegistrant: the answer is about another meeting.
    """
    if added.meeting_id is not None and added.meeting_id != event.zoom_id:
        raise WrongRegistrant("another meeting")
    keep_added(registrant, added, now=now)
    is_to_be_approved = registration.status == Status.APPROVED
    if not is_to_be_approved or registrant.zoom_status != RegistrantStatus.PENDING:
        doubt_status(registrant, now=now)


def keep_added(registrant: ZoomRegistrant, added: AddedRegistrant, *, now: datetime) -> None:
    """Store the id and status of somebody who was added; only approved people have a link."""
    end_add_without_effect(registrant, now=now)
    registrant.registrant_id = added.registrant_id
    approved = RegistrantStatus.APPROVED if added.join_url else RegistrantStatus.PENDING
    registrant.zoom_status = added.status or approved


def record_read(
    session: Session,
    registration: Registration,
    registrant: ZoomRegistrant,
    read: Registrant,
    *,
    keys: KeyRing,
    now: datetime,
) -> None:
    """Store what Zoom says of a registrant, whatever it is.

    Raises:
        WrongRegistrant: the answer is about another address.
    """
    if read.email.lower() != registration.email.lower():
        raise WrongRegistrant("another address")
    end_add_without_effect(registrant, now=now)
    registrant.registrant_id = read.id
    registrant.zoom_status = read.status
    if read.join_url or read.status != RegistrantStatus.APPROVED:
        zoom_registrants.write_join_url(session, registrant, read.join_url)
    record_whether_new(session, registration, registrant, read, keys=keys)


def record_whether_new(
    session: Session,
    registration: Registration,
    registrant: ZoomRegistrant,
    read: Registrant,
    *,
    keys: KeyRing,
) -> None:
    """Store, once, whether Zoom has the person through us alone."""
    if registrant.is_new_to_zoom is None:
        was_known = known_registrants.is_known(
            session, registration.event_id, keys.list_email_hashes(registration.email_key)
        )
        registrant.is_new_to_zoom = not was_known and _came_with_us(registrant, read)


def renew_links(session: Session, event: Event, people: Iterable[Registrant]) -> None:
    """Store the links that Zoom has now: a changed passcode makes those before it useless."""
    links = {person.id: person.join_url for person in people if person.join_url}
    for registrant in zoom_registrants.list_with_link(session, event.id):
        link = links.get(registrant.registrant_id or "")
        if link is not None:
            zoom_registrants.write_join_url(session, registrant, link)


def record_gone(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Record that Zoom does not have the person (any more)."""
    end_add_without_effect(registrant, now=now)
    registrant.zoom_status = None
    registrant.registrant_id = None
    registrant.join_url = None
    registrant.occurrence_ids = None


def list_to_leave(registrant: ZoomRegistrant, step: Step, dates: ZoomDates) -> list[str]:
    """List the dates from which to remove the person: unwanted ones, or all before a new add.

    Where nobody knows on which dates Zoom has them, every date counts.
    """
    has = dates.known.intersection(registrant.occurrence_ids or dates.known)
    return sorted(has if step is Step.CHANGE_DATES else has & dates.ahead - dates.wanted)


def begin_doubt_of_dates(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Have the person leave all dates and be added again: a late call may have changed some."""
    registrant.occurrence_ids = []
    registrant.updated_at = now


def record_left(registrant: ZoomRegistrant, date: str, *, now: datetime) -> None:
    """Record that Zoom has the person on a date no more; without any it does not have them.

    Where nobody knows on which dates Zoom has them, that stays so: it may have left the wanted one.
    """
    has = registrant.occurrence_ids
    if has:
        registrant.occurrence_ids = [other for other in has if other != date]
        if not registrant.occurrence_ids:
            record_gone(registrant, now=now)
    registrant.updated_at = now


def record_unsure(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Forget what Zoom said about a person whom it does not show, or takes for somebody else.

    That does not prove that it has no such person: its answers may lag behind. Believing them could
    leave a seat to somebody who cancelled, or spend one of three adds a day.
    """
    record_gone(registrant, now=now)
    begin_doubt(registrant, now=now)


def record_done(registration: Registration, registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Record that Zoom has what we want."""
    wanted = registration.status == Status.APPROVED
    _set_delivery(registrant, Delivery.REGISTERED if wanted else Delivery.WITHDRAWN)
    registrant.problem = ""
    registrant.answered_at = now
    registrant.updated_at = now


def record_problem(
    registrant: ZoomRegistrant, delivery: Delivery, problem: str, *, now: datetime
) -> None:
    _set_delivery(registrant, delivery)
    registrant.problem = problem
    registrant.updated_at = now


def _set_delivery(registrant: ZoomRegistrant, delivery: Delivery) -> None:
    if registrant.delivery != delivery:
        registrant.delivery = delivery
        registration_index.mark_registrant(registrant)


def make_ref(registration: Registration, registrant: ZoomRegistrant) -> RegistrantRef:
    assert registrant.registrant_id is not None, "the registrant was read or added"
    return RegistrantRef(id=registrant.registrant_id, email=registration.email)


def get_kind(event: Event) -> Kind:
    return Kind(event.kind)


def read_for_step(
    session: Session, registration_id: int
) -> tuple[Event, Registration, ZoomRegistrant]:
    """Read and lock what one step is about.

    Raises:
        LookupError: the registration is gone.
    """
    registration = registrations.lock_registration(session, registration_id)
    registrant = zoom_registrants.get_zoom_registrant(session, registration_id)
    if registration is None or registrant is None:
        raise LookupError(f"registration {registration_id}")
    event = events.need_event(session, registration.event_id)
    return event, registration, registrant


def _came_with_us(registrant: ZoomRegistrant, read: Registrant) -> bool:
    if read.create_time is None or registrant.first_attempt_at is None:
        return False
    return read.create_time >= registrant.first_attempt_at - CREATE_TIME_TOLERANCE
