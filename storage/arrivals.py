"""What is read for a form that was sent, before it is stored: in one round trip on PostgreSQL.

Mostly not even that is needed: who expects what is there has it checked by the statement that
stores the registration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from . import events, limits, mails
from .events import EventHead
from .models import Event
from .statements import Statement, table_of

_PLACES = ("first", "second", "third")


class Mailbox(NamedTuple):
    """A mailbox, and which mails to it count, since when."""

    key: str
    since: datetime
    names: tuple[str, ...]

    def bind(self) -> dict[str, Any]:
        return {"mailbox_key": self.key, "since": self.since}


class Arrival(NamedTuple):
    """What was found: the event, when each bucket is full again, how many mails the mailbox had.

    A bucket that is full is so since 0.
    """

    event: EventHead
    full_at: tuple[float, ...]
    mailed: int


def look(session: Session, slug: str, buckets: Sequence[str], mailbox: Mailbox) -> Arrival | None:
    """Read an event's head, three buckets and the mails of a mailbox; None where no event is.

    It begins no transaction where none has begun.
    """
    values = {"slug": slug, **dict(zip(_PLACES, buckets, strict=True)), **mailbox.bind()}
    row = _look(mailbox.names).fetch_early(session, values)
    if row is None:
        return None
    *head, first, second, third, mailed = row
    return Arrival(EventHead(*head), (first or 0.0, second or 0.0, third or 0.0), mailed)


@cache
def _look(names: tuple[str, ...]) -> Statement:
    def build(_insert: Any) -> Select[Any]:
        found = (*map(_full_at, _PLACES), mails.select_count(names).scalar_subquery())
        head = events.with_head(select().select_from(table_of(Event)))
        # Have numbers be read as the driver gives them.
        head = head.add_columns(*(type_coerce(one, Integer) for one in found))
        return head.where(Event.slug == bindparam("slug"))

    return Statement(build)


def _full_at(place: str) -> ColumnElement[float]:
    return limits.select_full_at(bindparam(place)).scalar_subquery()


class Expected(NamedTuple):
    """What whoever registers somebody takes for granted, as it was a moment ago.

    The event is as its head says, the mailbox had no mail of the day, and each bucket is full again
    by a time at the latest; up to three of them.
    """

    event: EventHead
    mailbox: Mailbox
    full_by: Mapping[str, float]

    @property
    def kind(self) -> ExpectedKind:
        return ExpectedKind(len(self.full_by), self.mailbox.names)

    def bind(self) -> dict[str, Any]:
        """Return the parameters of what an `ExpectedKind` has asked."""
        values = {f"event_{name}": getattr(self.event, name) for name in _DECIDING}
        places = _PLACES[: len(self.full_by)]
        for place, (name, at) in zip(places, self.full_by.items(), strict=True):
            values |= {place: name, f"{place}_by": at}
        return values | self.mailbox.bind()


class ExpectedKind(NamedTuple):
    """How many buckets are expected to be full by a time, and mails of which names not to be there.

    It builds what a statement asks so that it does nothing where something is not as expected.
    """

    buckets: int
    names: tuple[str, ...]

    def list_of_event(self) -> list[ColumnElement[bool]]:
        """List what has to be so of the event's row."""
        columns = table_of(Event).c
        return [
            columns[name] == bindparam(f"event_{name}", type_=columns[name].type)
            for name in _DECIDING
        ]

    def list_others(self) -> list[ColumnElement[bool]]:
        full = (
            func.coalesce(_full_at(place), 0.0) <= bindparam(f"{place}_by", type_=Float)
            for place in _PLACES[: self.buckets]
        )
        return [mails.select_count(self.names).scalar_subquery() == 0, *full]


_DECIDING = ("version", "status", "has_webhooks")
"""What tells whether an event is what it was: its version rises with whatever an organizer changes,
of the organization too. How many seats there are is asked where one is taken."""
