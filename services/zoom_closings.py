"""Events for which Zoom takes nobody any more: their form closes, and opens again by itself.

Only Zoom knows how many it takes, and whom it refuses has used up one of three adds of that day. So
one person is tried after the other, each after a sign of a place: somebody left, or was taken, or
the organizer says so. Zoom's limit is one of each date: where people choose, a refusal closes the
form for these dates, and ends the turn of those alone who want the same ones (`full_dates`). What
keeps this going is a job that names who is tried: it looks what became of them, however they and
the worker ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_lists, job_requests, registrations, zoom_registrants
from storage.jobs import ClaimedJob
from storage.models import Event, JobState, ZoomRegistrant
from zoom_client import AtCapacity, MeetingClosed, MeetingOver, PersonDayLimited

from .delivery_stops import describe_ending
from .event_dates import list_ahead, takes_choice
from .full_dates import (
    find_full,
    forget_refused,
    is_closed,
    is_known,
    list_full,
    list_refused,
    note_refused,
)
from .kept_dates import WAITS as KEEPS_DATES
from .moves import move_first_up
from .place_signs import OPEN, Sign, find_freed, look_after, request_look, request_try, write_key
from .registrations import Status, sync_key

MOST_READ = 100
"""How many of those whom Zoom refused are read at once."""

REFUSALS = (AtCapacity.__name__, MeetingOver.__name__)

_PUT_OFF = (PersonDayLimited.__name__, KEEPS_DATES)


def close_form(
    session: Session,
    event: Event,
    error: MeetingClosed,
    *,
    dates: Collection[str] | None,
    asked_at: datetime,
    now: datetime,
) -> bool:
    """Let nobody register whom Zoom would refuse; return whether that is new.

    `dates` are those that it refused somebody, None where nobody chooses. The caller holds the
    event's row. If somebody left Zoom during the call, which began at `asked_at`, or the form was
    opened, or published as Zoom has places now, one is tried at once.
    """
    last_sign = max(event.updated_at, event.freed_at or event.updated_at)
    is_outdated, event.refused_at = last_sign > asked_at, now
    if takes_choice(event):
        wanted = dates if dates and isinstance(error, AtCapacity) else ()
        return _close_dates(session, event, error, wanted, is_outdated=is_outdated, now=now)
    is_news = not event.closed_by_zoom
    begins = _set(session, event, type(error).__name__, None, now)
    if is_outdated and is_news:
        request_try(session, event.id, now=now)
    return begins


def go_on(session: Session, event: Event, *, now: datetime) -> bool:
    """Have the next one tried, of those whom Zoom refused and then of those who wait for a seat.

    Whoever was refused may be taken now. Returns whether nobody was left, so that the form opens.
    The caller holds the event's row. Side effects: a job that has the one after them tried.
    """
    if takes_choice(event):
        forget_refused(event)
    return _go_on(session, event, (), None, now)


def follow(session: Session, event: Event, job: ClaimedJob, *, now: datetime) -> bool:
    """Do what a job is for, once it is decided; return whether the form opens.

    The caller holds the event's row.
    """
    sign, chooses = Sign.from_payload(job.payload), takes_choice(event)
    if describe_ending(event, now=now):
        return False
    if at := sign.freed_at:
        if chooses or not event.closed_by_zoom:
            event.freed_at = max(at, event.freed_at or at)
        if not event.closed_by_zoom:
            return False
        if chooses and not forget_refused(event, find_freed(session, sign)):
            return False
    if sign.is_look and not (chooses and event.closed_by_zoom):
        return False
    dates = _find_refused(session, sign.tried)
    if not chooses:
        return _go_on(session, event, [] if dates is None else [dates], job, now)
    if not event.closed_by_zoom:
        event.refused_dates = []
    elif dates is not None:
        note_refused(event, dates)
    event.refused_dates = list_refused(event, now=now)
    return _go_on(session, event, event.refused_dates, job, now)


def is_undecided(session: Session, event: Event, job: ClaimedJob, *, now: datetime) -> bool:
    """Tell whether a job has to wait, as somebody is being tried at this moment."""
    sign = Sign.from_payload(job.payload)
    tried = sign.tried
    if sign.is_look:
        asked = job_requests.read_asked(session, write_key(event.id))
        return asked is not None and asked.state in OPEN
    if tried is None or describe_ending(event, now=now):
        return False
    person = registrations.get_registration(session, tried)
    if person is None or person.status != Status.APPROVED:
        # Who moved up where the organizer decides is tried once they are approved.
        return person is not None and person.status == Status.PENDING
    registrant = zoom_registrants.get_zoom_registrant(session, tried)
    delivery = job_lists.get_job(session, sync_key(tried))
    if registrant is None or delivery is None:
        return False
    return delivery.state in OPEN and registrant.problem not in _PUT_OFF


def _retry_next(
    session: Session, event: Event, refused: Sequence[Sequence[str]], now: datetime
) -> int | None:
    """Have the first one tried who was put aside, but not who is sure to be refused again.

    Nor is who wanted none but dates that are over by now, or gone.
    """
    full = [frozenset(dates) for dates in refused]
    if not all(full):
        return None
    ahead = list_ahead(event, now=now) if takes_choice(event) else None
    for registrant in _list_put_aside(session, event.id, limit=1 if ahead is None else MOST_READ):
        wanted = frozenset(registrant.occurrence_ids or ())
        if any(dates <= wanted for dates in full):
            continue
        if ahead is not None and wanted and ahead.isdisjoint(wanted):
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


def _close_dates(
    session: Session,
    event: Event,
    error: MeetingClosed,
    dates: Collection[str],
    *,
    is_outdated: bool,
    now: datetime,
) -> bool:
    """As `close_form` where people choose dates; none where it is not about some of them."""
    if not event.closed_by_zoom:
        event.refused_dates = []
    was_closed, shown = is_closed(event), list_full(event)
    if not is_outdated and note_refused(event, dates):
        request_look(session, event, now=now)
    new = () if is_known(event, dates) else (dates,)
    refused = [*list_refused(event, now=now), *([shown] if shown else []), *new]
    full = None if was_closed else find_full(event, refused, now=now)
    begins = _set(session, event, type(error).__name__, full, now)
    if is_outdated and not was_closed and shown.isdisjoint(dates):
        request_try(session, event.id, dates=dates or None, now=now)
    return begins


def _go_on(
    session: Session,
    event: Event,
    refused: Sequence[Sequence[str]],
    job: ClaimedJob | None,
    now: datetime,
) -> bool:
    """As `go_on`; `refused` are the dates of each who was refused, which goes for others too."""
    tried = _retry_next(session, event, refused, now)
    if tried is None:
        if not event.closed_by_zoom or not all(refused):
            return False
        refused = _keep_awaited(session, event, refused)
        tried = _open(session, event, refused, now)
        if tried is None:
            return not event.closed_by_zoom
    # Whoever was refused before may be taken now.
    if look_after(session, event.id, tried, job, now=now) and takes_choice(event):
        forget_refused(event)
    return False


def _keep_awaited(
    session: Session, event: Event, refused: Sequence[Sequence[str]]
) -> Sequence[Sequence[str]]:
    """Forget refusals for several dates that nobody wants together any more; return the others.

    Any of these dates may have places, and nobody who has left it will tell. The caller holds the
    event's row.
    """
    left = {frozenset(dates) for dates in refused if len(dates) > 1}
    for wanted in zoom_registrants.list_awaited_dates(session, event.id) if left else ():
        left = {dates for dates in left if not dates.issubset(wanted)}
    if not left:
        return refused
    event.refused_dates = [[*dates] for dates in refused if frozenset(dates) not in left]
    return event.refused_dates


def _open(
    session: Session, event: Event, refused: Sequence[Sequence[str]], now: datetime
) -> int | None:
    """Have the form open, but for the dates that are full; return who goes before that, if any."""
    problem, event.closed_by_zoom = event.closed_by_zoom, ""
    session.flush()
    moved = move_first_up(session, event, refused=refused, now=now)
    event.closed_by_zoom = problem
    session.flush()
    if moved is not None:
        return moved.id
    if refused:
        _set(session, event, problem, find_full(event, refused, now=now), now)
    else:
        _set(session, event, "", None, now)
    return None


def _set(
    session: Session, event: Event, problem: str, full: list[str] | None, now: datetime
) -> bool:
    if (event.closed_by_zoom, event.full_dates) == (problem, full):
        return False
    closes_dates = full is not None and not is_closed(event) and list_full(event) <= {*full}
    event.closed_by_zoom, event.full_dates = problem, full
    if not closes_dates:
        # Of refusals for other dates, under way now, this is no sign.
        event.updated_at = now
    events.raise_version(session, event)
    session.flush()
    return True
