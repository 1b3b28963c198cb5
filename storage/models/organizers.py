"""Organizers: the people who sign in, how they do, and what they were let into."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId, Sealed


class Organizer(Base):
    """A person who signs in; which organizations they may act for stands in `membership`.

    `totp_secret` is encrypted by `session.info["cipher"]`. `totp_counter` is the time step of the
    last code that was taken: none of that step or before is taken again. `recovery_codes` are
    hashes, each gone once it was used. `may_add_organizations` is a right in the whole
    installation, and the only one. `has_proven_address`: a mail to it has come back; else whoever
    made the account may have typed somebody else's. `is_told_of_held`: they want a mail when
    people or submissions wait for their decision.
    """

    __tablename__ = "organizer"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    locale: Mapped[str] = mapped_column(String(5), default="ja")
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    totp_secret: Mapped[bytes | None] = mapped_column(Sealed("authenticator apps of organizers"))
    totp_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    recovery_codes: Mapped[list[str]] = mapped_column(JSON, default=list)
    may_add_organizations: Mapped[bool] = mapped_column(default=False, server_default=false())
    has_proven_address: Mapped[bool] = mapped_column(default=False, server_default=true())
    is_told_of_held: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[Moment]


class Passkey(Base):
    """One key of an organizer that a device or a password manager holds (WebAuthn).

    `sign_count` is what the device last said, 0 where it does not count.
    """

    __tablename__ = "passkey"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    organizer_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    transports: Mapped[list[str]] = mapped_column(JSON, default=list)
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class Membership(Base):
    """An organizer in an organization, with a role; `has_all_events` unless some were picked."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("organization_id", "organizer_id"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"))
    organizer_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(String(10))
    has_all_events: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]


class EventAccess(Base):
    """One of the events that a member without `has_all_events` may see."""

    __tablename__ = "event_access"

    membership_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True
    )
    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )


class OrganizerSession(Base):
    """One signed-in browser. The row's end is the session's end.

    The browser holds a random token, here stands its hash. `proven_at` is when a password, code or
    passkey was last shown. `device` says which browser, in words. `confined_to` is the organization
    whose company account let it in: that opens nothing else.
    """

    __tablename__ = "organizer_session"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    organizer_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="CASCADE"), index=True
    )
    organization_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("organization.id"))
    confined_to: Mapped[int | None] = mapped_column(BigKey, ForeignKey("organization.id"))
    device: Mapped[str] = mapped_column(String(100), default="")
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    proven_at: Mapped[Moment]


class AccessLink(Base):
    """A link that works once: for a first owner, an invited member, a forgotten password.

    `purpose` is owner, member, password or enter. Its token is derived from `public_id` and never
    stored. An invitation knows address, role and events; any other knows its organizer, if it has
    one already.
    """

    __tablename__ = "access_link"
    __table_args__ = (Index(None, "organization_id", "purpose"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    purpose: Mapped[str] = mapped_column(String(8))
    organization_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("organization.id"))
    organizer_id: Mapped[int | None] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(254), default="")
    role: Mapped[str] = mapped_column(String(10), default="")
    event_ids: Mapped[list[int] | None] = mapped_column(JSON)
    locale: Mapped[str] = mapped_column(String(5), default="ja")
    invited_by: Mapped[int | None] = mapped_column(
        BigKey, ForeignKey("organizer.id", ondelete="SET NULL")
    )
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class OrganizerMail(Base):
    """A mail to an organizer, in the same states as `mail`; its link is derived when it is sent.

    `endpoint_id` is the webhook endpoint that it is about, which may be gone, `event_id` the event.
    """

    __tablename__ = "organizer_mail"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(254))
    access_link_id: Mapped[int | None] = mapped_column(
        BigKey, ForeignKey("access_link.id", ondelete="CASCADE"), index=True
    )
    endpoint_id: Mapped[int | None] = mapped_column(BigKey)
    event_id: Mapped[int | None] = mapped_column(BigKey, index=True)
    locale: Mapped[str] = mapped_column(String(5))
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(7), default="queued")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    sent_at: Mapped[Moment | None]
