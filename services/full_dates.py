"""Dates of a series on which Zoom has no place, as far as its refusals tell.

Zoom counts each date by itself, and says of nobody who wants several on which of them it has none.
`Event.refused_dates` has the dates of each who was refused since the last sign of a place on one of
them: whoever wants all of these is sure to be refused. `Event.full_dates` are those that the form
shows as full meanwhile. They go only once all who wait for one of them were tried, so that nobody
who comes then goes before them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from storage.models import Event

from .event_dates import list_ahead

MOST_REFUSED = 50
"""So many different refusals are remembered: each is a condition of who is next to be tried."""


class Closing(Protocol):
    """What of an event says for whom Zoom has no place."""

    @property
    def closed_by_zoom(self) -> str: ...
    @property
    def full_dates(self) -> list[str] | None: ...


def is_closed(event: Closing) -> bool:
    """Tell whether Zoom takes nobody, for whichever date."""
    return bool(event.closed_by_zoom) and event.full_dates is None


def list_full(event: Closing) -> frozenset[str]:
    """Return the dates that Zoom has no place on, where it may have some on others."""
    return frozenset((event.full_dates or ()) if event.closed_by_zoom else ())


def list_refused(event: Event, *, now: datetime) -> list[list[str]]:
    """Return the dates of each of whom it is known that Zoom has no place; none for any date.

    The event is closed. Of whoever was refused for dates of which one is over, or gone, nothing is
    known any more.
    """
    ahead = list_ahead(event, now=now)
    return [dates for dates in event.refused_dates or () if ahead.issuperset(dates)]


def note_refused(event: Event, dates: Collection[str]) -> bool:
    """Remember that Zoom refuses whoever wants all of these dates; the event is closed.

    Whoever wants more dates than somebody else who was refused tells nothing that is not known.
    Of a great many different wishes the last are left out, which costs their people an add.
    Returns whether fewer dates than were thought may be full.
    """
    known, new = event.refused_dates or [], frozenset(dates)
    if any(new.issuperset(one) for one in known):
        return False
    left = [one for one in known if not new.issubset(one)]
    if len(left) < MOST_REFUSED:
        event.refused_dates = [*left, sorted(new)]
    return len(left) < len(known)


def is_known(event: Event, dates: Collection[str]) -> bool:
    """Tell whether Zoom is known to refuse whoever wants all of these dates."""
    return any({*dates}.issuperset(one) for one in event.refused_dates or ())


def forget_refused(event: Event, dates: Collection[str] | None = None) -> bool:
    """Forget refusals of one of the dates, by default all, as a place came free.

    Returns whether somebody may wait for one of these.
    """
    known = event.refused_dates or []
    if dates is None:
        event.refused_dates = []
        return True
    event.refused_dates = [one for one in known if one and frozenset(one).isdisjoint(dates)]
    is_shown = is_closed(event) or not list_full(event).isdisjoint(dates)
    return is_shown or event.refused_dates != known


def find_full(
    event: Event, refused: Iterable[Collection[str]], *, now: datetime
) -> list[str] | None:
    """Return which dates take nobody after these refusals; None for all.

    Of several dates of somebody it may be any.
    """
    wanted = [frozenset(dates) for dates in refused]
    full = frozenset[str]().union(*wanted)
    return sorted(full) if all(wanted) and not list_ahead(event, now=now) <= full else None
