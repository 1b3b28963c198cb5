"""Keeping the dates of a series as Zoom has them, and telling whom a change concerns."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, job_requests
from storage.models import Event
from zoom_client import Meeting

from . import event_tasks, place_signs
from .event_dates import find_next, read_dates, take_dates
from .events import EventState, get_end, get_planned_end

JOB_KIND = "zoom.dates"

LOOK_EVERY = timedelta(hours=1)


def request_look(session: Session, event: Event, *, now: datetime) -> None:
    """Have the worker follow an event's dates at Zoom from now on; only a series has any."""
    if not event.dates:
        return
    job_requests.ensure(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{event.id}",
        payload={"event_id": event.id},
        event_id=event.id,
        run_at=find_next_look(event, now=now),
        now=now,
    )


def find_next_look(event: Event, *, now: datetime) -> datetime:
    """Return when to look again: in an hour, or when a date is over and the next one comes."""
    shown = find_next(read_dates(event), now)
    at = now + LOOK_EVERY
    return min(at, shown.ends_at) if shown is not None and shown.ends_at > now else at


def is_followed(event: Event, *, now: datetime) -> bool:
    """Tell whether dates may still change: hosts move one by removing it and adding another."""
    is_public = event.status not in (EventState.DRAFT, EventState.CANCELLED)
    return is_public and bool(event.dates) and now < get_planned_end(event)


def has_next(event: Event, *, now: datetime) -> bool:
    """Tell whether a series is at a later date by now than its row says."""
    shown = find_next(read_dates(event), now)
    return shown is not None and event.starts_at < shown.starts_at


def step_on(session: Session, event: Event, *, now: datetime) -> None:
    """Give a series the time of its next date once one is over, by what Zoom said last.

    Side effects: as `follow`.
    """
    shown = find_next(read_dates(event), now)
    if shown is None or not has_next(event, now=now):
        return
    event.starts_at, event.duration_minutes = shown.starts_at, shown.minutes
    _note_change(session, event, now)


def follow(session: Session, event: Event, meeting: Meeting, *, now: datetime) -> None:
    """Take over what Zoom has, and have a worker tell people.

    Side effects: the event's pages are drawn again where anything changed.
    """
    was_over = now >= get_end(event)
    if take_dates(event, meeting, now=now):
        _note_change(session, event, now)
    if was_over and now < get_end(event):
        event_tasks.take_up(session, event, now=now)


def _note_change(session: Session, event: Event, now: datetime) -> None:
    events.raise_version(session, event)
    event.updated_at = now
    # What the former dates ended may be ended by them just now.
    event_tasks.request_work_twice(session, event, now=now)
    place_signs.request_look(session, event, now=now)
