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

    `hosts` are addresses of those who hold the meeting, who are nobody's guests. `has_gap` says
    that Zoom has told nothing of a session, as it does not where but one person was there.
    """

    date: EventDate
    hosts: Collection[str] = ()
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
        self.is_ready = self.is_ready and row.is_ready
        if row.left_at is not None and left_at < self.date.starts_at - EARLY:
            return
        self.has_rows = True
        address = email_key(row.email) if row.email else ""
        if address and address in self.hosts:
            return
        registrant_id = row.registrant_id or ""
        guest = _Guest(registrant_id, address, "" if registrant_id or address else row.name)
        self._stays.setdefault(guest, set()).add((row.joined_at, max(left_at, row.joined_at)))

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
            if person is None:
                unknown.add(guest)
            else:
                found.setdefault(person, set()).update(stays)
        presences = {person: _unite(stays) for person, stays in found.items()}
        return Matching(presences, _count_people(unknown))

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


def choose_instances(
    instances: Iterable[Instance], dates: Sequence[EventDate], date: EventDate
) -> list[Instance]:
    """Return the sessions that belong to a date: those near to it, and to no other date nearer."""

    def measure(other: EventDate, started_at: datetime) -> timedelta:
        none = timedelta()
        return max(other.starts_at - started_at, started_at - other.ends_at, none)

    return [
        instance
        for instance in instances
        if date.starts_at - OPENED_BEFORE <= instance.started_at <= date.ends_at + OPENED_AFTER
        and min(dates, key=lambda other: measure(other, instance.started_at)).id == date.id
    ]


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
