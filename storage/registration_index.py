"""Finding and counting registrations by what they have in common, at the same cost however many.

Each value that people share has a row of bits for each block of registrations: what a filter finds
is their intersection, and its size the number of bits that are set. See `models.registration_index`
for the tables, `services.registration_index` for what is in them.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ScalarSelect, bindparam, func, insert, select, tuple_
from sqlalchemy.orm import Session, object_session

from .models import (
    IndexBits,
    IndexBlock,
    IndexMark,
    IndexProgress,
    IndexTexts,
    IndexTotal,
    Registration,
    ZoomRegistrant,
)
from .statements import Statement, is_postgresql, table_of

BLOCK = 4096
CHUNK = 512
"""How many places have one row of texts; a block has a whole number of them."""

MOST_BLOCKS_AT_ONCE = 64

_MARK = Statement(lambda _: insert(table_of(IndexMark)))
_BITS = Statement(
    lambda _: select(IndexBits.block, IndexBits.bits).where(
        IndexBits.event_id == bindparam("event_id"),
        IndexBits.name == bindparam("name"),
        IndexBits.value == bindparam("value"),
        IndexBits.block.between(bindparam("low"), bindparam("high")),
    )
)
# An index leads with the status: five short ways through it, instead of one past everybody.
_STATUSES = ("pending", "waitlisted", "approved", "denied", "cancelled")


@dataclass(frozen=True)
class Wanted:
    """Whom to find: of each facet one of the values, and `text` in what they are searched by.

    `without` is a facet and values of which they have none.
    """

    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    text: str = ""
    without: tuple[str, frozenset[str]] | None = None


@dataclass(frozen=True)
class Page:
    """Ids in the order asked for; `next` is where the next page begins, if anybody is left."""

    ids: list[int]
    next: int | None


def mark(session: Session, registration_id: int) -> None:
    """Have the index look at a registration again that was changed in this transaction."""
    _MARK.change(session, {"registration_id": registration_id})


def mark_person(registration: Registration) -> None:
    """As `mark`, where only the row is at hand."""
    if session := object_session(registration):
        mark(session, registration.id)


def mark_registrant(registrant: ZoomRegistrant) -> None:
    if session := object_session(registrant):
        mark(session, registrant.registration_id)


def list_totals(session: Session, event_id: int) -> dict[str, dict[str, int]]:
    """Return how many registrations have each value, by facet; none has what is missing."""
    totals: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(IndexTotal.name, IndexTotal.value, IndexTotal.total).where(
            IndexTotal.event_id == event_id, IndexTotal.total > 0
        )
    )
    for name, value, total in rows:
        totals.setdefault(name, {})[value] = total
    return totals


def list_values(session: Session, event_id: int, name: str, *, limit: int) -> set[str]:
    """List values that a facet has had, so many at most."""
    return set(
        session.scalars(
            select(IndexTotal.value)
            .where(IndexTotal.event_id == event_id, IndexTotal.name == name)
            .limit(limit)
        )
    )


def count_places(session: Session, event_id: int) -> int:
    places = select(IndexProgress.places).where(IndexProgress.event_id == event_id)
    return session.scalar(places) or 0


def is_behind(session: Session, event_id: int) -> bool:
    """Tell whether the index of an event does not know all that was registered and changed."""
    last_id = session.scalar(
        select(IndexProgress.last_id).where(IndexProgress.event_id == event_id)
    )
    return bool(list_newer(session, event_id, last_id or 0, limit=1)) or bool(
        session.scalar(select(IndexMark.id).where(event_of_mark() == event_id).limit(1))
    )


def event_of_mark() -> ScalarSelect[int]:
    """Look up each mark's event. Joined, SQLite would begin with all people of the event."""
    return (
        select(Registration.event_id)
        .where(Registration.id == IndexMark.registration_id)
        .scalar_subquery()
    )


