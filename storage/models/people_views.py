"""How each organizer has the list of people of an event."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey


class PeopleView(Base):
    """The names of the columns that one organizer sees of one event's people, in order."""

    __tablename__ = "people_view"

    organizer_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="CASCADE"), primary_key=True
    )
    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    columns: Mapped[list[str]] = mapped_column(JSON)
