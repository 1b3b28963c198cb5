"""Keeping the index of registrations: taking in who is new and what was changed."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from .models import (
    Event,
    IndexBits,
    IndexBlock,
    IndexMark,
    IndexOrder,
    IndexProgress,
    IndexTexts,
    IndexTotal,
    Registration,
)
from .registration_index import (
    BLOCK,
    CHUNK,
    event_of_mark,
    is_behind,
    list_newer,
    read_ids,
    write_ids,
)
from .statements import insert_for

T = TypeVar("T")

Facet = tuple[str, str]
"""(name, value)."""


@dataclass(frozen=True)
class Entry:
    """What one registration is found by: facets, a line of text, and keys to sort by, by name."""

    facets: frozenset[Facet]
    text: str
    keys: Mapping[str, bytes] = field(default_factory=dict)


Describe = Callable[[Session, Sequence[int]], Mapping[int, Entry]]


@dataclass(frozen=True)
class Intake:
    """What one step takes into the index of an event, and what it was read after."""

    event_id: int
    last_id: int
    marks: Mapping[int, int]
    new: Sequence[int]
    entries: Mapping[int, Entry]
    is_full: bool


def read_intake(session: Session, event_id: int, describe: Describe, *, limit: int) -> Intake:
    """Read who is new and who was changed, and what each is found by.

    What is read of a registration is newer than its mark, and a mark that comes meanwhile stays.
    People are inserted under the lock of the event's seats: whoever has a higher id came later.
    Most of the time goes into this, and nobody has to wait for it.
    """
    last_id = session.scalar(
        select(IndexProgress.last_id).where(IndexProgress.event_id == event_id)
    )
    last_id = last_id or 0
    marks = _list_marks(session, event_id, limit)
    new = list_newer(session, event_id, last_id, limit=limit)
    known_until = new[-1] if new else last_id
    marks = {number: key for number, key in marks.items() if key <= known_until}
    entries = describe(session, sorted({*new, *marks.values()}))
    is_full = limit in (len(new), len(marks))
    return Intake(event_id, last_id, marks, new, entries, is_full)


def store_intake(session: Session, intake: Intake) -> bool:
    """Bring an event's index closer to what is stored; return whether there may be more to do.

    Where somebody else was faster nothing is stored, so that older values never replace newer ones.
    """
    event_id = intake.event_id
    progress = _lock_progress(session, event_id)
    is_current = progress.last_id == intake.last_id and _take_marks(session, intake.marks)
    if not is_current:
        session.expire(progress)
        return True
    changed = sorted({key for key in intake.marks.values() if key <= progress.last_id})
    places = _find_places(session, event_id, changed)
    places |= _append(session, progress, intake.new)
    nothing = Entry(frozenset(), "")
    by_place = {place: intake.entries.get(key, nothing) for key, place in places.items()}
    _write_bits(session, event_id, by_place)
    _write_texts(session, event_id, {place: entry.text for place, entry in by_place.items()})
    _write_keys(session, event_id, by_place)
    return intake.is_full


def list_behind(session: Session) -> list[int]:
    """List the events whose index does not know all that was registered and changed."""
    return [key for key in session.scalars(select(Event.id)) if is_behind(session, key)]


def forget(session: Session, event_id: int) -> None:
    """Drop an event's index, to be made anew; meanwhile its people are found one by one again."""
    for model in (IndexBits, IndexTotal, IndexTexts, IndexOrder, IndexBlock, IndexProgress):
        session.execute(delete(model).where(model.event_id == event_id))


def mark_all(session: Session, event_id: int, *, after: int, limit: int) -> int | None:
    """Have the index look at people again, from an id on; return the last id, None at the end.

    Everybody stays to be found meanwhile: each is replaced by what they are now.
    """
    known = select(IndexProgress.last_id).where(IndexProgress.event_id == event_id)
    ids = list(
        session.scalars(
            select(Registration.id)
            .where(
                Registration.event_id == event_id,
                Registration.id > after,
                Registration.id <= known.scalar_subquery(),
            )
            .order_by(Registration.id)
            .limit(limit)
        )
    )
    if ids:
        session.execute(insert(IndexMark), [{"registration_id": key} for key in ids])
    return ids[-1] if ids else None


def _lock_progress(session: Session, event_id: int) -> IndexProgress:
    first = insert_for(session)(IndexProgress).values(event_id=event_id, last_id=0, places=0)
    session.execute(first.on_conflict_do_nothing(index_elements=[IndexProgress.event_id]))
    return session.get_one(IndexProgress, event_id, with_for_update=True, populate_existing=True)


def _take_marks(session: Session, marks: Mapping[int, int]) -> bool:
    """Take marks away, if all are still there: whoever takes one has read the same or newer."""
    here = IndexMark.id.in_(marks)
    if len(list(session.scalars(select(IndexMark.id).where(here)))) < len(marks):
        return False
    session.execute(delete(IndexMark).where(here))
    return True


