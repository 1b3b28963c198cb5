"""The queue of jobs, which all processes share through the database."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Document, Moment, PrimaryKey

IS_STOPPED = text("kind = 'zoom.sync' AND state = 'done' AND reason <> ''")
"""Written out, as a partial index is found by its very words alone."""


class JobState(StrEnum):
    """How a job stands: it waits for its time, is held by a worker, was put aside, or is over."""

    READY = "ready"
    RUNNING = "running"
    PARKED = "parked"
    DONE = "done"


class Job(Base):
    """One piece of work for another system, written in the transaction that makes it needed.

    `generation` rises whenever the work is needed again; a worker may finish only the generation
    that it claimed. `crashes` counts leases that ran out since the last hand-back. Payloads hold
    ids alone. `event_id` is None where the work belongs to no event; it outlives the event as the
    job does. `due_since` is when the work should have been done: tries put `run_at` off and leave
    it.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(None, "state", "kind", "run_at", "event_id"),
        # Whose work at Zoom has ended undone: few, however many people there are.
        Index("ix_job_stopped", "event_id", sqlite_where=IS_STOPPED, postgresql_where=IS_STOPPED),
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(100), unique=True)
    payload: Mapped[Document]
    event_id: Mapped[int | None] = mapped_column(BigKey)
    state: Mapped[str] = mapped_column(String(7), default=JobState.READY)
    generation: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    run_at: Mapped[Moment]
    due_since: Mapped[Moment | None]
    lease_until: Mapped[Moment | None]
    owner: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
