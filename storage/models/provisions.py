"""Records of personal data that an organizer gave to a third party with people's consent."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey


class Provision(Base):
    """One file of an event's people for one recipient; `items` are its headings.

    `author` is the public id of whoever made it. Kept for three years, whatever becomes of the
    rest.
    """

    __tablename__ = "provision"

    id: Mapped[PrimaryKey]
    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), index=True
    )
    question_id: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str] = mapped_column(String(200))
    items: Mapped[list[str]] = mapped_column(JSON)
    people: Mapped[int]
    author: Mapped[str] = mapped_column(String(22))
    made_at: Mapped[Moment]


class ProvidedPerson(Base):
    """Somebody whose data a provision held."""

    __tablename__ = "provided_person"

    provision_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("provision.id", ondelete="CASCADE"), primary_key=True
    )
    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True, index=True
    )
