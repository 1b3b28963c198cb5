"""Doing again what was put aside, where trying again does no harm."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, job_lists, zoom_pauses
from storage.models import Event, JobState
from storage.zoom_pauses import EVERYBODY

from . import kept_dates, zoom_closings, zoom_refusals
from .delivery_stops import STILL_AT_ZOOM
from .registrations import sync_key
from .restoring import HELD

NEEDS_DECISION = (HELD.partition(":")[0], "MailOutcomeUnknown", STILL_AT_ZOOM)
"""The classes of mails that may have been sent, each sent again only if somebody says so, and of
erased people who are perhaps still at Zoom, each over only if somebody has seen to it there."""


class Hold(StrEnum):
    """Why somebody is not tried again along with others: Zoom counts each add that it refuses."""

    TURN = "in_turn"
    PAUSE = "paused"
    DECISION = "alone"


def find_hold(session: Session, event: Event, registration_id: int) -> Hold | None:
    """Say why somebody out of several is not tried again; None where it does no harm.

    Where Zoom is full, those whom it refused go on one by one; where it refuses everybody, one
    probe shows for all who wait whether it works again, and then those who were told are tried.
    """
    job = job_lists.get_job(session, sync_key(registration_id))
    if job is None or job.state not in (JobState.PARKED, JobState.READY):
        return None
    word, is_parked = job.reason.partition(":")[0], job.state == JobState.PARKED
    if is_parked and word in NEEDS_DECISION:
        return Hold.DECISION
    if word in (zoom_closings.REFUSALS if is_parked else (kept_dates.WAITS,)):
        return Hold.TURN
    state = zoom_pauses.get_event(session, event.id)
    is_refusing = state is not None and state.pause_problem == EVERYBODY
    return Hold.PAUSE if is_refusing and (not is_parked or word in zoom_refusals.CLASSES) else None


def retry_one(session: Session, event: Event, registration_id: int, *, now: datetime) -> bool:
    """Try somebody again by themselves; return whether there is anything to try.

    Where Zoom refuses everybody it is they who show whether it does so still, and nobody else.
    """
    is_due = job_lists.retry(session, sync_key(registration_id), now=now)
    zoom_pauses.hasten_probes(session, event_id=event.id, but_for=EVERYBODY, now=now)
    return is_due


def retry_held(session: Session, event: Event, hold: Hold, *, now: datetime) -> None:
    """Do once, for all who are held back for a reason, what may move them on.

    Side effects: the event's lock where one after the other is tried.
    """
    if hold is Hold.PAUSE:
        zoom_pauses.hasten_probes(session, event_id=event.id, now=now)
    elif hold is Hold.TURN and job_lists.list_parked(
        session, event.id, problems=zoom_closings.REFUSALS, after=0, limit=1
    ):
        zoom_closings.go_on(session, events.lock_event(session, event.id), now=now)


def retry_event(session: Session, event: Event, *, now: datetime) -> int:
    """Retry what was put aside of an event; return how many jobs are due now.

    Of the people whom Zoom had no seat for, only the first is tried: once it is in, the next one
    follows.

    Side effects: the event's lock.
    """
    locked = events.lock_event(session, event.id)
    zoom_closings.go_on(session, locked, now=now)
    return retry_harmless(session, event.id, now=now)


def retry_harmless(session: Session, event_id: int | None, *, now: datetime) -> int:
    """Retry what was put aside, of one event or all, except for what needs a decision."""
    excepted = (*NEEDS_DECISION, *zoom_closings.REFUSALS)
    count = job_lists.retry_parked(session, event_id=event_id, excepted=excepted, now=now)
    zoom_pauses.hasten_probes(session, event_id=event_id, now=now)
    return count
