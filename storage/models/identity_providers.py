"""Companies' own sign-in, and who came through it."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, Sealed


class IdentityProvider(Base):
    """Where members of an organization sign in with their company's account (OpenID Connect).

    `client_secret` is encrypted together with what it is for (`services.identity_providers.seal`).
    `joins_as` is the role of whoever comes uninvited with an address of a domain of theirs; empty
    lets in nobody. Without `allows_passwords` nobody but owners signs in here in another way.
    """

    __tablename__ = "identity_provider"

    id: Mapped[PrimaryKey]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), unique=True)
    issuer: Mapped[str] = mapped_column(String(255))
    client_id: Mapped[str] = mapped_column(String(255))
    client_secret: Mapped[bytes] = mapped_column(Sealed("client secrets of company sign-ins"))
    joins_as: Mapped[str] = mapped_column(String(10), default="")
    allows_passwords: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class IdentityDomain(Base):
    """The domain of a provider's addresses; it belongs to one organization of the installation."""

    __tablename__ = "identity_domain"

    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    provider_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("identity_provider.id", ondelete="CASCADE"), index=True
    )


class CompanyIdentity(Base):
    """An organizer as the provider of an organization knows them: addresses change, this does not.

    It outlives the membership: so who was removed is not taken for somebody new.
    """

    __tablename__ = "company_identity"
    __table_args__ = (UniqueConstraint("organization_id", "issuer", "subject"),)

    id: Mapped[PrimaryKey]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"))
    organizer_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="CASCADE"), index=True
    )
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
