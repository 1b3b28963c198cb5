"""What visitors and search engines find without an event's address: lists of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from .event_ends import is_ahead
from .events import EventHead, with_head
from .models import Event, EventCounter, FormerSlug, Organization
from .statements import table_of

_SEEN = ("published", "closed")


@dataclass(frozen=True)
class ListedEvent:
    """An event with the texts by which it is listed."""

    head: EventHead
    kind: str
    title: dict[str, str]
    lead: dict[str, str]
    former_starts_at: datetime | None


@dataclass(frozen=True)
class FindableEvent:
    """An event as a site's map names it."""

    slug: str
    title: dict[str, str]
    updated_at: datetime


def find_organization(session: Session, slug: str) -> Organization | None:
    """Return whose page an address is, or was, and that has one now."""
    found: Organization | None = session.scalar(
        select(Organization).where(Organization.slug == slug)
    )
    if found is None:
        found = session.scalar(
            select(Organization)
            .join(FormerSlug, FormerSlug.organization_id == Organization.id)
            .where(FormerSlug.slug == slug, Organization.slug.is_not(None))
        )
    return found


def get_owner_of_slug(session: Session, slug: str) -> int | None:
    """Return which organization has an address, now or before."""
    owner = session.scalar(select(Organization.id).where(Organization.slug == slug))
    if owner is not None:
        return owner
    return session.scalar(select(FormerSlug.organization_id).where(FormerSlug.slug == slug))


def change_slug(
    session: Session, organization: Organization, slug: str | None, *, kept: int, now: datetime
) -> None:
    """Give an organization's page another address, or none; the last former ones stay its own."""
    former = organization.slug
    organization.slug = slug
    session.execute(delete(FormerSlug).where(FormerSlug.slug == (slug or "")))
    if former is not None:
        session.add(FormerSlug(slug=former, organization_id=organization.id, left_at=now))
    session.flush()
    left = session.scalars(
        select(FormerSlug)
        .where(FormerSlug.organization_id == organization.id)
        .order_by(FormerSlug.left_at.desc(), FormerSlug.slug)
        .offset(kept)
    )
    for row in left:
        session.delete(row)
    session.flush()


def list_listed(
    session: Session,
    organization_id: int,
    *,
    since: datetime,
    until: datetime | None = None,
    now: datetime,
    after: str = "",
    limit: int | None = None,
) -> list[ListedEvent]:
    """List an organization's listed events that begin after a moment or are not over.

    The next one comes first.

    `until` is the last moment at which one of them begins, `after` the public id of the event that
    the page before ended with.
    """
    event = table_of(Event)
    columns = (event.c.kind, event.c.title, event.c.lead, event.c.former_starts_at)
    rows = with_head(select(*columns).select_from(event)).where(
        event.c.organization_id == organization_id,
        event.c.is_listed,
        event.c.status.in_(_SEEN),
        is_ahead(event.c, since=since, now=now),
    )
    if until is not None:
        rows = rows.where(event.c.starts_at <= until)
    if after:
        place = select(event.c.starts_at, event.c.id).where(
            event.c.public_id == after, event.c.organization_id == organization_id
        )
        for starts_at, event_id in session.execute(place):
            is_later = and_(event.c.starts_at == starts_at, event.c.id > event_id)
            rows = rows.where(or_(event.c.starts_at > starts_at, is_later))
    ordered = rows.order_by(event.c.starts_at, event.c.id).limit(limit)
    return [
        ListedEvent(EventHead(*row[len(columns) :]), *row[: len(columns)])
        for row in session.execute(ordered)
    ]


def list_counters(session: Session, event_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return the counters of several events, by event and name."""
    rows = session.execute(
        select(EventCounter.event_id, EventCounter.name, EventCounter.value).where(
            EventCounter.event_id.in_(event_ids)
        )
    )
    counters: dict[int, dict[str, int]] = {}
    for event_id, name, value in rows:
        counters.setdefault(event_id, {})[name] = value
    return counters


def count_listed(session: Session, organization_id: int, *, since: datetime) -> int:
    """Count an organization's listed events that begin after a moment."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Event)
            .where(
                Event.organization_id == organization_id,
                Event.is_listed,
                Event.status.in_(_SEEN),
                Event.starts_at > since,
            )
        )
        or 0
    )


def list_findable(
    session: Session, *, since: datetime, limit: int, now: datetime
) -> list[FindableEvent]:
    """List what a site's map names: listed events of organizations that have a page."""
    rows = session.execute(
        select(Event.slug, Event.title, Event.updated_at)
        .join(Organization, Organization.id == Event.organization_id)
        .where(
            Organization.slug.is_not(None),
            Event.is_listed,
            Event.status.in_(_SEEN),
            is_ahead(Event, since=since, now=now),
        )
        .order_by(Event.starts_at.desc(), Event.id)
        .limit(limit)
    )
    return [FindableEvent(*row) for row in rows]


def list_organization_slugs(session: Session, *, limit: int) -> list[str]:
    """List the addresses of organizations' pages."""
    slugs = select(Organization.slug).where(Organization.slug.is_not(None))
    return [slug for slug in session.scalars(slugs.order_by(Organization.id).limit(limit)) if slug]
