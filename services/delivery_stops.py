"""Why a delivery ends undone: Zoom is told nothing more of an event, or of somebody.

Whoever is stopped so is taken up again by `event_tasks` once the event, or a date, lies ahead.
"""

from __future__ import annotations

from datetime import datetime

from storage.models import Event, Registration

from .chosen_dates import ZoomDates
from .deliveries import Step
from .events import EventState, get_end

OVER = "the event is over"
NO_DATE_LEFT = "no date that was chosen is left"

STILL_AT_ZOOM = "StillAtZoom"
"""The class of what somebody has to see to at Zoom: who was erased, and is perhaps still there."""
_FORGOTTEN = f"{STILL_AT_ZOOM}: Zoom may still let them in, and nobody here knows who it was"


def describe_ending(event: Event, *, now: datetime) -> str:
    """Say why nothing has to be done at Zoom any more; empty while something has."""
    if event.status == EventState.CANCELLED:
        return "the event was cancelled"
    return OVER if now >= get_end(event) else ""


def describe_stop(
    event: Event, registration: Registration, step: Step, dates: ZoomDates | None, *, now: datetime
) -> str:
    """Say why a step is not taken, though Zoom has the person otherwise than we; else empty."""
    if ending := describe_ending(event, now=now):
        return ending
    if not registration.email:
        # Erased once the event was over, which has a time ahead again: Zoom wants the address.
        return _FORGOTTEN
    return NO_DATE_LEFT if step is Step.ADD and dates is not None and not dates.wanted else ""
