"""Organizations and their connections to Zoom accounts."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId, Sealed


class Organization(Base):
    """Who owns events, brand, notices and sender. A `link_policy` here is locked for all events.

    `timezone` and `default_locale` are what a new event starts with. `version` rises with every
    change, so that of two who edit at once the second is told. `embed_origins` are the sites whose
    pages may frame the forms.
    """

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
    slug: Mapped[str | None] = mapped_column(String(60), unique=True, index=True)
    timezone: Mapped[str] = mapped_column(
        String(50), default="Asia/Tokyo", server_default="Asia/Tokyo"
    )
    default_locale: Mapped[str] = mapped_column(String(5), default="ja", server_default="ja")
    embed_origins: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[Moment]


class FormerSlug(Base):
    """An address that an organization's page had: now it leads to the present one."""

    __tablename__ = "former_slug"

    slug: Mapped[str] = mapped_column(String(60), primary_key=True)
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), index=True)
    left_at: Mapped[Moment]


class ZoomConnection(Base):
    """One set of Zoom credentials and the token that all processes share.

    Without a `client_id` the credentials come from the environment. `client_secret` is encrypted
    together with what it is for (`services.zoom_connections.seal`), `plan` says whose limits hold.
    `token` is encrypted; whoever holds the lease asks for a new one.
    """

    __tablename__ = "zoom_connection"

    id: Mapped[PrimaryKey]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), index=True)
    account_id: Mapped[str] = mapped_column(String(100))
    client_id: Mapped[str] = mapped_column(String(100), default="")
    client_secret: Mapped[bytes | None] = mapped_column(Sealed("client secrets of Zoom"))
    plan: Mapped[str] = mapped_column(String(10), default="", server_default="")
    token: Mapped[bytes | None] = mapped_column(Sealed("tokens of Zoom"))
    token_lease_until: Mapped[Moment | None]
    created_at: Mapped[Moment]