def _list_marks(session: Session, event_id: int, limit: int) -> dict[int, int]:
    rows = session.execute(
        select(IndexMark.id, IndexMark.registration_id)
        .where(event_of_mark() == event_id)
        .order_by(IndexMark.id)
        .limit(limit)
    )
    return {number: key for number, key in rows}


def _find_places(session: Session, event_id: int, keys: Iterable[int]) -> dict[int, int]:
    places: dict[int, int] = {}
    block: IndexBlock | None = None
    ids: array[int] = array("Q")
    for key in keys:
        if block is None or key > ids[-1]:
            block = session.scalar(
                select(IndexBlock)
                .where(IndexBlock.event_id == event_id, IndexBlock.first_id <= key)
                .order_by(IndexBlock.number.desc())
                .limit(1)
            )
            assert block is not None, "whoever is marked and not new has a place"
            ids = read_ids(block.ids)
        places[key] = block.number * BLOCK + bisect_left(ids, key)
    return places


def _append(session: Session, progress: IndexProgress, new: Sequence[int]) -> dict[int, int]:
    """Give new registrations the next places."""
    places = {key: progress.places + offset for offset, key in enumerate(new)}
    for number, members in _group(((place, key) for key, place in places.items()), BLOCK).items():
        block = session.get(IndexBlock, (progress.event_id, number))
        if block is None:
            block = IndexBlock(
                event_id=progress.event_id, number=number, first_id=members[0][1], ids=b""
            )
            session.add(block)
        block.ids += write_ids(array("Q", [key for _, key in members]))
    if new:
        progress.last_id, progress.places = new[-1], progress.places + len(new)
    session.flush()
    return places


def _write_bits(session: Session, event_id: int, by_place: Mapping[int, Entry]) -> None:
    changes: dict[Facet, int] = {}
    for number, members in _group(by_place.items(), BLOCK).items():
        rows = {
            (row.name, row.value): row
            for row in session.scalars(
                select(IndexBits).where(IndexBits.event_id == event_id, IndexBits.block == number)
            )
        }
        seen = sum(1 << place for place, _ in members)
        wanted: dict[Facet, int] = dict.fromkeys(rows, 0)
        for place, entry in members:
            for facet in entry.facets:
                wanted[facet] = wanted.get(facet, 0) | 1 << place
        for facet, bits in wanted.items():
            row = rows.get(facet)
            before = int.from_bytes(row.bits, "little") if row else 0
            after = before & ~seen | bits
            if after != before:
                changes[facet] = changes.get(facet, 0) + after.bit_count() - before.bit_count()
                _store(session, event_id, number, facet, row, after)
    _add_to_totals(session, event_id, changes)


def _store(
    session: Session, event_id: int, number: int, facet: Facet, row: IndexBits | None, bits: int
) -> None:
    written = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    if row is None:
        name, value = facet
        session.add(
            IndexBits(event_id=event_id, name=name, value=value, block=number, bits=written)
        )
    elif written:
        row.bits = written
    else:
        session.delete(row)


def _add_to_totals(session: Session, event_id: int, changes: Mapping[Facet, int]) -> None:
    rows = [
        {"event_id": event_id, "name": name, "value": value, "total": change}
        for (name, value), change in sorted(changes.items())
        if change
    ]
    if not rows:
        return
    statement = insert_for(session)(IndexTotal)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[IndexTotal.event_id, IndexTotal.name, IndexTotal.value],
            set_={"total": IndexTotal.total + statement.excluded.total},
        ),
        rows,
    )


def _write_texts(session: Session, event_id: int, by_place: Mapping[int, str]) -> None:
    for number, members in _group(by_place.items(), CHUNK).items():
        row = session.get(IndexTexts, (event_id, number))
        lines = row.texts.split("\n") if row else []
        for place, text in members:
            lines += [""] * (place + 1 - len(lines))
            lines[place] = text.replace("\n", " ").replace("\0", " ")
        if row is None:
            row = IndexTexts(event_id=event_id, number=number)
            session.add(row)
        row.texts = "\n".join(lines)


def _write_keys(session: Session, event_id: int, by_place: Mapping[int, Entry]) -> None:
    rows = [
        {"event_id": event_id, "name": name, "place": place, "key": key}
        for place, entry in by_place.items()
        for name, key in entry.keys.items()
    ]
    if not rows:
        return
    statement = insert_for(session)(IndexOrder)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[IndexOrder.event_id, IndexOrder.name, IndexOrder.place],
            set_={"key": statement.excluded.key},
        ),
        rows,
    )


def _group(pairs: Iterable[tuple[int, T]], size: int) -> dict[int, list[tuple[int, T]]]:
    """Group pairs by block, each with its place within the block."""
    groups: dict[int, list[tuple[int, T]]] = {}
    for place, item in pairs:
        groups.setdefault(place // size, []).append((place % size, item))
    return groups
