"""Versions of an organization's privacy notice."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Document, Moment, PrimaryKey


class NoticeVersion(Base):
    """One version, never changed; `document` is what `services.notices` writes.

    `is_standard` says that new events start with it, until there is a newer standard one. `author`
    is an organizer's public id.
    """

    __tablename__ = "notice_version"
    __table_args__ = (UniqueConstraint("organization_id", "number"),)

    id: Mapped[PrimaryKey]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"))
    number: Mapped[int]
    document: Mapped[Document]
    is_standard: Mapped[bool]
    author: Mapped[str] = mapped_column(String(22))
    created_at: Mapped[Moment]
