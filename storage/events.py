"""Reading and writing events, their form versions, counters and images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from .models import Asset, Event, EventCounter, FormVersion, KnownRegistrant
from .statements import insert_for, rowcount

SEATS = "seats"
"""The counter of seats taken: approved and pending registrations."""


def need_event(session: Session, event_id: int) -> Event:
    """Return the event that a row names: events are not deleted."""
    return session.get_one(Event, event_id)


def get_event_by_slug(session: Session, slug: str) -> Event | None:
    return session.scalar(select(Event).where(Event.slug == slug))


def list_events(session: Session) -> list[Event]:
    return list(session.scalars(select(Event).order_by(Event.starts_at, Event.id)))


def add_event(session: Session, event: Event) -> Event:
    """Add an event with its row of seats."""
    session.add(event)
    session.flush()
    session.add(EventCounter(event_id=event.id, name=SEATS, value=0))
    session.flush()
    return event


def raise_versions(session: Session, organization_id: int, *, now: datetime) -> None:
    """Have the pages of all the organization's events drawn again."""
    session.execute(
        update(Event)
        .where(Event.organization_id == organization_id)
        .values(version=Event.version + 1, updated_at=now)
        .execution_options(synchronize_session="fetch")
    )


def get_form_version(session: Session, form_version_id: int) -> FormVersion | None:
    return session.get(FormVersion, form_version_id)


def list_form_versions(session: Session, event_id: int) -> list[FormVersion]:
    """List the versions of an event's form, the newest first."""
    return list(
        session.scalars(
            select(FormVersion)
            .where(FormVersion.event_id == event_id)
            .order_by(FormVersion.number.desc())
        )
    )


def get_form_version_by_number(session: Session, event_id: int, number: int) -> FormVersion | None:
    return session.scalar(
        select(FormVersion).where(FormVersion.event_id == event_id, FormVersion.number == number)
    )


def add_form_version(
    session: Session, event: Event, questions: list[dict[str, Any]], *, now: datetime
) -> FormVersion:
    """Save questions as the event's next version and make it the current one."""
    last = session.scalar(
        select(func.max(FormVersion.number)).where(FormVersion.event_id == event.id)
    )
    version = FormVersion(
        event_id=event.id, number=(last or 0) + 1, questions=questions, created_at=now
    )
    session.add(version)
    session.flush()
    event.form_version_id = version.id
    event.version = (event.version or 0) + 1
    event.updated_at = now
    return version


def get_counter(session: Session, event_id: int, name: str) -> int:
    """Return a counter's value; one that was never touched is 0."""
    return (
        session.scalar(
            select(EventCounter.value).where(
                EventCounter.event_id == event_id, EventCounter.name == name
            )
        )
        or 0
    )


def list_counters(session: Session, event_id: int) -> dict[str, int]:
    rows = session.execute(
        select(EventCounter.name, EventCounter.value).where(EventCounter.event_id == event_id)
    )
    return {name: value for name, value in rows}


def take_seat(session: Session, event_id: int, capacity: int | None) -> bool:
    """Count one more seat unless all are taken, in one statement.

    Returns False when the event is full. The row exists from the event's first day, so that two
    takers always meet at its lock.
    """
    statement = (
        update(EventCounter)
        .where(EventCounter.event_id == event_id, EventCounter.name == SEATS)
        .values(value=EventCounter.value + 1)
    )
    if capacity is not None:
        statement = statement.where(EventCounter.value < capacity)
    return rowcount(session.execute(statement)) == 1


def lock_seats(session: Session, event_id: int) -> None:
    """Let nobody else take or give back a seat of this event before this transaction ends."""
    session.execute(
        select(EventCounter.value)
        .where(EventCounter.event_id == event_id, EventCounter.name == SEATS)
        .with_for_update()
    )


def give_back_seat(session: Session, event_id: int) -> None:
    session.execute(
        update(EventCounter)
        .where(EventCounter.event_id == event_id, EventCounter.name == SEATS)
        .values(value=EventCounter.value - 1)
    )


def add_counters(session: Session, event_id: int, changes: Mapping[str, int]) -> None:
    """Add to counters, making those that don't exist yet."""
    insert = insert_for(session)
    for name, change in sorted(changes.items()):
        statement = insert(EventCounter).values(event_id=event_id, name=name, value=change)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[EventCounter.event_id, EventCounter.name],
                set_={"value": EventCounter.value + change},
            )
        )


def replace_known_registrants(session: Session, event_id: int, hashes: Iterable[str]) -> None:
    session.execute(delete(KnownRegistrant).where(KnownRegistrant.event_id == event_id))
    rows = [{"event_id": event_id, "email_hash": value} for value in sorted(set(hashes))]
    if rows:
        session.execute(insert_for(session)(KnownRegistrant), rows)


def is_known_registrant(session: Session, event_id: int, email_hash: str) -> bool:
    return session.get(KnownRegistrant, (event_id, email_hash)) is not None


def get_asset(session: Session, name: str) -> Asset | None:
    return session.scalar(select(Asset).where(Asset.name == name))


def get_asset_by_id(session: Session, asset_id: int) -> Asset | None:
    return session.get(Asset, asset_id)


def ensure_asset(
    session: Session,
    organization_id: int,
    *,
    name: str,
    media_type: str,
    size: tuple[int, int],
    content: bytes,
    now: datetime,
) -> Asset:
    """Return the image of this name, adding it if it is new."""
    asset = get_asset(session, name)
    if asset is None:
        width, height = size
        asset = Asset(
            organization_id=organization_id,
            name=name,
            media_type=media_type,
            width=width,
            height=height,
            content=content,
            created_at=now,
        )
        session.add(asset)
        session.flush()
    return asset
