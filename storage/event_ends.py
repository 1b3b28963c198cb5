"""Which events are not over: the one condition for every list that asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from .models import Event
from .models.events import find_end

_HIDDEN = ("draft", "cancelled")


def is_ahead(event: Any, *, since: datetime, now: datetime) -> ColumnElement[bool]:
    """Tell whether an event starts after a moment, or is not over now.

    `event` has the columns. Of a series, `starts_at` alone says little: it is moved on by a worker,
    and there may be none. The end is unknown where an older version has stored the event.
    """
    ends_at = func.coalesce(event.ends_at, event.starts_at)
    return or_(event.starts_at > since, ends_at > now)


def list_begun(session: Session, *, limit: int, now: datetime) -> Sequence[Event]:
    """List public events that have begun and are not over, and those whose end is unknown."""
    is_under_way = or_(Event.ends_at > now, Event.ends_at.is_(None))
    return session.scalars(
        select(Event)
        .where(Event.status.not_in(_HIDDEN), Event.starts_at <= now, is_under_way)
        .order_by(Event.starts_at.desc(), Event.id)
        .limit(limit)
    ).all()


def list_outdated(session: Session, *, since: datetime) -> list[int]:
    """List the events, of those changed since a moment, whose end is not what the row says.

    An older version that runs beside this one leaves the end as it was when it moves an event.
    """
    rows = session.execute(
        select(Event.id, Event.starts_at, Event.duration_minutes, Event.dates, Event.ends_at).where(
            Event.updated_at >= since
        )
    )
    return [event_id for event_id, *times, ends_at in rows if find_end(*times) != ends_at]
