"""Events for which Zoom takes nobody any more: their form closes, and opens by itself again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_lists
from storage.models import Event
from zoom_client import AtCapacity, MeetingClosed, MeetingOver

from .moves import fill_free_seats

REFUSALS = (AtCapacity.__name__, MeetingOver.__name__)


def close_form(session: Session, event: Event, error: MeetingClosed, *, now: datetime) -> bool:
    """Let nobody register whom Zoom would refuse; return whether that is new.

    The caller holds the event's row.
    """
    return _set(session, event, type(error).__name__, now)


def go_on(session: Session, event: Event, *, now: datetime) -> bool:
    """Have the next one tried, of those whom Zoom refused and then of those who wait for a seat.

    One after the other, as only Zoom knows how many it takes, and somebody whom it refuses has used
    up one of three adds of that day. Returns whether nobody was left, so that the form opens. The
    caller holds the event's row.
    """
    if job_lists.retry_first_parked(session, event.id, problems=REFUSALS, now=now):
        return False
    problem = event.closed_by_zoom
    if not problem:
        return False
    _set(session, event, "", now)
    if not fill_free_seats(session, event, limit=1, now=now):
        return True
    _set(session, event, problem, now)
    return False


def _set(session: Session, event: Event, problem: str, now: datetime) -> bool:
    if event.closed_by_zoom == problem:
        return False
    event.closed_by_zoom = problem
    event.updated_at = now
    events.raise_version(session, event)
    session.flush()
    return True
