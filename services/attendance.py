"""Who came to an event, by what Zoom has recorded: matched without a guess.

Somebody *attended* whom the record has under their own number at Zoom, or under exactly their
address. Somebody is *absent* whom it does not have, where all that it does have are known. Of
everybody else it is *unclear*, and said why. Names are never compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from storage.attendance import Person
from zoom_client import Instance, Participant

from .addresses import email_key
from .event_dates import EventDate

# A rehearsal some hours before is none of the date; a room that was opened early is.
EARLY = timedelta(hours=1)
OPENED_BEFORE = timedelta(hours=12)
OPENED_AFTER = timedelta(hours=1)
# No meeting lasts longer: what Zoom says beyond that is a mistake.
LONGEST_STAY = timedelta(hours=30)


class Standing(StrEnum):
    ATTENDED = "attended"
    ABSENT = "absent"
    UNCLEAR = "unclear"


class Reason(StrEnum):
    """Why it is unclear, what says most first.

    NOT_RECORDED: the event does not record it, the person's notice did not say so, or Zoom does not
    tell. NOT_READY: Zoom has not answered for good. UNRECOGNISED: people were there whom nobody can
    tell. NOT_REGISTERED: no place at Zoom when it ended. NOT_HELD: it is ahead, or nobody held it.
    """

    NOT_RECORDED = "not_recorded"
    NOT_READY = "not_ready"
    UNRECOGNISED = "unrecognised"
    NOT_REGISTERED = "not_registered"
    NOT_HELD = "not_held"


class RecordState(StrEnum):
    """What became of the record of one date.

    UNTOLD: Zoom is not asked, as nobody was told before its end that it would be. PARTIAL: Zoom
    never finished it, so that only who is in it is known. NOT_HELD: Zoom knows of no session. GONE:
    Zoom does not tell of it, or not any more.
    """

    WAITING = "waiting"
    SETTLED = "settled"
    PARTIAL = "partial"
    NOT_HELD = "not_held"
    GONE = "gone"
    UNTOLD = "untold"


@dataclass(frozen=True)
class Presence:
    """When somebody was in a meeting first and last, and for how many seconds in all."""

    first_joined_at: datetime
    last_left_at: datetime
    seconds: int


@dataclass(frozen=True)
class Verdict:
    """What is known of one person at one date, or at all dates together."""

    standing: Standing
    reason: Reason | None = None
    unrecognised: int = 0
    presence: Presence | None = None


@dataclass(frozen=True)
class Matching:
    """Who was in a meeting, by registration, and how many more people nobody can tell."""

    presences: Mapping[int, Presence]
    unrecognised: int


@dataclass(frozen=True)
class _Guest:
    """Somebody as Zoom names them; by name only where it says nothing else, to count them once."""

    registrant_id: str
    email_key: str
    name: str


@dataclass
class Stays:
    """The rows of a date's record, gathered by whom they are about; rows may come in any order.

    `dates` are all those that the meeting is held for, and `hosts` addresses of those who hold it.
    `has_gap` says that Zoom has told nothing of a session in which people of the date may have
    been, as it does not where but one person was there.
    """

    date: EventDate
    hosts: Collection[str] = ()
    dates: Sequence[EventDate] = ()
    is_ready: bool = True
    has_rows: bool = False
    has_gap: bool = False
    _stays: dict[_Guest, set[tuple[datetime, datetime]]] = field(default_factory=dict)

    def add(self, row: Participant) -> None:
        """Take a row; who only waited at the door, or left long before it began, was not there."""
        if row.was_waiting:
            return
        last = row.joined_at + LONGEST_STAY
        seconds = min(row.seconds, LONGEST_STAY.total_seconds())
        left_at = min(row.left_at or row.joined_at + timedelta(seconds=seconds), last)
        left_at = max(left_at, row.joined_at)
        self.is_ready = self.is_ready and row.is_ready
        if (row.left_at or row.seconds) and left_at < self.date.starts_at - EARLY:
            return
        begin, end = self._span
        is_held = row.joined_at < self.date.ends_at and left_at > self.date.starts_at
        if not (is_held or begin <= row.joined_at < end):
            return
        self.has_rows = True
        address = email_key(row.email) if row.email else ""
        registrant_id = row.registrant_id or ""
        guest = _Guest(registrant_id, address, "" if registrant_id or address else row.name)
        stay = (max(row.joined_at, begin), min(left_at, end))
        self._stays.setdefault(guest, set()).add(stay)

    @property
    def digest(self) -> str:
        """What tells whether Zoom says the same as before, in whatever order."""
        rows = sorted((*vars(guest).values(), *map(str, stay)) for guest, stay in self._list())
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def match(self, people: Iterable[Person]) -> Matching:
        """Find among an event's people who was there.

        A number at Zoom says more than an address, which is one person's at an event.
        """
        numbers, addresses = self._look_up(people)
        found: dict[int, set[tuple[datetime, datetime]]] = {}
        unknown: set[_Guest] = set()
        for guest, stays in self._stays.items():
            person = numbers.get(guest.registrant_id) or addresses.get(guest.email_key)
            if person is not None:
                found.setdefault(person, set()).update(stays)
            elif guest.email_key not in self.hosts:
                unknown.add(guest)
        presences = {person: _unite(stays) for person, stays in found.items()}
        return Matching(presences, _count_people(unknown))

    @cached_property
    def _span(self) -> tuple[datetime, datetime]:
        return find_span(self.date, self.dates)

    def _list(self) -> Iterator[tuple[_Guest, tuple[datetime, datetime]]]:
        return ((guest, stay) for guest, stays in self._stays.items() for stay in stays)

    def _look_up(self, people: Iterable[Person]) -> tuple[dict[str, int], dict[str, int]]:
        """Keep of an event's people, who may be many, those whom the record names."""
        named = {guest.registrant_id for guest in self._stays if guest.registrant_id}
        written = {guest.email_key for guest in self._stays if guest.email_key}
        numbers: dict[str, int] = {}
        addresses: dict[str, int] = {}
        for person in people:
            if person.registrant_id in named:
                numbers[person.registrant_id] = person.registration_id
            if person.email_key in written:
                addresses[person.email_key] = person.registration_id
        return numbers, addresses


