"""The queue as an operator sees it: listing what waits or was put aside, retrying, dropping."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .jobs import wake_workers
from .models import Job
from .statements import rowcount


def get_job(session: Session, key: str) -> Job | None:
    return session.scalar(select(Job).where(Job.key == key))


def list_jobs(session: Session, *, states: Sequence[str], limit: int) -> list[Job]:
    return list(
        session.scalars(
            select(Job).where(Job.state.in_(states)).order_by(Job.run_at, Job.id).limit(limit)
        )
    )


def retry(session: Session, job_id: int, *, now: datetime) -> bool:
    """Make a parked or waiting job due now with a fresh count of attempts."""
    changed = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state.in_(("parked", "ready")))
        .values(
            state="ready",
            attempts=0,
            crashes=0,
            run_at=now,
            due_since=now,
            reason="",
            updated_at=now,
        )
    )
    wake_workers(session)
    return rowcount(changed) > 0


def drop(session: Session, job_id: int) -> bool:
    """Delete a job that is not running; return False if there was none."""
    changed = session.execute(delete(Job).where(Job.id == job_id, Job.state != "running"))
    return rowcount(changed) > 0
