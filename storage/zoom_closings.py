"""For whom Zoom has no place, as an event's row says at this moment."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Event


class Closing(NamedTuple):
    """These columns of an event's row."""

    closed_by_zoom: str
    full_dates: list[str] | None


def read_closing(session: Session, event_id: int) -> Closing:
    """Read for whom an event has no place now, whatever was read of it before."""
    found = select(Event.closed_by_zoom, Event.full_dates).where(Event.id == event_id)
    return Closing(*session.execute(found).one())
