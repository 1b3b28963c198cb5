"""What the operator has to know, once however many processes notice it."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Document, Moment


class Alarm(Base):
    """One thing that is wrong since `began_at`, or was until `ended_at`.

    `facts` are the counts behind it, without names. `told_at` is when the operator last heard of
    it. What is to be told next has a `message_id`; whoever tells it holds the lease meanwhile.
    `is_doubtful` says that nobody knows whether that mail went, `refused_at` when the mail server
    last refused it. `confirmed_at` is when it was last seen, where it is about one machine.
    """

    __tablename__ = "alarm"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    began_at: Mapped[Moment]
    facts: Mapped[Document]
    ended_at: Mapped[Moment | None]
    told_at: Mapped[Moment | None]
    message_id: Mapped[str] = mapped_column(String(32), default="")
    is_doubtful: Mapped[bool] = mapped_column(default=False)
    lease_until: Mapped[Moment | None]
    refused_at: Mapped[Moment | None]
    confirmed_at: Mapped[Moment | None]
