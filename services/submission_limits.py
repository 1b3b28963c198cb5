"""How much may be sent of one network, address and event, and from where on work is asked for.

All processes share the counts, which stand in the database. Nobody is shut out for good: what was
counted is forgotten second by second. What an event gets never closes it, as that is what an
attacker would want; it only makes the work dearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from sqlalchemy.orm import Session

from storage.arrivals import receive
from storage.events import EventHead
from storage.limits import Bucket, get_full_at, put_back

from . import limits
from .addresses import fold_tag
from .keys import KeyRing
from .limits import Limit, RateLimitReached
from .mails import name_mailbox

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
# So many of an event are counted together: a row to which each of them writes would have all wait
# for each other.
STRIDE = 10


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


class EventTally:
    """Adds up what this process takes for each event, until that is worth a statement."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._lock = Lock()

    def is_due(self, event_id: int) -> bool:
        """Count one; return whether enough have come to be written to the database."""
        with self._lock:
            count = self._counts.pop(event_id, 0) + 1
            if count < STRIDE:
                self._counts[event_id] = count
        return count == STRIDE


class Arrival(NamedTuple):
    """What is known of a submission before it is stored.

    `event` is None where there is none, and `mailed` where the mailbox's mails were not counted.
    """

    event: EventHead | None
    load: Load = Load()
    mailed: int | None = None


def count_submission(
    session: Session,
    keys: KeyRing,
    remote_addr: str | None,
    *,
    slug: str,
    event_id: int,
    email_key: str,
    has_worked: bool,
    tally: EventTally,
    now: datetime,
) -> Arrival:
    """Count one submission: of its network and its address at once, of its event now and then.

    The address counts whether or not it is known: so its limit does not tell. The event is read
    with it, as it stands now.

    Raises:
        RateLimitReached: the network or the address sends too much.
    """
    burst = limits.BURST * (limits.WORK_FACTOR if has_worked else 1)
    network = limits.make_network_bucket(keys, remote_addr, burst)
    address = _make_address_bucket(keys, event_id, email_key)
    event, moment = _name_event(event_id), now.timestamp()
    mailbox = name_mailbox(email_key, now=now)
    found = receive(session, slug, network, address, watched=event, mailbox=mailbox, now=moment)
    if found.event is None:
        return Arrival(None)
    if network.name not in found.full_at:
        raise RateLimitReached(limits.RETRY_AFTER_SECONDS)
    if address.name not in found.full_at:
        raise RateLimitReached(int(ADDRESS_INTERVAL_SECONDS), Limit.ADDRESS)
    of_network = (found.full_at[network.name] - moment) / network.interval / CALM_NETWORK
    if of_network <= 1 and tally.is_due(event_id):
        # After the network, like everybody: nobody waits in a circle.
        together = Bucket(event, EVENT_INTERVAL_SECONDS * STRIDE, EVENT_BURST // STRIDE)
        limits.spend(session, together, now=now)
    of_event = _count_event(found.watched_full_at - moment) / CALM_EVENT
    return Arrival(found.event, Load(of_network, of_event), found.mailed)


def read_event_load(session: Session, event_id: int, *, now: datetime) -> Load:
    """Return how much comes to an event, of whatever network."""
    seconds = get_full_at(session, _name_event(event_id)) - now.timestamp()
    return Load(event=_count_event(seconds) / CALM_EVENT)


def uncount_address(session: Session, keys: KeyRing, *, event_id: int, email_key: str) -> None:
    """Take back for the address what `count_submission` has counted: nobody is registered by it.

    Else whoever sends an address that is not theirs, and does no work, would keep its owner out.
    """
    put_back(session, _make_address_bucket(keys, event_id, email_key))


def _name_event(event_id: int) -> str:
    return f"event:{event_id}"


def _make_address_bucket(keys: KeyRing, event_id: int, email_key: str) -> Bucket:
    mailbox = limits.hash_name(keys, "address", f"{event_id}:{fold_tag(email_key)}")
    return Bucket(f"address:{mailbox}", ADDRESS_INTERVAL_SECONDS, ADDRESS_BURST)


def _count_event(seconds: float) -> float:
    count = seconds / EVENT_INTERVAL_SECONDS
    # More than that was never taken: the clock has gone back since.
    return count if 0 < count <= EVENT_BURST else 0.0
