"""How much may be sent of one network, address and event, and from where on work is asked for.

All processes share the counts, which stand in the database. Nobody is shut out for good: what was
counted is forgotten second by second. What an event gets never closes it, as that is what an
attacker would want; it only makes the work dearer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from storage import arrivals
from storage.arrivals import Expected
from storage.events import EventHead
from storage.limits import Bucket, get_full_at, take_what_is_left

from . import limits
from .addresses import fold_tag
from .events import BotCheck
from .keys import KeyRing
from .limits import Limit, RateLimitReached
from .mails import name_mailbox
from .tallies import Tally

CALM_NETWORK = 200
CALM_EVENT = 1_000
"""So much at once is nothing unusual, and nobody is asked for anything.

What a network brings beyond its own does not count for the event, so that one network, or four,
cannot have everybody at an event asked.
"""

ADDRESS_BURST = 20
ADDRESS_INTERVAL_SECONDS = 180.0

EVENT_BURST = 8_000
EVENT_INTERVAL_SECONDS = 0.1


@dataclass(frozen=True)
class Load:
    """How much came lately, as multiples of what is calm."""

    network: float = 0.0
    event: float = 0.0

    @property
    def is_calm(self) -> bool:
        return max(self.network, self.event) <= 1


FLOOD = Load(network=4.0)
"""What a network brings of which nothing is taken any more without work."""


@dataclass(frozen=True)
class Tallies:
    """What this process has counted and not yet written, of networks, addresses and events."""

    network: Tally = field(default_factory=lambda: Tally(most=10))
    address: Tally = field(default_factory=lambda: Tally(most=2))
    event: Tally = field(default_factory=lambda: Tally(most=10))


class Buckets(NamedTuple):
    """What one submission counts against."""

    network: Bucket
    address: Bucket
    event: Bucket


Due = tuple[Bucket, int]
"""So many units of a bucket, which are counted and not yet written."""

_NEVER = -1.0
"""No bucket is full by then, not even one that the database has nothing of."""

# Sums of seconds since 1970 are not exact.
_SLACK = 0.001


class Weighed(NamedTuple):
    """What is known of a submission before it is stored.

    `mailed` is None where the mailbox's mails were not counted.
    """

    event: EventHead
    load: Load = Load()
    mailed: int | None = None


def name_buckets(
    keys: KeyRing, remote_addr: str | None, *, event_id: int, email_key: str, has_worked: bool
) -> Buckets:
    """Name the buckets of a submission; of networks and addresses keyed hashes are stored."""
    burst = limits.BURST * (limits.WORK_FACTOR if has_worked else 1)
    mailbox = limits.hash_name(keys, "address", f"{event_id}:{fold_tag(email_key)}")
    return Buckets(
        limits.make_network_bucket(keys, remote_addr, burst),
        Bucket(f"address:{mailbox}", ADDRESS_INTERVAL_SECONDS, ADDRESS_BURST),
        _make_event_bucket(event_id),
    )


def expect_calm(
    tallies: Tallies, buckets: Buckets, event: EventHead, email_key: str, *, now: datetime
) -> Expected:
    """Say how things are while nobody is refused or asked for work.

    The limit of an address is for those who are known.
    """
    calm = [(buckets.network, tallies.network, min(buckets.network.burst, CALM_NETWORK))]
    if event.bot_check == BotCheck.AUTOMATIC:
        calm.append((buckets.event, tallies.event, CALM_EVENT))
    moment, full_by = now.timestamp(), {}
    for bucket, tally, most in calm:
        left = most - tally.get_units(bucket) - 1
        full_by[bucket.name] = moment + left * bucket.interval if left >= 0 else _NEVER
    return Expected(event, name_mailbox(email_key, now=now), full_by)


def weigh(
    session: Session,
    tallies: Tallies,
    buckets: Buckets,
    slug: str,
    email_key: str,
    *,
    now: datetime,
) -> Weighed | None:
    """Find out how much came lately, and whether one more may; None where no event is.

    Nothing is counted yet, so of those who come at one moment a few more may get through. The
    address counts whether or not it is known: so its limit does not tell.

    Raises:
        RateLimitReached: the network or the address sends too much.
    """
    names, moment = [bucket.name for bucket in buckets], now.timestamp()
    found = arrivals.look(session, slug, names, name_mailbox(email_key, now=now))
    if found is None:
        return None
    network, address, event = (
        _measure(bucket, full_at, now=moment) + tally.get_units(bucket) + 1
        for bucket, tally, full_at in zip(buckets, _list(tallies), found.full_at, strict=True)
    )
    if network > buckets.network.burst + _SLACK:
        raise RateLimitReached(limits.RETRY_AFTER_SECONDS)
    if address > buckets.address.burst + _SLACK:
        raise RateLimitReached(int(ADDRESS_INTERVAL_SECONDS), Limit.ADDRESS)
    load = Load(network / CALM_NETWORK, event / CALM_EVENT)
    return Weighed(found.event, load, found.mailed)


def count(
    tallies: Tallies, buckets: Buckets, load: Load, *, spares_address: bool = False
) -> list[Due]:
    """Count a submission that was not refused; return what is to be written by `write`.

    It `spares_address` where its sender was only asked for a proof: else whoever sends an address
    that is not theirs would keep its owner out.
    """
    are_counted = (True, not spares_address, load.network <= 1)
    counted = zip(buckets, _list(tallies), are_counted, strict=True)
    due = [(bucket, tally.add(bucket)) for bucket, tally, is_counted in counted if is_counted]
    return [(bucket, units) for bucket, units in due if units]


def write(session: Session, due: Iterable[Due], *, now: datetime) -> None:
    """Write what this process has counted; on PostgreSQL each bucket by itself."""
    for bucket, units in due:
        take_what_is_left(session, bucket, units=units, now=now.timestamp())


def read_event_load(session: Session, event_id: int, *, now: datetime) -> Load:
    """Return how much comes to an event, of whatever network."""
    event = _make_event_bucket(event_id)
    full_at = get_full_at(session, event.name)
    return Load(event=_measure(event, full_at, now=now.timestamp()) / CALM_EVENT)


def _list(tallies: Tallies) -> tuple[Tally, Tally, Tally]:
    return tallies.network, tallies.address, tallies.event


def _make_event_bucket(event_id: int) -> Bucket:
    return Bucket(f"event:{event_id}", EVENT_INTERVAL_SECONDS, EVENT_BURST)


def _measure(bucket: Bucket, full_at: float, *, now: float) -> float:
    """Return how many units of a bucket are taken."""
    seconds = full_at - now
    return seconds / bucket.interval if 0 < seconds <= bucket.longest else 0.0
