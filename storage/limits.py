"""Rate limits that all processes share."""

from __future__ import annotations

from sqlalchemy import case, delete
from sqlalchemy.orm import Session

from .models import RateBucket
from .statements import insert_for


def spend(session: Session, name: str, *, interval: float, burst: int, now: float) -> bool:
    """Take one unit from a bucket in one statement; return False when it is empty.

    Args:
        interval: seconds in which one unit comes back.
        burst: how many units a full bucket has.
        now: seconds since 1970.
    """
    statement = insert_for(session)(RateBucket).values(name=name, full_at=now + interval)
    base = case((RateBucket.full_at > now, RateBucket.full_at), else_=now)
    taken = session.scalar(
        statement.on_conflict_do_update(
            index_elements=[RateBucket.name],
            set_={"full_at": base + interval},
            where=base + interval <= now + burst * interval,
        ).returning(RateBucket.full_at)
    )
    return taken is not None


def forget_full_buckets(session: Session, *, now: float) -> None:
    """Delete buckets that have filled up again: they limit nothing."""
    session.execute(delete(RateBucket).where(RateBucket.full_at < now))
