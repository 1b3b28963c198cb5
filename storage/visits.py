"""Adding up what happened at the forms, and reading the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import VisitCount, VisitOrigin
from .statements import insert_for

OTHER = "other"
"""The origin of what comes after so many others on one day."""

_NAMELESS = {"", OTHER}

MOST_ORIGINS_A_DAY = 100
"""Addresses of links are for anybody to make up. Two processes may each add some more at once."""


@dataclass(frozen=True, order=True)
class Visit:
    """What is counted together; see `models.VisitCount`."""

    event_id: int
    day: date
    origin: str
    name: str


def add_visits(
    session: Session, counts: Mapping[Visit, int], tags: Mapping[str, Mapping[str, str]]
) -> None:
    """Add to what is counted, in one statement, and keep the tags of origins that are new."""
    counts = _bound(session, counts)
    origins = sorted({(visit.event_id, visit.origin) for visit in counts if visit.origin in tags})
    insert = insert_for(session)
    if origins:
        rows = [
            {"event_id": event_id, "origin": origin, "tags": dict(tags[origin])}
            for event_id, origin in origins
        ]
        session.execute(insert(VisitOrigin).on_conflict_do_nothing(), rows)
    # In order, or two processes would wait for each other's rows.
    values = [
        {
            "event_id": visit.event_id,
            "day": visit.day,
            "origin": visit.origin,
            "name": visit.name,
            "value": counts[visit],
        }
        for visit in sorted(counts)
    ]
    statement = insert(VisitCount).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=list(VisitCount.__table__.primary_key),
            set_={"value": VisitCount.value + statement.excluded.value},
        )
    )


def sum_by_origin(
    session: Session, event_id: int, first: date | None = None
) -> dict[tuple[str, str], int]:
    """Return how often each thing happened from a day on, by (origin, name)."""
    total = func.sum(VisitCount.value)
    rows = session.execute(
        select(VisitCount.origin, VisitCount.name, total)
        .where(VisitCount.event_id == event_id, VisitCount.day >= (first or date.min))
        .group_by(VisitCount.origin, VisitCount.name)
    )
    return {(origin, name): int(value) for origin, name, value in rows}


def sum_by_day(
    session: Session, event_id: int, name: str, first: date | None = None
) -> dict[date, int]:
    rows = session.execute(
        select(VisitCount.day, func.sum(VisitCount.value))
        .where(
            VisitCount.event_id == event_id,
            VisitCount.day >= (first or date.min),
            VisitCount.name == name,
        )
        .group_by(VisitCount.day)
    )
    return {day: int(value) for day, value in rows}


def list_tags(
    session: Session, event_id: int, origins: Iterable[str]
) -> dict[str, Mapping[str, str]]:
    """Return the tags of origins by their names, of those that are known."""
    rows = session.execute(
        select(VisitOrigin.origin, VisitOrigin.tags).where(
            VisitOrigin.event_id == event_id, VisitOrigin.origin.in_(set(origins))
        )
    )
    return {origin: tags for origin, tags in rows}


def _bound(session: Session, counts: Mapping[Visit, int]) -> Counter[Visit]:
    """Put together what comes from more origins on one day than are told apart."""
    bounded: Counter[Visit] = Counter()
    known: dict[tuple[int, date], set[str]] = {}
    for visit, count in sorted(counts.items()):
        origins = known.get((visit.event_id, visit.day))
        if origins is None:
            origins = set(_list_origins(session, visit)) - _NAMELESS
            known[visit.event_id, visit.day] = origins
        is_new = visit.origin not in _NAMELESS and visit.origin not in origins
        if is_new and len(origins) >= MOST_ORIGINS_A_DAY:
            visit = replace(visit, origin=OTHER)
        elif is_new:
            origins.add(visit.origin)
        bounded[visit] += count
    return bounded


def _list_origins(session: Session, visit: Visit) -> Sequence[str]:
    return session.scalars(
        select(VisitCount.origin)
        .where(VisitCount.event_id == visit.event_id, VisitCount.day == visit.day)
        .distinct()
    ).all()