def find_span(date: EventDate, dates: Iterable[EventDate]) -> tuple[datetime, datetime]:
    """Return from when to when a date is nearer than its neighbours are."""
    before = [other.ends_at for other in dates if other.ends_at <= date.starts_at]
    after = [other.starts_at for other in dates if other.starts_at >= date.ends_at]
    former = max(before, default=date.starts_at - 2 * LONGEST_STAY)
    later = min(after, default=date.ends_at + 2 * LONGEST_STAY)
    return date.starts_at - (date.starts_at - former) / 2, date.ends_at + (later - date.ends_at) / 2


def choose_instances(
    instances: Iterable[Instance], dates: Iterable[EventDate], date: EventDate
) -> list[Instance]:
    """Return the sessions in which people may have been for a date, some of them for another."""
    _, end = find_span(date, dates)
    until = min(end, date.ends_at + OPENED_AFTER)
    return [one for one in instances if date.starts_at - OPENED_BEFORE <= one.started_at <= until]


def may_hide_people(instance: Instance, instances: Iterable[Instance], date: EventDate) -> bool:
    """Tell whether people of a date may have been in a session of which Zoom tells nobody.

    One is over when the next one begins.
    """
    later = [one.started_at for one in instances if one.started_at > instance.started_at]
    ended_before = min(later, default=date.ends_at) <= date.starts_at
    return instance.started_at <= date.ends_at and not ended_before


def sum_up(verdicts: Sequence[Verdict]) -> Verdict:
    """Say of several dates at once whether somebody came: to one is enough, absent is from all."""
    came = [verdict.presence for verdict in verdicts if verdict.presence is not None]
    if came:
        return Verdict(
            Standing.ATTENDED,
            presence=Presence(
                min(presence.first_joined_at for presence in came),
                max(presence.last_left_at for presence in came),
                sum(presence.seconds for presence in came),
            ),
        )
    unclear = [verdict for verdict in verdicts if verdict.reason is not None]
    if unclear or not verdicts:
        order = list(Reason)
        default = Verdict(Standing.UNCLEAR, Reason.NOT_HELD)
        return min(unclear, key=lambda verdict: order.index(_need(verdict.reason)), default=default)
    return Verdict(Standing.ABSENT)


def _need(reason: Reason | None) -> Reason:
    assert reason is not None, "what is unclear says why"
    return reason


def _count_people(guests: Collection[_Guest]) -> int:
    """Count guests as people, as far as what Zoom says of them tells them apart."""
    return len({guest.registrant_id or guest.email_key or guest.name for guest in guests})


def _unite(stays: Iterable[tuple[datetime, datetime]]) -> Presence:
    """Count what overlaps once: a stay in a breakout room lies within another."""
    merged = list(_merge(stays))
    seconds = sum(((left - joined) for joined, left in merged), timedelta())
    return Presence(merged[0][0], merged[-1][1], int(seconds.total_seconds()))


def _merge(stays: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    began = ended = None
    for joined, left in sorted(stays):
        if began is None or ended is None or joined > ended:
            if began is not None and ended is not None:
                yield began, ended
            began, ended = joined, left
        else:
            ended = max(ended, left)
    if began is not None and ended is not None:
        yield began, ended
