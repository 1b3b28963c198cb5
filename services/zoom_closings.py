"""Events for which Zoom takes nobody any more: their form closes, and opens again by itself.

Only Zoom knows how many it takes, and whom it refuses has used up one of three adds of that day. So
one person is tried after the other, each after a sign of a place: somebody left, or was taken, or
the organizer says so. Zoom's limit is one of each date: where people choose, a refusal ends the
turn of those alone who want the same dates. What keeps this going is a job that names who is tried:
it looks what became of them, however they and the worker ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from storage import events, job_lists, job_requests, registrations, zoom_registrants
from storage.jobs import ClaimedJob
from storage.models import Event, JobState, ZoomRegistrant
from zoom_client import AtCapacity, MeetingClosed, MeetingOver, PersonDayLimited

from .deliveries import Delivery
from .delivery_stops import describe_ending
from .kept_dates import WAITS as KEEPS_DATES
from .moves import move_first_up
from .registrations import Status, sync_key

JOB_KIND = "places"

LOOK_EVERY = timedelta(minutes=1)
"""How often to look what became of somebody; mostly their own job has this done at once."""

MOST_READ = 100
"""How many of those whom Zoom refused are read at once."""

REFUSALS = (AtCapacity.__name__, MeetingOver.__name__)

_PUT_OFF = (PersonDayLimited.__name__, KEEPS_DATES)
_OPEN = (JobState.READY, JobState.RUNNING)


def close_form(
    session: Session, event: Event, error: MeetingClosed, *, asked_at: datetime, now: datetime
) -> bool:
    """Let nobody register whom Zoom would refuse; return whether that is new.

    The caller holds the event's row. If somebody left Zoom during the call, which began at
    `asked_at`, or the form was opened, or published as Zoom has places now, one is tried at once.
    """
    last_sign = max(event.updated_at, event.freed_at or event.updated_at)
    is_outdated = not event.closed_by_zoom and last_sign > asked_at
    event.refused_at = now
    begins = _set(session, event, type(error).__name__, now)
    if is_outdated:
        request_try(session, event.id, now=now)
    return begins


def go_on(
    session: Session,
    event: Event,
    *,
    refused: Sequence[Sequence[str]] = (),
    generation: int = 0,
    now: datetime,
) -> bool:
    """Have the next one tried, of those whom Zoom refused and then of those who wait for a seat.

    `refused` are the dates of each who was refused since the last sign, which is known up to a
    `generation` of the event's job: whoever wants all of one's would be refused too. Returns
    whether nobody was left, so that the form opens. The caller holds the event's row. Side effects:
    a job that has the one after them tried.
    """
    tried = _retry_next(session, event, refused, now)
    if tried is None:
        problem = event.closed_by_zoom
        if not problem or refused:
            return False
        _set(session, event, "", now)
        moved = move_first_up(session, event, now=now)
        if moved is None:
            return True
        _set(session, event, problem, now)
        tried = moved.id
    _look_after(session, event.id, tried, refused, generation, now)
    return False


def request_try(
    session: Session, event_id: int, *, moved: int | None = None, now: datetime
) -> None:
    """Have a worker go on if Zoom takes nobody, and remember it otherwise: a place came free.

    What the event says is left to that worker, which locks it: here it may be just about to be
    closed. `moved` has left all dates to be added anew, and takes those that they want first.
    """
    about: dict[str, object] = {"freed_at": now.isoformat()}
    if moved is None:
        _enqueue(session, event_id, _key(event_id), about, run_at=now, now=now)
    else:
        # By itself: whoever leaves meanwhile does not wait for them.
        key, about["tried"] = f"{_key(event_id)}:{moved}", moved
        _enqueue(session, event_id, key, about, run_at=now + LOOK_EVERY, now=now)


def follow(session: Session, event: Event, job: ClaimedJob, *, now: datetime) -> bool:
    """Do what a job is for, once it is decided; return whether the form opens.

    The caller holds the event's row.
    """
    about = job.payload
    if describe_ending(event, now=now):
        return False
    freed_at = about.get("freed_at")
    if freed_at and not event.closed_by_zoom:
        at = datetime.fromisoformat(freed_at)
        event.freed_at = max(at, event.freed_at or at)
        return False
    refused = list(about.get("refused", ()))
    if (dates := _find_refused(session, about.get("tried"))) is not None:
        refused.append(dates)
    generation = _find_generation(session, event.id, job)
    return go_on(session, event, refused=refused, generation=generation, now=now)


def note_ended(session: Session, event: Event, *, now: datetime) -> None:
    """Have the job that waits for whoever is tried look now: it may have been them."""
    if event.closed_by_zoom:
        job_requests.hasten(session, [_key(event.id)], now=now)


def note_delivered(
    session: Session,
    event: Event,
    changed: Iterable[tuple[str, ZoomRegistrant]],
    *,
    now: datetime,
) -> None:
    """Go on where Zoom takes nobody, if it took or let go somebody.

    `changed` are people with their delivery until now. The event was read in this transaction.
    """
    new = [(before, person) for before, person in changed if person.delivery != before]
    is_sign = any(_has_left(before, person) for before, person in new)
    is_closed = bool(event.closed_by_zoom)
    if is_closed and not is_sign and not job_requests.hasten(session, [_key(event.id)], now=now):
        # A call that was under way when Zoom refused somebody else tells nothing.
        is_sign = any(_was_taken_since(event.refused_at, person) for _, person in new)
    if is_sign:
        request_try(session, event.id, now=now)


def is_undecided(session: Session, event: Event, about: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether a job has to wait, as somebody is being tried at this moment."""
    tried = about.get("tried")
    if tried is None or describe_ending(event, now=now):
        return False
    person = registrations.get_registration(session, tried)
    if person is None or person.status != Status.APPROVED:
        # Who moved up where the organizer decides is tried once they are approved.
        return person is not None and person.status == Status.PENDING
    registrant = zoom_registrants.get_zoom_registrant(session, tried)
    job = job_lists.get_job(session, sync_key(tried))
    if registrant is None or job is None:
        return False
    return job.state in _OPEN and registrant.problem not in _PUT_OFF