def list_newer(session: Session, event_id: int, last_id: int, *, limit: int) -> list[int]:
    """List who registered after the last one known, in order."""
    ways = (
        select(Registration.id)
        .where(
            Registration.event_id == event_id,
            Registration.status == status,
            Registration.id > last_id,
        )
        .order_by(Registration.id)
        .limit(limit)
        for status in _STATUSES
    )
    return sorted(key for way in ways for key in session.scalars(way))[:limit]


def count_matches(
    session: Session, event_id: int, wanted: Wanted, *, most: int | None = None
) -> int:
    """Count whom a filter finds: exactly, or until there are more than `most`.

    A text that very many have in common would take long to count.
    """
    count = 0
    for found in _find(session, event_id, wanted, is_upward=True, begin=None):
        count += sum(bits.bit_count() for bits in found.values())
        if most is not None and count > most:
            break
    return count


def read_page(
    session: Session,
    event_id: int,
    wanted: Wanted,
    *,
    limit: int,
    begin: int | None = None,
    oldest_first: bool = False,
) -> Page:
    """Return one page of whom a filter finds, from place `begin` on, else from the newest on."""
    ids: list[int] = []
    for found in _find(session, event_id, wanted, is_upward=oldest_first, begin=begin):
        known = _read_ids(session, event_id, found)
        for number in sorted(found, reverse=not oldest_first):
            for place in list_places(found[number], oldest_first):
                if len(ids) == limit:
                    return Page(ids, number * BLOCK + place)
                ids.append(known[number][place])
    return Page(ids, None)


def list_ids(session: Session, event_id: int, wanted: Wanted) -> Iterator[list[int]]:
    """Yield the ids of all whom a filter finds, in the order in which they came, many at a time."""
    for found in _find(session, event_id, wanted, is_upward=True, begin=None):
        known = _read_ids(session, event_id, found)
        for number in sorted(found):
            if found[number].bit_count() == len(known[number]):
                yield list(known[number])
            elif places := list(list_places(found[number], True)):
                yield [known[number][place] for place in places]


def count_values(session: Session, event_id: int, name: str, wanted: Wanted) -> dict[str, int]:
    """Count whom a filter finds by the values of a facet."""
    found = find_all(session, event_id, wanted)
    if not found:
        return {}
    rows = session.execute(
        select(IndexBits.value, IndexBits.block, IndexBits.bits).where(
            IndexBits.event_id == event_id,
            IndexBits.name == name,
            IndexBits.block.between(min(found), max(found)),
        )
    )
    counts: dict[str, int] = {}
    for value, number, bits in rows:
        both = found.get(number, 0) & int.from_bytes(bits, "little")
        counts[value] = counts.get(value, 0) + both.bit_count()
    return {value: count for value, count in counts.items() if count}


def find_one_of_each(
    session: Session, event_id: int, name: str, values: Collection[str]
) -> dict[str, int]:
    """Return by some values of a facet the id of the first one who has it."""
    chosen = (IndexBits.event_id == event_id, IndexBits.name == name, IndexBits.value.in_(values))
    first = select(IndexBits.value, func.min(IndexBits.block)).where(*chosen)
    # No row is without a bit.
    rows = session.execute(
        select(IndexBits.value, IndexBits.block, IndexBits.bits).where(
            *chosen,
            tuple_(IndexBits.value, IndexBits.block).in_(first.group_by(IndexBits.value)),
        )
    ).all()
    known = _read_ids(session, event_id, dict.fromkeys((number for _, number, _ in rows), 0))
    return {
        value: known[number][next(list_places(int.from_bytes(bits, "little"), True))]
        for value, number, bits in rows
    }


def find_all(session: Session, event_id: int, wanted: Wanted) -> dict[int, int]:
    """Return by block a bit for each place that is found."""
    found: dict[int, int] = {}
    for part in _find(session, event_id, wanted, is_upward=True, begin=None):
        found |= part
    return found


