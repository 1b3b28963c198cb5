"""The events of an organization as its members see them listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session

from .event_ends import is_ahead
from .events import IS_KEPT, SEATS
from .models import Event, EventCounter, Job, JobState, ZoomAccount, ZoomConnection, ZoomEvent

DRAFT, CANCELLED = "draft", "cancelled"
PENDING = "status:pending"
SURELY_OVER = timedelta(days=1)


@dataclass(frozen=True)
class ListedEvent:
    """An event with its numbers; `is_paused` says that nothing goes to Zoom for it now."""

    event: Event
    seats_taken: int
    pending: int
    is_paused: bool
    has_parked: bool


@dataclass(frozen=True)
class EventCounts:
    published: int
    draft: int
    ended: int


def get_event(
    session: Session, organization_id: int, public_id: str, *, event_ids: frozenset[int] | None
) -> Event | None:
    """Return an event of this organization, if it is among those that may be seen."""
    statement = _within(select(Event), organization_id, event_ids)
    event: Event | None = session.scalar(statement.where(Event.public_id == public_id))
    return event


def get_event_by_slug(session: Session, organization_id: int, slug: str) -> Event | None:
    """Return an event of this organization by the name in its address."""
    is_it = (Event.organization_id == organization_id, Event.slug == slug)
    return session.scalar(select(Event).where(*is_it, IS_KEPT))


def list_in_order(
    session: Session, organization_id: int, *, after: int, limit: int
) -> list[tuple[Event, int]]:
    """List an organization's events in the order in which they were made, with seats taken."""
    rows = session.execute(
        select(Event, _counter(SEATS))
        .where(Event.organization_id == organization_id, Event.id > after, IS_KEPT)
        .order_by(Event.id)
        .limit(limit)
    )
    return [(event, seats) for event, seats in rows]


def find_event_at_zoom(
    session: Session, organization_id: int, connection_id: int, kind: str, zoom_id: int
) -> Event | None:
    """Return the newest event of this organization that leads to a meeting of Zoom's."""
    event: Event | None = session.scalar(
        select(Event)
        .where(
            Event.organization_id == organization_id,
            Event.connection_id == connection_id,
            Event.kind == kind,
            Event.zoom_id == zoom_id,
            IS_KEPT,
        )
        .order_by(Event.id.desc())
        .limit(1)
    )
    return event


def list_events_of_meetings(
    session: Session, organization_id: int, zoom_ids: Sequence[int]
) -> list[Event]:
    """List an organization's events that lead to these meetings and were not cancelled."""
    return list(
        session.scalars(
            select(Event)
            .where(
                Event.organization_id == organization_id,
                Event.zoom_id.in_(zoom_ids),
                Event.status != CANCELLED,
            )
            .order_by(Event.id)
        )
    )


def count_events(
    session: Session, organization_id: int, *, event_ids: frozenset[int] | None, now: datetime
) -> EventCounts:
    """Count an organization's events by the list in which each stands."""
    columns = [func.count().filter(_is_in(tab, now)) for tab in _TABS]
    statement: Any = select(*columns).select_from(Event)
    published, draft, ended = session.execute(_within(statement, organization_id, event_ids)).one()
    return EventCounts(published, draft, ended)


def list_events(
    session: Session,
    organization_id: int,
    tab: str,
    *,
    event_ids: frozenset[int] | None,
    after: tuple[datetime, int] | None = None,
    limit: int,
    now: datetime,
) -> list[ListedEvent]:
    """List the events of a tab: `published` and `draft` the next one first, `ended` the last.

    Args:
        after: start and id of the last event of the page before.
    """
    key = tuple_(Event.starts_at, Event.id)
    seats, pending = (_counter(name) for name in (SEATS, PENDING))
    statement = _within(
        select(Event, seats, pending, _is_paused(), _has_parked()), organization_id, event_ids
    ).where(_is_in(tab, now))
    if after is not None:
        place = tuple_(after[0], after[1])
        statement = statement.where(key < place if tab == "ended" else key > place)
    order = (
        (Event.starts_at.desc(), Event.id.desc()) if tab == "ended" else (Event.starts_at, Event.id)
    )
    rows = session.execute(statement.order_by(*order).limit(limit))
    return [ListedEvent(*row) for row in rows]


def list_with_pending(session: Session, *, now: datetime) -> list[Event]:
    """List the events of everybody that are not over and where people wait for approval."""
    is_theirs = and_(EventCounter.event_id == Event.id, EventCounter.name == PENDING)
    is_public = Event.status.not_in((DRAFT, CANCELLED))
    return list(
        session.scalars(
            select(Event)
            .join(EventCounter, is_theirs)
            .where(EventCounter.value > 0, is_public, is_ahead(Event, since=now, now=now))
            .order_by(Event.id)
        )
    )


_TABS = ("published", "draft", "ended")


def _within(
    statement: Select[Any], organization_id: int, event_ids: frozenset[int] | None
) -> Select[Any]:
    statement = statement.where(Event.organization_id == organization_id, IS_KEPT)
    return statement if event_ids is None else statement.where(Event.id.in_(event_ids))


def _is_in(tab: str, now: datetime) -> Any:
    # Whoever looks for an event on its evening looks for it where it was.
    is_over = or_(~is_ahead(Event, since=now - SURELY_OVER, now=now), Event.status == CANCELLED)
    if tab == "draft":
        return Event.status == DRAFT
    if tab == "ended":
        return and_(Event.status != DRAFT, is_over)
    return and_(Event.status != DRAFT, ~is_over)


def _counter(name: str) -> Any:
    value = (
        select(EventCounter.value)
        .where(EventCounter.event_id == Event.id, EventCounter.name == name)
        .scalar_subquery()
    )
    return func.coalesce(value, 0)


def _is_paused() -> Any:
    of_event = exists().where(ZoomEvent.event_id == Event.id, ZoomEvent.paused_since.is_not(None))
    of_account = exists().where(
        ZoomConnection.id == Event.connection_id,
        ZoomAccount.account_id == ZoomConnection.account_id,
        ZoomAccount.paused_since.is_not(None),
    )
    return or_(of_event, of_account)


def _has_parked() -> Any:
    return exists().where(Job.state == JobState.PARKED, Job.event_id == Event.id)
