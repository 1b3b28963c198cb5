"""Rate limits that all processes share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Float, Select, String, and_, bindparam, case, delete, select, update
from sqlalchemy.orm import Session

from .direct_sessions import begins_late
from .models import RateBucket
from .statements import Statement, table_of

SKEW_SECONDS = 60.0
"""So far apart the clocks of processes may be, and what they do at once may come out of order."""


@dataclass(frozen=True)
class Bucket:
    """A bucket that holds `burst` units when it is full; one comes back in `interval` seconds.

    `most` is the largest burst that anybody is granted of a bucket of this name.
    """

    name: str
    interval: float
    burst: int
    most: int = 0

    @property
    def longest(self) -> float:
        """Later than in so many seconds it was never full: the clock has gone back since."""
        return max(self.burst, self.most) * self.interval + SKEW_SECONDS


def spend(session: Session, bucket: Bucket, *, now: float) -> bool:
    """Take one unit from a bucket in one statement; return False when it is empty.

    `now` is in seconds since 1970. Where the session has not begun it is a transaction of its own.
    """
    is_taken = _TAKE.fetch_early(session, _bind(bucket, 1, now)) is not None
    if is_taken:
        _put_back_if_refused(session, bucket)
    return is_taken


def take_what_is_left(session: Session, bucket: Bucket, *, units: float, now: float) -> None:
    """Take units that were let through already; where fewer are left, all that are."""
    _TAKE_WHAT_IS_LEFT.fetch_early(session, _bind(bucket, units, now))


def _bind(bucket: Bucket, units: float, now: float) -> dict[str, str | float]:
    return {
        "name": bucket.name,
        "full_at": now + units * bucket.interval,
        "latest": now + bucket.burst * bucket.interval,
        "possible": now + bucket.longest,
        "now": now,
    }


def _put_back_if_refused(session: Session, bucket: Bucket) -> None:
    """Have what is not a part of the session's transaction given back if that fails.

    A refusal counts nothing, so nobody is kept out by what was not stored.
    """
    if begins_late(session):
        session.undoing.append(partial(_put_back, bucket=bucket))


def _put_back(session: Session, bucket: Bucket) -> None:
    row = update(RateBucket).where(RateBucket.name == bucket.name)
    session.execute(row.values(full_at=RateBucket.full_at - bucket.interval))


def get_full_at(session: Session, name: str) -> float:
    """Return when a bucket is full again; 0 for one that nothing was taken from."""
    return session.scalar(select_full_at(name)) or 0.0


def forget_full_buckets(session: Session, *, now: float) -> None:
    """Delete buckets that have filled up again: they limit nothing."""
    session.execute(delete(RateBucket).where(RateBucket.full_at < now))


def select_full_at(name: Any) -> Select[float]:
    """Build what `get_full_at` asks."""
    return select(RateBucket.full_at).where(RateBucket.name == name)


def _take(insert: Any, *, at_most: bool = False) -> Any:
    """Insert a bucket, or take from one that is there: if enough is left of it, or what is left."""
    latest, possible, now = (bindparam(name, type_=Float) for name in ("latest", "possible", "now"))
    statement = insert(table_of(RateBucket)).values(
        name=bindparam("name", type_=String), full_at=bindparam("full_at", type_=Float)
    )
    is_running = and_(RateBucket.full_at > now, RateBucket.full_at <= possible)
    before = case((is_running, RateBucket.full_at), else_=now)
    after = before + (statement.excluded.full_at - now)
    # What others may take more of may be emptier than this one ever makes it.
    left = case((after <= latest, after), (before <= latest, latest), else_=before)
    return statement.on_conflict_do_update(
        index_elements=[RateBucket.name],
        set_={"full_at": left if at_most else after},
        where=None if at_most else after <= latest,
    ).returning(RateBucket.full_at)


_TAKE = Statement(_take)
_TAKE_WHAT_IS_LEFT = Statement(partial(_take, at_most=True))