def _retry_next(
    session: Session, event: Event, refused: Sequence[Sequence[str]], now: datetime
) -> int | None:
    """Have the first one tried who was put aside, but not who is sure to be refused again."""
    full = [frozenset(dates) for dates in refused]
    if not all(full):
        return None
    for registrant in _list_put_aside(session, event.id, limit=MOST_READ if full else 1):
        wanted = frozenset(registrant.occurrence_ids or ())
        if any(dates <= wanted for dates in full):
            continue
        registration_id = registrant.registration_id
        if job_lists.retry(session, sync_key(registration_id), now=now):
            return registration_id
    return None


def _list_put_aside(session: Session, event_id: int, *, limit: int) -> Iterator[ZoomRegistrant]:
    """Yield whom Zoom refused in the order in which they came, read so many at once."""
    after: int | None = 0
    while after is not None:
        found = job_lists.list_parked(
            session, event_id, problems=REFUSALS, after=after, limit=limit
        )
        ids = [job.payload["registration_id"] for job in found]
        people = {one.registration_id: one for one, _ in zoom_registrants.list_by_ids(session, ids)}
        yield from (people[registration_id] for registration_id in ids if registration_id in people)
        after = found[-1].id if found else None


def _find_refused(session: Session, registration_id: int | None) -> list[str] | None:
    """Return for which dates Zoom refused somebody, none for any; None if it did not."""
    if registration_id is None:
        return None
    registrant = zoom_registrants.get_zoom_registrant(session, registration_id)
    job = job_lists.get_job(session, sync_key(registration_id))
    if registrant is None or job is None or job.state != JobState.PARKED:
        return None
    if registrant.problem == AtCapacity.__name__:
        return registrant.occurrence_ids or []
    return [] if registrant.problem in REFUSALS else None


def _has_left(before: str, registrant: ZoomRegistrant) -> bool:
    """Tell whether somebody had a place at Zoom until now; who was refused had none."""
    was_there = before == Delivery.REGISTERED or registrant.registrant_id is not None
    return registrant.delivery == Delivery.WITHDRAWN and was_there


def _was_taken_since(refused_at: datetime | None, registrant: ZoomRegistrant) -> bool:
    if registrant.delivery != Delivery.REGISTERED or registrant.last_attempt_at is None:
        return False
    return refused_at is None or registrant.last_attempt_at > refused_at


def _find_generation(session: Session, event_id: int, job: ClaimedJob) -> int:
    """Return up to which generation of the event's job all signs are known to a job.

    That of somebody who moved knows none that waits at this moment: no generation is its own then.
    """
    key = _key(event_id)
    if job.key == key:
        return job.generation
    asked = job_requests.read_generation(session, key)
    if asked is None:
        return 0
    generation, state = asked
    return -1 if state in _OPEN else generation


def _look_after(
    session: Session,
    event_id: int,
    tried: int,
    refused: Sequence[Sequence[str]],
    generation: int,
    now: datetime,
) -> None:
    """Have a job look what becomes of somebody.

    It takes the place of any sign that came meanwhile: whoever was refused before may be taken now.
    """
    key, run_at = _key(event_id), now + LOOK_EVERY
    about = {"tried": tried, "refused": refused}
    _enqueue(session, event_id, key, about, run_at=run_at, now=now)
    if refused:
        asked = job_requests.read_generation(session, key)
        if asked is None or asked[0] != generation + 1:
            _enqueue(session, event_id, key, about | {"refused": ()}, run_at=run_at, now=now)


def _key(event_id: int) -> str:
    return f"{JOB_KIND}:{event_id}"


def _enqueue(
    session: Session,
    event_id: int,
    key: str,
    about: Mapping[str, Any],
    *,
    run_at: datetime,
    now: datetime,
) -> None:
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=key,
        payload={"event_id": event_id, **about},
        event_id=event_id,
        run_at=run_at,
        now=now,
    )


def _set(session: Session, event: Event, problem: str, now: datetime) -> bool:
    if event.closed_by_zoom == problem:
        return False
    event.closed_by_zoom = problem
    event.updated_at = now
    events.raise_version(session, event)
    session.flush()
    return True
