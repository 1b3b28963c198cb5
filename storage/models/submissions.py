"""Submissions: every accepted POST of a form, as it was typed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, BigKey, Document, Moment, PrimaryKey, PublicId
from .registrations import Registration


class SubmissionRow(Base):
    """One accepted POST; its receipt is `/s/<token of public_id>`.

    `outcome` is created, repeat, used, superseded, held or dropped; `held_for` says why it was
    held, also once somebody has decided about it. The six-digit code of the
    `code` policy is derived from `public_id` and `code_version`, never stored.
    """

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("event_id", "nonce", "digest"),
        Index(
            "ix_submission_held",
            *("event_id", "id"),
            sqlite_where=text("outcome = 'held'"),
            postgresql_where=text("outcome = 'held'"),
        ),
        Index(
            "ix_submission_corrected",
            "corrected_by_id",
            sqlite_where=text("corrected_by_id IS NOT NULL"),
            postgresql_where=text("corrected_by_id IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    number: Mapped[str] = mapped_column(String(9))
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey("event.id"))
    registration_id: Mapped[int | None] = mapped_column(
        BigKey, ForeignKey("registration.id"), index=True
    )
    form_version_id: Mapped[int] = mapped_column(BigKey, ForeignKey("form_version.id"))
    corrected_by_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("submission.id"))
    nonce: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(10))
    held_for: Mapped[str] = mapped_column(String(10), default="", server_default="")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    family_name: Mapped[str] = mapped_column(String(200))
    given_name: Mapped[str] = mapped_column(String(200))
    answers: Mapped[Document]
    consents: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    locale: Mapped[str] = mapped_column(String(5))
    surface: Mapped[str] = mapped_column(String(8))
    source: Mapped[Document]
    code_version: Mapped[int] = mapped_column(default=0)
    code_issued_at: Mapped[Moment | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    code_used_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    # At hand where the same transaction has made it.
    registration: Mapped[Registration | None] = relationship(viewonly=True, lazy="raise_on_sql")
