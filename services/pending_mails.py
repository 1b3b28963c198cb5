"""Telling organizers by mail that people wait for their approval.

A worker's look finds the events by a counter that is kept anyway: so it is all the same how
somebody came to wait, and registering pays nothing for it. The mails' rows say when it was told.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import event_lists, events, organizer_mails, registration_lists
from storage.heartbeats import CLOCKS_DIFFER_BY
from storage.models import Event

from .events import EventState, get_end
from .organizer_mails import OrganizerMailName, list_deciding, request_mails_about

EVERY = timedelta(days=1)
BEFORE_START = timedelta(hours=3)
"""Then it is told once more: early enough to decide, late enough for most who come last."""

SOONEST = timedelta(hours=1)
STORED_WITHIN = timedelta(seconds=15)
"""So long after its clock was read a request may still be stored, having waited for others."""


def list_untold(session: Session, *, now: datetime) -> list[int]:
    """List the events about which `tell` asks for mails now; most of the time there is none."""
    return [
        event.id
        for event in event_lists.list_with_pending(session, now=now)
        if _is_due(session, event, now) and any(list_deciding(session, event))
    ]


def tell(session: Session, event_id: int, *, now: datetime) -> None:
    """Ask for mails about who waits at an event, unless another worker has done so meanwhile."""
    event = events.lock_event(session, event_id)
    if count_pending(session, event, now=now) and _is_due(session, event, now):
        request_mails_about(session, OrganizerMailName.PENDING, event, now=now)


def tell_of_another(session: Session, event: Event, *, now: datetime) -> None:
    """Ask for mails at once: somebody waits again who had been approved, and thinks they still are.

    Whoever causes that needs an approval each time, so it is not often.
    """
    request_mails_about(session, OrganizerMailName.PENDING, event, now=now)


def count_pending(session: Session, event: Event, *, now: datetime) -> int:
    """Count who waits for approval; nobody once the event is over."""
    if event.status in (EventState.DRAFT, EventState.CANCELLED) or now >= get_end(event):
        return 0
    return events.get_counter(session, event.id, event_lists.PENDING)


def _is_due(session: Session, event: Event, now: datetime) -> bool:
    """Tell whether it is time for a mail: the first, a day's, that before the start, or an hour's
    about whoever came after it and cannot wait for the next day.
    """
    told_at = organizer_mails.get_last_told(
        session,
        OrganizerMailName.PENDING,
        event_id=event.id,
        # What a clock of the future has asked for must not keep everybody waiting until then.
        until=now + CLOCKS_DIFFER_BY,
    )
    if told_at is None or told_at < now - EVERY:
        return True
    last_word_at = event.starts_at - BEFORE_START
    if now < last_word_at or told_at >= now - SOONEST:
        return False
    if told_at < last_word_at:
        return True
    return registration_lists.has_come_to_wait(session, event.id, since=told_at - STORED_WITHIN)
