"""Rate limits that all processes share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    Float,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    case,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Session

from .direct_sessions import begins_late
from .models import RateBucket
from .statements import Statement, table_of

SKEW_SECONDS = 60.0
"""So far apart the clocks of processes may be, and what they do at once may come out of order."""


@dataclass(frozen=True)
class Bucket:
    """A bucket that holds `burst` units; one comes back in `interval` seconds.

    `most` is the largest burst that anybody is granted of a bucket of this name.
    """

    name: str
    interval: float
    burst: int
    most: int = 0

    def bind(self, prefix: str, now: float) -> dict[str, str | float]:
        """Return the parameters of a statement that takes a unit."""
        return {
            f"{prefix}name": self.name,
            f"{prefix}full_at": now + self.interval,
            f"{prefix}latest": now + self.burst * self.interval,
            f"{prefix}possible": now + max(self.burst, self.most) * self.interval + SKEW_SECONDS,
        }


def spend(session: Session, name: str, *, interval: float, burst: int, now: float) -> bool:
    """Take one unit from a bucket in one statement; return False when it is empty.

    Args:
        interval: seconds in which one unit comes back.
        burst: how many units a full bucket has.
        now: seconds since 1970.
    """
    return spend_from(session, Bucket(name, interval, burst), now=now)


def spend_from(session: Session, bucket: Bucket, *, now: float) -> bool:
    """As `spend`; where the session has not begun, a transaction of its own."""
    is_taken = _TAKE_UNIT.fetch_early(session, bucket.bind("", now) | {"now": now}) is not None
    if is_taken:
        put_back_if_refused(session, bucket)
    return is_taken


def put_back_if_refused(session: Session, *buckets: Bucket) -> None:
    """Have units that are not a part of the session's transaction given back if that fails.

    A refusal counts nothing, so nobody is kept out by what was not stored.
    """
    if begins_late(session):
        session.undoing += [partial(put_back, bucket=bucket) for bucket in buckets]


def put_back(session: Session, bucket: Bucket) -> None:
    """Give back a unit that this transaction has taken."""
    row = update(RateBucket).where(RateBucket.name == bucket.name)
    session.execute(row.values(full_at=RateBucket.full_at - bucket.interval))


def get_full_at(session: Session, name: str) -> float:
    """Return when a bucket is full again; 0 for one that nothing was taken from."""
    return session.scalar(select_full_at(name)) or 0.0


def spend_both(
    session: Session, first: Bucket, second: Bucket, *, watched: str, now: float
) -> tuple[dict[str, float], float]:
    """Take one unit from each of two buckets, and look at a third, in one statement.

    Returns by name when each of the two is full again, without one that was empty, and when the
    third is; 0 where that is not known. A caller that refuses because one was empty has to roll
    back.
    """
    values = first.bind("first_", now) | second.bind("second_", now)
    rows = _TAKE_FROM_BOTH.fetch_all(session, values | {"watched": watched, "now": now})
    taken = {name: full_at for name, full_at, _ in rows}
    return taken, max((watched_at or 0.0 for _, _, watched_at in rows), default=0.0)


def forget_full_buckets(session: Session, *, now: float) -> None:
    """Delete buckets that have filled up again: they limit nothing."""
    session.execute(delete(RateBucket).where(RateBucket.full_at < now))


def take_unit(insert: Any, prefix: str = "", *, after: FromClause | None = None) -> Any:
    """Build a statement that takes a unit, with `Bucket.bind`'s parameters and `now`.

    Where it comes `after` another, it does nothing where that one has no row.
    """
    row = {
        "name": bindparam(f"{prefix}name", type_=String),
        "full_at": bindparam(f"{prefix}full_at", type_=Float),
    }
    latest, possible = (
        bindparam(f"{prefix}{name}", type_=Float) for name in ("latest", "possible")
    )
    statement = insert(table_of(RateBucket))
    if after is None:
        statement = statement.values(row)
    else:
        statement = statement.from_select(list(row), select(*row.values()).select_from(after))
    return _put_off(statement, latest, possible).returning(RateBucket.full_at)


def select_full_at(name: Any) -> Select[float]:
    """Build what `get_full_at` asks."""
    return select(RateBucket.full_at).where(RateBucket.name == name)


def _take_from_both(insert: Any) -> Any:
    name = bindparam("first_name", type_=String)
    rows = [
        {
            "name": bindparam(f"{place}_name", type_=String),
            "full_at": bindparam(f"{place}_full_at", type_=Float),
        }
        for place in ("first", "second")
    ]
    latest, possible = (
        case(
            (RateBucket.name == name, bindparam(f"first_{bound}", type_=Float)),
            else_=bindparam(f"second_{bound}", type_=Float),
        )
        for bound in ("latest", "possible")
    )
    third = table_of(RateBucket).alias("third")
    is_watched = third.c.name == bindparam("watched", type_=String)
    watched_at = select(third.c.full_at).where(is_watched).scalar_subquery()
    statement = insert(table_of(RateBucket)).values(rows)
    return _put_off(statement, latest, possible).returning(
        RateBucket.name, RateBucket.full_at, watched_at
    )


def _put_off(statement: Any, latest: Any, possible: Any) -> Any:
    """Have an INSERT of full buckets take one unit from existing ones that are not empty."""
    now = bindparam("now", type_=Float)
    # Later than possible it was never set: the clock has gone back since.
    is_running = and_(RateBucket.full_at > now, RateBucket.full_at <= possible)
    interval = statement.excluded.full_at - now
    full_at = case((is_running, RateBucket.full_at), else_=now) + interval
    return statement.on_conflict_do_update(
        index_elements=[RateBucket.name], set_={"full_at": full_at}, where=full_at <= latest
    )


_TAKE_UNIT = Statement(take_unit)
_TAKE_FROM_BOTH = Statement(_take_from_both)
