"""Adding up what happened at the forms, and reading the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import IndexTotal, InvitationLink, VisitCount, VisitOrigin
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
    counts = _bound(session, counts, tags)
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


def list_all_tags(session: Session, event_id: int) -> dict[str, Mapping[str, str]]:
    """As `list_tags`, of all that an event knows."""
    known = select(VisitOrigin.origin, VisitOrigin.tags).where(VisitOrigin.event_id == event_id)
    return {origin: tags for origin, tags in session.execute(known)}


def _bound(
    session: Session, counts: Mapping[Visit, int], tags: Mapping[str, Mapping[str, str]]
) -> Counter[Visit]:
    """Put together what comes from more origins on one day than are told apart."""
    bounded: Counter[Visit] = Counter()
    days: dict[tuple[int, date], set[str]] = {}
    for visit in counts:
        days.setdefault((visit.event_id, visit.day), set()).add(visit.origin)
    told = {
        day: _choose_origins(session, *day, origins - _NAMELESS, tags)
        for day, origins in days.items()
    }
    for visit, count in counts.items():
        if visit.origin not in _NAMELESS | told[visit.event_id, visit.day]:
            visit = replace(visit, origin=OTHER)
        bounded[visit] += count
    return bounded


def _choose_origins(
    session: Session,
    event_id: int,
    day: date,
    origins: Set[str],
    tags: Mapping[str, Mapping[str, str]],
) -> Set[str]:
    """Return which origins are told apart; beyond so many those alone that nobody can make up."""
    known = set(_list_origins(session, event_id, day)) - _NAMELESS
    new = sorted(origins - known)
    free = max(MOST_ORIGINS_A_DAY - len(known), 0)
    known.update(new[:free])
    more = new[free:]
    if more:
        known |= _list_real(session, event_id, more, tags)
    return known


def _list_real(
    session: Session, event_id: int, origins: Sequence[str], tags: Mapping[str, Mapping[str, str]]
) -> set[str]:
    """Return those that somebody has registered with, or that are a link's and nothing else."""
    registered = select(IndexTotal.value).where(
        IndexTotal.event_id == event_id, IndexTotal.name == "origin", IndexTotal.value.in_(origins)
    )
    codes = {tags[one]["ref"]: one for one in origins if tags.get(one, {}).keys() == {"ref"}}
    links = select(InvitationLink.code).where(
        InvitationLink.event_id == event_id, InvitationLink.code.in_(codes)
    )
    return {*session.scalars(registered), *(codes[code] for code in session.scalars(links))}


def _list_origins(session: Session, event_id: int, day: date) -> Sequence[str]:
    return session.scalars(
        select(VisitCount.origin)
        .where(VisitCount.event_id == event_id, VisitCount.day == day)
        .distinct()
    ).all()
