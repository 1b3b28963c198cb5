"""What happened at an event's form, counted by day and origin: of nobody in particular."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Document


class VisitOrigin(Base):
    """The tags behind the name of an origin, as `services.sources` makes it."""

    __tablename__ = "visit_origin"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    origin: Mapped[str] = mapped_column(String(16), primary_key=True)
    tags: Mapped[Document]


class VisitCount(Base):
    """How often something happened on a day of the event's zone: `view`, `start`, `error:email` …

    What is not counted by origin has an empty one.
    """

    __tablename__ = "visit_count"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    origin: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
