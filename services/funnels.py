"""From seeing a form to registering, by where people came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from storage import export_rows, registration_index, visits
from storage.models import Event
from storage.registration_index import Wanted
from storage.visits import OTHER

from .charts import find_day
from .dates import load_zone
from .registration_index import ORIGIN, OTHER_SOURCES
from .sources import BY_HAND, BY_PROGRAM, DIRECT, REF, pick_origin

VIEW, START, FAILED, ERROR = "view", "start", "failed", "error:"
"""What is counted of visits; the last one is followed by the name of a field."""

MOST_READ = 1_000
"""So many origins are told apart, the most successful ones."""

MOST_LOOKED_UP = 50
"""Of so many, of which only people are known, one of these is asked for the tags."""

FEW_VIEWS = 20
"""Of fewer a rate says nothing."""


@dataclass(frozen=True)
class Steps:
    """How many there were of each; nobody tells whether the same person came twice."""

    views: int = 0
    starts: int = 0
    registrations: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        """Return the key that sorts the most successful first."""
        return -self.registrations, -self.views

    @property
    def rate(self) -> float | None:
        """Return the share of views that led to a registration; None where it cannot be told."""
        if self.views < FEW_VIEWS or self.registrations > self.views:
            return None
        return self.registrations / self.views

    def __add__(self, other: Steps) -> Steps:
        return Steps(
            self.views + other.views,
            self.starts + other.starts,
            self.registrations + other.registrations,
        )


@dataclass(frozen=True)
class OriginRow:
    """What came of one origin; `tags` are what people came with."""

    origin: str
    steps: Steps
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Funnel:
    """What happened at an event's form, all of it and by origin, the most successful first.

    `rest` has what came after so many rows, and what was never told apart. `failed` forms came
    back; `mistakes` counts by the field that was wrong in them.
    """

    total: Steps
    failed: int
    by_hand: int
    rows: tuple[OriginRow, ...]
    rest: Steps
    mistakes: tuple[tuple[str, int], ...]


def read_funnel(
    session: Session,
    event: Event,
    totals: Mapping[str, Mapping[str, int]],
    *,
    first: date | None = None,
) -> Funnel:
    """Count from a day of the event's zone on, or the whole time.

    Args:
        totals: what the index of registrations has counted.
    """
    counted = visits.sum_by_origin(session, event.id, first)
    people = Counter(_count_people(session, event, totals, first))
    by_hand = people.pop(BY_HAND, 0)
    steps = _list_steps(counted)
    for origin, count in people.items():
        steps[origin] = steps.get(origin, Steps()) + Steps(registrations=count)
    rest = sum((steps.pop(name, Steps()) for name in (OTHER, OTHER_SOURCES)), Steps())
    ranked = sorted(
        (origin for origin in steps if steps[origin] != Steps()),
        key=lambda origin: (steps[origin].rank, origin),
    )
    shown, more = ranked[:MOST_READ], ranked[MOST_READ:]
    tags = read_tags(session, event.id, shown)
    return Funnel(
        total=sum(steps.values(), rest),
        failed=sum(value for (_, name), value in counted.items() if name == FAILED),
        by_hand=by_hand,
        rows=tuple(OriginRow(origin, steps[origin], tags.get(origin, {})) for origin in shown),
        rest=sum((steps[origin] for origin in more), rest),
        mistakes=_list_mistakes(counted),
    )


def count_links(
    session: Session, event: Event, codes: Collection[str], totals: Mapping[str, Mapping[str, int]]
) -> dict[str, Steps]:
    """Count what came of links by their codes, the whole time."""
    tags = visits.list_all_tags(session, event.id)
    people = totals.get(f"source:{REF}", {})
    steps = {code: Steps(registrations=people.get(code, 0)) for code in codes}
    for origin, seen in _list_steps(visits.sum_by_origin(session, event.id)).items():
        code = tags.get(origin, {}).get(REF, "")
        if code in steps:
            steps[code] += seen
    return steps


def read_tags(
    session: Session, event_id: int, origins: Collection[str]
) -> dict[str, Mapping[str, str]]:
    """Return what people of some origins came with: as it was counted, else as one of them says."""
    known = visits.list_tags(session, event_id, origins)
    known |= {DIRECT: {}, BY_HAND: {}, BY_PROGRAM: {}}
    unknown = [origin for origin in origins if origin not in known]
    found = registration_index.find_one_of_each(session, event_id, ORIGIN, unknown[:MOST_LOOKED_UP])
    if found:
        people = export_rows.list_people(session, sorted(found.values()))
        sources = {person.id: person.source for person in people}
        known |= {origin: pick_origin(sources[key]) for origin, key in found.items()}
    return known


def _list_steps(counted: Mapping[tuple[str, str], int]) -> dict[str, Steps]:
    """Return what was seen of each origin."""
    steps: dict[str, Steps] = {}
    for (origin, name), value in counted.items():
        if name in (VIEW, START):
            seen = Steps(views=value) if name == VIEW else Steps(starts=value)
            steps[origin] = steps.get(origin, Steps()) + seen
    return steps


def _count_people(
    session: Session,
    event: Event,
    totals: Mapping[str, Mapping[str, int]],
    first: date | None,
) -> Mapping[str, int]:
    if first is None:
        return totals.get(ORIGIN, {})
    zone = load_zone(event.timezone)
    hours = frozenset(h for h in totals.get("hour", {}) if find_day(h, zone) >= first)
    return registration_index.count_values(session, event.id, ORIGIN, Wanted({"hour": hours}))


def _list_mistakes(counted: Mapping[tuple[str, str], int]) -> tuple[tuple[str, int], ...]:
    mistakes = (
        (name.removeprefix(ERROR), value)
        for (_, name), value in counted.items()
        if name.startswith(ERROR)
    )
    return tuple(sorted(mistakes, key=lambda mistake: (-mistake[1], mistake[0])))
