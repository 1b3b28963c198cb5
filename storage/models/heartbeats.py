"""Which workers live, as all processes know."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Moment


class WorkerHeartbeat(Base):
    """Proof that a worker process lives."""

    __tablename__ = "worker_heartbeat"

    owner: Mapped[str] = mapped_column(String(32), primary_key=True)
    started_at: Mapped[Moment]
    seen_at: Mapped[Moment]
