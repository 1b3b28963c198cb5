"""Doing again what was put aside, where trying again does no harm."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_lists, zoom_pauses
from storage.models import Event

from . import zoom_closings
from .delivery_stops import STILL_AT_ZOOM
from .restoring import HELD

NEEDS_DECISION = (HELD.partition(":")[0], "MailOutcomeUnknown", STILL_AT_ZOOM)
"""The classes of mails that may have been sent, each sent again only if somebody says so, and of
erased people who are perhaps still at Zoom, each over only if somebody has seen to it there."""


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
    zoom_pauses.hasten_probes(session, now=now)
    return count
