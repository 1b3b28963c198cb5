"""People in another order than the one in which they came, a page at a time, by a place to go on.

By a value that they share, such as their status: one value after the other, each found as ever. By
a text of their own, such as the name: the index keeps a sorted key for each. Where many are found,
the keys are walked along until a page is full; where few are, theirs alone are read and sorted. So
a page costs some ten thousand keys at most, unless those who are found stand together far behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from .models import IndexOrder
from .registration_index import (
    BLOCK,
    Wanted,
    count_places,
    find_all,
    list_places,
    read_page,
    read_places,
)

KEYS_AT_ONCE = 2_000
IN_AT_ONCE = 500


@dataclass(frozen=True)
class People:
    """Whom to order: those of an event whom a filter finds."""

    session: Session
    event_id: int
    wanted: Wanted


@dataclass(frozen=True)
class Part:
    """Which part of an order: `limit` people from where a page before has ended, or the first."""

    begin: str
    limit: int


@dataclass(frozen=True)
class OrderedPage:
    """Ids in the order asked for; `next` is where the next page begins, if anybody is left."""

    ids: list[int]
    next: str


def read_page_by_date(people: People, part: Part, *, oldest_first: bool) -> OrderedPage:
    """Return one page in the order in which people came, or the reverse.

    Raises:
        ValueError: `begin` is none that a page has named; so for the others.
    """
    page = read_page(
        people.session,
        people.event_id,
        people.wanted,
        limit=part.limit,
        begin=_read_number(part.begin) if part.begin else None,
        oldest_first=oldest_first,
    )
    return OrderedPage(page.ids, "" if page.next is None else str(page.next))


def read_page_by_value(
    people: People, facet: str, values: Sequence[str], part: Part
) -> OrderedPage:
    """Return one page by the values of a facet in the order given, the newest first in each.

    Whoever has none of the values comes last.
    """
    turns = [frozenset({value}) for value in values]
    wanted = [_narrow(people.wanted, facet, turn) for turn in turns]
    wanted.append(replace(people.wanted, without=(facet, frozenset(values))))
    first, place = 0, None
    if part.begin:
        at, _, turn = part.begin.partition(".")
        first, place = _read_number(turn), _read_number(at)
    ids: list[int] = []
    for number, chosen in enumerate(wanted[first:], first):
        left = part.limit - len(ids)
        page = read_page(people.session, people.event_id, chosen, limit=left, begin=place)
        ids += page.ids
        if page.next is not None:
            return OrderedPage(ids, f"{page.next}.{number}")
        place = None
    return OrderedPage(ids, "")


def _narrow(wanted: Wanted, facet: str, values: frozenset[str]) -> Wanted:
    both = wanted.facets.get(facet, values) & values
    return replace(wanted, facets={**wanted.facets, facet: both})


def read_page_by_key(people: People, name: str, part: Part) -> OrderedPage:
    """Return one page by the sorted keys that the index keeps under a name."""
    number, _, text = part.begin.partition(".")
    after = (bytes.fromhex(text), _read_number(number)) if part.begin else None
    session, event_id = people.session, people.event_id
    found = find_all(session, event_id, people.wanted)
    count = sum(bits.bit_count() for bits in found.values())
    is_few = count * count < part.limit * count_places(session, event_id)
    keys = (_sort_few if is_few else _walk)(session, event_id, name, found, after)
    chosen = list(islice(keys, part.limit + 1))
    is_more = len(chosen) > part.limit
    chosen = chosen[: part.limit]
    ids = read_places(session, event_id, [place for _, place in chosen])
    return OrderedPage(ids, f"{chosen[-1][1]}.{chosen[-1][0].hex()}" if is_more else "")


Key = tuple[bytes, int]
"""(key, place): nobody has the same as somebody else."""


def _walk(
    session: Session, event_id: int, name: str, found: Mapping[int, int], after: Key | None
) -> Iterator[Key]:
    """Yield the keys of those who are found by walking along all keys."""
    order = (IndexOrder.key, IndexOrder.place)
    rows = select(*order).where(IndexOrder.event_id == event_id, IndexOrder.name == name)
    rows = rows.order_by(*order).limit(KEYS_AT_ONCE)
    while True:
        part = rows if after is None else rows.where(tuple_(*order) > tuple_(*after))
        keys = [(bytes(key), place) for key, place in session.execute(part)]
        for key, place in keys:
            if found.get(place // BLOCK, 0) >> place % BLOCK & 1:
                yield key, place
        if len(keys) < KEYS_AT_ONCE:
            return
        after = keys[-1]


def _sort_few(
    session: Session, event_id: int, name: str, found: Mapping[int, int], after: Key | None
) -> Iterator[Key]:
    """Yield the keys of those who are found by reading theirs alone."""
    places = [
        number * BLOCK + place
        for number, bits in found.items()
        for place in list_places(bits, True)
    ]
    keys = []
    for start in range(0, len(places), IN_AT_ONCE):
        rows = session.execute(
            select(IndexOrder.key, IndexOrder.place).where(
                IndexOrder.event_id == event_id,
                IndexOrder.name == name,
                IndexOrder.place.in_(places[start : start + IN_AT_ONCE]),
            )
        )
        keys += [(bytes(key), place) for key, place in rows]
    return (key for key in sorted(keys) if after is None or key > after)


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError(f"{text!r} is no place")
    return int(text)
