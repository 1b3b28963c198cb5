"""Keys with which programs use the API, and what they have asked for under a key of their own."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId


class ApiKey(Base):
    """One key of an organization. Here stands its hash; `prefix` is what tells it from others.

    `created_by` is the public id of the organizer who has made it. `last_used_at` is noted every
    few minutes.
    """

    __tablename__ = "api_key"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    organization_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("organization.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(22))
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    last_used_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]


class ApiRequest(Base):
    """A request that named an `Idempotency-Key`: what comes again under it gets the same answer.

    `name` is a hash of that key, `digest` one of the whole request, `answer` the public id of the
    submission that it has stored.
    """

    __tablename__ = "api_request"

    key_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("api_key.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(String(22), default="")
    created_at: Mapped[Moment] = mapped_column(index=True)
