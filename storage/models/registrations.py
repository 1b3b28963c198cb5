"""Registrations: our record of one registrant at one event, with answers and consents."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Document, Moment, PrimaryKey, PublicId


class Registration(Base):
    """One person at one event, kept unique by the normalised address.

    `status` is pending, waitlisted, approved, denied or cancelled. `link_version` raised revokes
    every link handed out before. `proven_at` is set once a link or code from a mail was used,
    `queued_at` when a place in the waiting list was taken.
    """

    __tablename__ = "registration"
    __table_args__ = (
        UniqueConstraint("event_id", "email_key"),
        Index(None, "event_id", "status", "id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey("event.id"))
    form_version_id: Mapped[int] = mapped_column(BigKey, ForeignKey("form_version.id"))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    family_name: Mapped[str] = mapped_column(String(200))
    given_name: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(5))
    status: Mapped[str] = mapped_column(String(10))
    surface: Mapped[str] = mapped_column(String(8))
    source: Mapped[Document]
    link_version: Mapped[int] = mapped_column(default=0)
    proven_at: Mapped[Moment | None]
    queued_at: Mapped[Moment | None]
    join_clicks: Mapped[int] = mapped_column(default=0)
    last_clicked_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class Answer(Base):
    """One value of one answer; checkboxes have a row for each ticked box."""

    __tablename__ = "answer"

    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True
    )
    question_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    other: Mapped[str] = mapped_column(Text, default="")


class Consent(Base):
    """Evidence of one box, ticked or not: only ever added, never changed.

    `label` is the wording as shown; the notice behind it is that of `form_version_id`.
    """

    __tablename__ = "consent"

    id: Mapped[PrimaryKey]
    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    submission_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("submission.id"))
    form_version_id: Mapped[int] = mapped_column(BigKey, ForeignKey("form_version.id"))
    question_id: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(9))
    label: Mapped[str] = mapped_column(Text)
    notice_hash: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(5))
    surface: Mapped[str] = mapped_column(String(8))
    is_given: Mapped[bool]
    recorded_at: Mapped[Moment]


class RegistrationChange(Base):
    """One entry of a registration's history: who changed what, when."""

    __tablename__ = "registration_change"

    id: Mapped[PrimaryKey]
    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    actor: Mapped[str] = mapped_column(String(20))
    action: Mapped[str] = mapped_column(String(20))
    before: Mapped[Document]
    after: Mapped[Document]
    changed_at: Mapped[Moment]
