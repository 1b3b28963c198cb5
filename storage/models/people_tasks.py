"""Long work on many people that an organizer has asked for, with a result for each."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId


class PeopleTask(Base):
    """One act on many people of an event; `done` of its `total` have a result.

    One that has ended before all are done was stopped.
    """

    __tablename__ = "people_task"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), index=True
    )
    act: Mapped[str] = mapped_column(String(10))
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]


class PeopleTaskPart(Base):
    """Whom a task is about: eight bytes for each id, the least first, 4,096 ids a part."""

    __tablename__ = "people_task_part"

    task_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("people_task.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    ids: Mapped[bytes] = mapped_column(LargeBinary)


class PeopleTaskItem(Base):
    """What became of one person of a task, from when their turn came."""

    __tablename__ = "people_task_item"

    task_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("people_task.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    result: Mapped[str] = mapped_column(String(10), default="")
