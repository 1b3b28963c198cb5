"""What is counted of a form that was sent, and read for it, before it is stored.

On PostgreSQL that is one round trip, and one transaction of its own where none has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from . import events, limits, mails
from .direct_sessions import begins_late
from .events import EventHead
from .limits import Bucket
from .models import Event
from .statements import Statement, is_postgresql, table_of


class Mailbox(NamedTuple):
    """A mailbox, and which mails to it count, since when."""

    key: str
    since: datetime
    names: tuple[str, ...]


class Arrival(NamedTuple):
    """What was found: by name when each bucket is full again, without those that were empty.

    `watched_full_at` is 0 where that is not known, and `mailed` counts mails to the mailbox; None
    where that was not asked.
    """

    full_at: Mapping[str, float]
    watched_full_at: float
    event: EventHead | None
    mailed: int | None


def receive(
    session: Session,
    slug: str,
    network: Bucket,
    address: Bucket,
    *,
    watched: str,
    mailbox: Mailbox,
    now: float,
) -> Arrival:
    """Take a unit from two buckets, look at a third, and read an event's head.

    The second one is asked for nothing where the first is empty. A caller that refuses, because one
    was empty or for another reason, has to leave the transaction by an error: that takes it back.
    """
    if not is_postgresql(session):
        full_at, watched_at = limits.spend_both(session, network, address, watched=watched, now=now)
        return Arrival(full_at, watched_at, events.get_head(session, slug), None)
    values: dict[str, Any] = {
        **network.bind("first_", now),
        **address.bind("second_", now),
        **{"slug": slug, "watched": watched, "now": now},
        **{"mailbox_key": mailbox.key, "since": mailbox.since},
    }
    row = _receive(mailbox.names, begins_late(session)).fetch_early(session, values)
    if row is None:
        return Arrival({}, 0.0, None, None)
    *taken, watched_at, mailed = row[-4:]
    full_at = {bucket.name: at for bucket, at in zip((network, address), taken, strict=True) if at}
    taken_from = [bucket for bucket in (network, address) if bucket.name in full_at]
    limits.put_back_if_refused(session, *taken_from)
    return Arrival(full_at, watched_at or 0.0, EventHead(*row[:-4]), mailed)


# For this transaction alone: what is counted may be forgotten by a crash, what is stored may not.
_WAITS_FOR_NO_DISK = func.set_config("synchronous_commit", "off", literal_column("true")) == "off"


@cache
def _receive(names: tuple[str, ...], is_early: bool) -> Statement:
    def build(insert: Any) -> Select[Any]:
        first = limits.take_unit(insert, "first_").cte("first")
        second = limits.take_unit(insert, "second_", after=first).cte("second")
        head = events.with_head(select().select_from(table_of(Event)))
        found = (
            *(select(taken.c.full_at).scalar_subquery() for taken in (first, second)),
            limits.select_full_at(bindparam("watched")).scalar_subquery(),
            mails.select_count(names).scalar_subquery(),
        )
        if is_early:
            head = head.where(_WAITS_FOR_NO_DISK)
        return head.add_columns(*map(_as_it_is, found)).where(Event.slug == bindparam("slug"))

    return Statement(build)


def _as_it_is(found: ColumnElement[Any]) -> ColumnElement[Any]:
    """Have a number be read as the driver gives it."""
    return type_coerce(found, Integer)
