"""What a changed event owes to many people: news of the change, and seats that came free.

Too much for the request that changes it, which may be cut off in the middle: a worker does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.orm import Session

from storage import events, job_lists, job_requests, jobs, registration_lists
from storage.models import Event, Registration

from .delivery_stops import NO_DATE_LEFT, OVER, describe_ending
from .event_dates import DateChoice, list_ahead, read_dates, takes_choice, write_dates
from .events import EventState, get_end
from .mails import MailName, request_mail, send_dropped
from .moves import fill_free_seats
from .registrations import Status, request_sync

JOB_KIND = "event"

TOLD_AT_ONCE = 100
"""In one transaction: so few that nobody waits long for the database."""

_WAITING_FOR_IT = (Status.APPROVED, Status.PENDING, Status.WAITLISTED)


LATE = timedelta(minutes=1)
"""Longer than a registration that found the event open can take until it is stored."""

CHANGING = timedelta(seconds=10)
"""Longer than a change of times takes from reading the clock until it is seen by everybody.

Who came meanwhile was told the former times, or had at least read them before they filled it in.
"""


def request_work(session: Session, event: Event, *, now: datetime) -> None:
    """Have a worker do what the event, as this transaction leaves it, owes to its people."""
    _enqueue(session, event, f"{JOB_KIND}:{event.id}", run_at=now, now=now)


def request_work_twice(session: Session, event: Event, *, now: datetime) -> None:
    """Have a worker do it, and once more a little later for what others are storing just now."""
    request_work(session, event, now=now)
    _enqueue(session, event, f"{JOB_KIND}:{event.id}:late", run_at=now + LATE, now=now)


def follow_change(session: Session, event: Event, *, now: datetime) -> None:
    """Give the first of those who wait a free seat; have a worker do what else a change owes."""
    is_more = fill_free_seats(session, event, now=now)
    if event.moved_at == now:
        request_work_twice(session, event, now=now)
    elif is_more:
        request_work(session, event, now=now)


def take_up(session: Session, event: Event, *, now: datetime) -> None:
    """Have a worker go on with an event that was over and has a time ahead again.

    Twice, as the end, which is not its end any more, may stop somebody's job just now. Whom workers
    had given up on by then are tried again by a job of its own, whose place no other request takes.
    """
    request_work_twice(session, event, now=now)
    about = {"retries": True}
    _enqueue(session, event, f"{JOB_KIND}:{event.id}:retry", about, run_at=now, now=now)


def _enqueue(
    session: Session,
    event: Event,
    key: str,
    about: Mapping[str, object] = MappingProxyType({}),
    *,
    run_at: datetime,
    now: datetime,
) -> None:
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=key,
        payload={"event_id": event.id, **about},
        event_id=event.id,
        run_at=run_at,
        now=now,
    )


def do_some(session: Session, event_id: int, *, now: datetime) -> bool:
    """Do some of it and return whether there may be more."""
    # Before its seats, as everybody locks them; and two jobs of an event do one turn each.
    event = events.lock_event(session, event_id)
    if event.status == EventState.CANCELLED:
        return tell_cancelled(session, event, limit=TOLD_AT_ONCE, now=now) > 0
    if tell_of_dates(session, event, limit=TOLD_AT_ONCE, now=now):
        return True
    if tell_moved(session, event, limit=TOLD_AT_ONCE, now=now):
        return True
    # Those of a large event take a while, so before the lock of the seats is taken.
    if deliver_again(session, event, limit=TOLD_AT_ONCE, now=now):
        return True
    if fill_free_seats(session, event, now=now):
        return True
    return send_mails_of_event_that_was_over(session, event, limit=TOLD_AT_ONCE, now=now) > 0


def retry_given_up(session: Session, event_id: int, *, now: datetime) -> int:
    """Try those again at Zoom whom workers have given up on; return how many.

    Whom Zoom has refused stays put aside: a later date makes it take nobody. Side effects: jobs.
    """
    event = events.need_event(session, event_id)
    if describe_ending(event, now=now):
        return 0
    return job_lists.retry_parked(
        session,
        event_id=event_id,
        kind=job_requests.ZOOM_SYNC.kind,
        problem=jobs.GIVEN_UP,
        now=now,
    )


def tell_cancelled(session: Session, event: Event, *, limit: int | None, now: datetime) -> int:
    """Tell up to `limit`, or all, of those who do not know yet that the event is cancelled.

    Returns how many; 0 means that everybody was told. The caller holds the event's lock: of two at
    once the second has to see whom the first has told. Side effects: mails.
    """
    people = registration_lists.list_without_mail(
        session,
        event.id,
        statuses=_WAITING_FOR_IT,
        mail_name=MailName.EVENT_CANCELLED,
        limit=limit,
    )
    return _request_mails(session, MailName.EVENT_CANCELLED, people, now=now)


def list_untold(session: Session, event: Event) -> list[Registration]:
    """List whom the word of a cancellation has not reached: their mail came back or never left."""
    if event.status != EventState.CANCELLED:
        return []
    return registration_lists.list_with_failed_mail(
        session, event.id, mail_name=MailName.EVENT_CANCELLED
    )


def tell_again(session: Session, event: Event, *, now: datetime) -> int:
    """Mail those once more whom `list_untold` lists; return how many they are.

    Side effects: the event's lock, mails and their jobs.
    """
    events.lock_event(session, event.id)
    people = list_untold(session, event)
    return _request_mails(session, MailName.EVENT_CANCELLED, people, now=now)


def tell_of_dates(session: Session, event: Event, *, limit: int, now: datetime) -> int:
    """Tell up to `limit` of those whose dates were changed at Zoom; 0 when all know.

    Who waits is told too, as of a single event: they may be waiting for nothing. The caller holds
    the event's lock. Side effects: mails.
    """
    if not any(date.changed_at for date in read_dates(event)):
        return 0
    _bring_back_dates(event, now)
    changed = [date for date in read_dates(event) if date.changed_at is not None]
    chooses = event.date_choice == DateChoice.CHOOSE
    for since in sorted({date.changed_at for date in changed if date.changed_at}):
        alike = [date for date in changed if date.changed_at == since]
        # What is past by now is no news to whom it never gave a place.
        is_ahead = any(now < date.ends_at for date in alike)
        people = registration_lists.list_to_tell_of_times(
            session,
            event.id,
            since=since,
            came_before=since + CHANGING,
            now=now,
            statuses=_WAITING_FOR_IT if is_ahead else (Status.APPROVED,),
            dates=[date.id for date in alike] if chooses else None,
            mail_name=MailName.DATES,
            limit=limit,
        )
        if people:
            return _request_mails(session, MailName.DATES, people, now=now)
    return 0


def tell_moved(session: Session, event: Event, *, limit: int, now: datetime) -> int:
    """Tell up to `limit` of those who count on the time before an event was moved; 0 when all know.

    The caller holds the event's lock. Side effects: mails.
    """
    if event.dates or event.moved_at is None:
        return 0
    # By a clock that was ahead, each mail would be older than the move, and nobody count as told.
    event.moved_at = min(event.moved_at, now)
    people = registration_lists.list_to_tell_of_times(
        session,
        event.id,
        since=event.moved_at,
        came_before=event.moved_at + CHANGING,
        now=now,
        statuses=_WAITING_FOR_IT,
        dates=None,
        mail_name=MailName.MOVED,
        limit=limit,
    )
    return _request_mails(session, MailName.MOVED, people, now=now)


def _bring_back_dates(event: Event, now: datetime) -> None:
    """Let no date have been changed later than now, as `tell_moved` does for an event."""
    dates = read_dates(event)
    true = [replace(d, changed_at=min(d.changed_at, now)) if d.changed_at else d for d in dates]
    if true != list(dates):
        event.dates = write_dates(true)


def deliver_again(session: Session, event: Event, *, limit: int, now: datetime) -> int:
    """Go on at Zoom with up to `limit` people for whom it ended as the event, or their dates, had.

    It has a time ahead again. What Zoom has of them may be anything: who was cancelled meanwhile
    is still let in there. Side effects: jobs.
    """
    if now >= get_end(event):
        return 0
    people = registration_lists.list_stopped(
        session,
        event.id,
        reason=OVER,
        dates_reason=NO_DATE_LEFT,
        dates=list_ahead(event, now=now) if takes_choice(event) else None,
        limit=limit,
    )
    for registration in people:
        request_sync(session, registration, now=now)
    return len(people)


def send_mails_of_event_that_was_over(
    session: Session, event: Event, *, limit: int, now: datetime
) -> int:
    """Have up to `limit` mails sent after all that were dropped because the event was over.

    It has a time ahead again: it was postponed, or the other time was a slip. Whether a mail still
    holds is looked at when it goes. The caller holds the event's lock. Side effects: mails.
    """
    if now >= get_end(event):
        return 0
    return send_dropped(session, event.id, limit=limit, now=now)


def _request_mails(
    session: Session, name: MailName, people: Sequence[Registration], *, now: datetime
) -> int:
    for registration in people:
        request_mail(session, name, registration, now=now)
    return len(people)


def count_people(session: Session, event: Event) -> int:
    """Count those who count on an event, and are told if it is cancelled."""
    counters = events.list_counters(session, event.id)
    return sum(counters.get(f"status:{status}", 0) for status in _WAITING_FOR_IT)
