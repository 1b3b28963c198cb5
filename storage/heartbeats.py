"""Proof that worker processes live."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from .models import WorkerHeartbeat
from .statements import insert_for

FORGET_AFTER = timedelta(days=1)


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


def has_lived_since(session: Session, since: datetime) -> bool:
    return bool(session.scalar(select(exists().where(WorkerHeartbeat.seen_at >= since))))
