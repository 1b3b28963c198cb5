"""Mails: the log of every mail that was asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey


class Mail(Base):
    """One mail to one person. `message_id` is fixed when it is asked for, so a retry is the same.

    `state` is queued, sending, unknown (cut off while it was sent, to be tried once more), again
    (sent for the second and last time), sent, failed, dropped or held (back by a restore, until
    somebody decides). Found sending or again, its worker died: whether it went is unknown. The
    text is made when it is sent. `mailbox_key` is the address without its `+tag`: what mails are
    counted by. `due_at` is when one goes that was too many for its day.
    """

    __tablename__ = "mail"
    __table_args__ = (Index(None, "mailbox_key", "created_at"),)

    id: Mapped[PrimaryKey]
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey("event.id"))
    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    submission_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("submission.id"))
    name: Mapped[str] = mapped_column(String(20))
    mailbox_key: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(5))
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(7), default="queued")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    sent_at: Mapped[Moment | None]
    due_at: Mapped[Moment | None]

    @property
    def goes_at(self) -> datetime:
        """When it goes at the earliest, but for what it waits for."""
        return self.due_at or self.created_at