def read_places(session: Session, event_id: int, places: Sequence[int]) -> list[int]:
    """Return who stands at places, in the order of the places given."""
    known = _read_ids(session, event_id, dict.fromkeys((place // BLOCK for place in places), 0))
    return [known[place // BLOCK][place % BLOCK] for place in places]


def _find(
    session: Session, event_id: int, wanted: Wanted, *, is_upward: bool, begin: int | None
) -> Iterator[dict[int, int]]:
    """Yield what is found by block, a few blocks at first, then more at a time."""
    places = count_places(session, event_id)
    last = (places - 1) // BLOCK
    at, width = (0 if is_upward else last) if begin is None else begin // BLOCK, 1
    while 0 <= at <= last:
        low, high = (at, at + width - 1) if is_upward else (at - width + 1, at)
        low, high = max(low, 0), min(high, last)
        found = _find_between(session, event_id, wanted, low, high, places)
        if begin is not None and begin // BLOCK in found:
            here, inside = begin // BLOCK, begin % BLOCK
            found[here] &= -1 << inside if is_upward else (2 << inside) - 1
        yield found
        at = high + 1 if is_upward else low - 1
        width = min(width * 4, MOST_BLOCKS_AT_ONCE)


def _find_between(
    session: Session, event_id: int, wanted: Wanted, low: int, high: int, places: int
) -> dict[int, int]:
    found = {
        number: (1 << min(BLOCK, places - number * BLOCK)) - 1 for number in range(low, high + 1)
    }
    for name, values in wanted.facets.items():
        found = _intersect(found, _read_bits(session, event_id, name, values, low, high))
    if wanted.without is not None:
        have = _read_bits(session, event_id, *wanted.without, low, high)
        found = _intersect(found, {number: ~have.get(number, 0) for number in found})
    if wanted.text and found:
        found = _intersect(found, _search(session, event_id, wanted.text, min(found), max(found)))
    return found


def _read_bits(
    session: Session, event_id: int, name: str, values: Iterable[str], low: int, high: int
) -> dict[int, int]:
    """Return by block who has one of some values of a facet."""
    between = {"event_id": event_id, "name": name, "low": low, "high": high}
    have: dict[int, int] = {}
    for value in values:
        for number, bits in _BITS.fetch_all(session, {**between, "value": value}):
            have[number] = have.get(number, 0) | int.from_bytes(bits, "little")
    return have


def _intersect(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    both = ((number, bits & other.get(number, 0)) for number, bits in one.items())
    return {number: bits for number, bits in both if bits}


def _search(session: Session, event_id: int, text: str, low: int, high: int) -> dict[int, int]:
    """Look for a text as it is: nothing in it stands for anything else."""
    contains = func.strpos if is_postgresql(session) else func.instr
    per_block = BLOCK // CHUNK
    rows = session.execute(
        select(IndexTexts.number, IndexTexts.texts).where(
            IndexTexts.event_id == event_id,
            IndexTexts.number.between(low * per_block, (high + 1) * per_block - 1),
            contains(IndexTexts.texts, text) > 0,
        )
    )
    found: dict[int, int] = {}
    for number, lines in rows:
        bits = 0
        for line, words in enumerate(lines.split("\n")):
            if text in words:
                bits |= 1 << line
        block, part = divmod(number, per_block)
        found[block] = found.get(block, 0) | bits << (part * CHUNK)
    return found


def _read_ids(session: Session, event_id: int, found: Mapping[int, int]) -> dict[int, array[int]]:
    if not found:
        return {}
    rows = session.execute(
        select(IndexBlock.number, IndexBlock.ids).where(
            IndexBlock.event_id == event_id, IndexBlock.number.in_(found)
        )
    )
    return {number: read_ids(ids) for number, ids in rows}


def read_ids(stored: bytes) -> array[int]:
    """Read what `write_ids` has written."""
    ids = array("Q", stored)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids


def write_ids(ids: array[int]) -> bytes:
    """Write ids as eight bytes each, the least first, on any machine."""
    written = array("Q", ids)
    if sys.byteorder == "big":
        written.byteswap()
    return written.tobytes()


def list_places(bits: int, oldest_first: bool) -> Iterator[int]:
    while bits:
        place = (bits & -bits).bit_length() - 1 if oldest_first else bits.bit_length() - 1
        bits ^= 1 << place
        yield place
