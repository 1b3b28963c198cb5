"""Who came: what Zoom has recorded of each date of an event."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, UtcDateTime


class AttendanceRecord(Base):
    """Zoom's record of one date of an event, as far as it was fetched.

    `date_id` is that of the date, empty where an event has but one, and `ends_at` its end when Zoom
    was asked. `state` is waiting, settled, partial, not_held or gone, and `problem` the class of
    the error that it waits for. `digest` is that of what Zoom said last, until it has said the same
    twice. Of those who are not registered their number alone is kept.
    """

    __tablename__ = "attendance_record"
    # Nobody reads it. Older processes name it as long as they run, so a later release drops it.
    __table_args__ = (Column("settled_at", UtcDateTime),)
    __mapper_args__ = {"exclude_properties": ("settled_at",)}

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    date_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    problem: Mapped[str] = mapped_column(String(40), default="")
    digest: Mapped[str] = mapped_column(String(64), default="")
    ends_at: Mapped[Moment]
    asked_at: Mapped[Moment | None]
    attended: Mapped[int] = mapped_column(default=0)
    expected: Mapped[int] = mapped_column(default=0)
    unrecognised: Mapped[int] = mapped_column(default=0)


class Attendance(Base):
    """One person at one date of an event: who was in the meeting, or had a place and was not.

    The latter have no times. Nobody has a row whose privacy notice did not speak of it.
    """

    __tablename__ = "attendance"

    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True
    )
    date_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    first_joined_at: Mapped[Moment | None]
    last_left_at: Mapped[Moment | None]
    seconds: Mapped[int] = mapped_column(default=0)
