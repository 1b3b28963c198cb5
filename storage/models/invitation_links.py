"""Links to an event's form with a code of their own, which say where somebody heard of it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Document, Moment, PrimaryKey


class InvitationLink(Base):
    """One link, of a `channel`, a `helper`, or a registered `person` who brings others.

    A person's has no name of its own: it is that of the registration. `tags` are campaign tags by
    name, which whoever comes by it has unless the address itself says others.
    """

    __tablename__ = "invitation_link"
    __table_args__ = (UniqueConstraint("event_id", "code"),)

    id: Mapped[PrimaryKey]
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey("event.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(100), default="")
    tags: Mapped[Document]
    registration_id: Mapped[int | None] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), unique=True
    )
    version: Mapped[int] = mapped_column(default=1)
    archived_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
