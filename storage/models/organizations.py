"""Organizations and their connections to Zoom accounts."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId


class Organization(Base):
    """Who owns events, brand, notices and sender. A `link_policy` here is locked for all events."""

    __tablename__ = "organization"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(String(200))
    legal_name: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(500), default="")
    representative: Mapped[str] = mapped_column(String(200), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    contact_url: Mapped[str] = mapped_column(String(500), default="")
    link_policy: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[Moment]


class ZoomConnection(Base):
    """One set of Zoom credentials and the token that all processes share.

    Without a stored secret the credentials come from the environment. `token` is encrypted;
    whoever holds the lease asks for a new one.
    """

    __tablename__ = "zoom_connection"

    id: Mapped[PrimaryKey]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), index=True)
    account_id: Mapped[str] = mapped_column(String(100))
    client_id: Mapped[str] = mapped_column(String(100), default="")
    client_secret: Mapped[bytes | None]
    token: Mapped[bytes | None]
    token_lease_until: Mapped[Moment | None]
    created_at: Mapped[Moment]
