"""Rate limits that all processes share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, and_, bindparam, case, delete
from sqlalchemy.orm import Session

from .models import RateBucket
from .statements import Statement, table_of


def spend(session: Session, name: str, *, interval: float, burst: int, now: float) -> bool:
    """Take one unit from a bucket in one statement; return False when it is empty.

    Args:
        interval: seconds in which one unit comes back.
        burst: how many units a full bucket has.
        now: seconds since 1970.
    """
    taken = _TAKE_UNIT.fetch(
        session,
        {
            "name": name,
            "full_at": now + interval,
            "now": now,
            "interval": interval,
            "latest": now + burst * interval,
        },
    )
    return taken is not None


def forget_full_buckets(session: Session, *, now: float) -> None:
    """Delete buckets that have filled up again: they limit nothing."""
    session.execute(delete(RateBucket).where(RateBucket.full_at < now))


def _take_unit(insert: Any) -> Any:
    now, interval = bindparam("now", type_=Float), bindparam("interval", type_=Float)
    latest = bindparam("latest", type_=Float)
    # Later than that it was never set: the clock has gone back since.
    is_running = and_(RateBucket.full_at > now, RateBucket.full_at <= latest)
    full_at = case((is_running, RateBucket.full_at), else_=now) + interval
    return (
        insert(table_of(RateBucket))
        .on_conflict_do_update(
            index_elements=[RateBucket.name],
            set_={"full_at": full_at},
            where=full_at <= latest,
        )
        .returning(RateBucket.full_at)
    )


_TAKE_UNIT = Statement(_take_unit)
