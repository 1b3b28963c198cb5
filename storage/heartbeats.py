"""Proof that worker processes live."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from .models import WorkerHeartbeat
from .statements import insert_for

FORGET_AFTER = timedelta(days=1)
CLOCKS_DIFFER_BY = timedelta(hours=1)
"""What is said to have happened later than that comes from a clock that was set back since.

It is much, as a worker whose clock goes ahead lives: the alarm would come and go with each look.
"""


def beat(session: Session, owner: str, *, started_at: datetime, now: datetime) -> None:
    """Say that this worker lives, and forget those that ended long ago."""
    statement = insert_for(session)(WorkerHeartbeat).values(
        owner=owner, started_at=started_at, seen_at=now
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[WorkerHeartbeat.owner], set_={"seen_at": now}
        )
    )
    session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - FORGET_AFTER))


def has_lived_since(session: Session, since: datetime, *, now: datetime) -> bool:
    """Tell whether a worker gave a sign of life since a moment, by a clock that may be right."""
    return bool(session.scalar(select(exists().where(is_sign_since(since, now=now)))))


def is_sign_since(since: datetime, *, now: datetime) -> ColumnElement[bool]:
    return WorkerHeartbeat.seen_at.between(since, now + CLOCKS_DIFFER_BY)
