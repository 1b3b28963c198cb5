"""Webhooks: where other systems are told of registrations, and what each was told."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId, Sealed

_WAITING = text("state = 'waiting'")


class WebhookEndpoint(Base):
    """An address of another system's; `payload` is thin (ids alone) or full.

    `state` is active, paused or ended, and `reason` why: by_hand, failing or gone. Secrets are
    encrypted together with the address that they are for; the former one signs too until
    `former_until`. `failures` counts deliveries that failed since the last that did not,
    `failing_since` is when the first of them was, and before `try_at` nothing is sent. One that
    `is_slow` or fails waits in a line of its own.
    """

    __tablename__ = "webhook_endpoint"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(1000))
    payload: Mapped[str] = mapped_column(String(4))
    secret: Mapped[bytes] = mapped_column(Sealed("secrets of webhooks"))
    former_secret: Mapped[bytes | None] = mapped_column(Sealed("former secrets of webhooks"))
    former_until: Mapped[Moment | None]
    state: Mapped[str] = mapped_column(String(6), default="active")
    reason: Mapped[str] = mapped_column(String(7), default="")
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[Moment | None]
    try_at: Mapped[Moment | None]
    is_slow: Mapped[bool] = mapped_column(default=False, server_default=false())
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class WebhookSubscription(Base):
    """One type of happening that an endpoint is told of, at one event or, without it, at all."""

    __tablename__ = "webhook_subscription"

    id: Mapped[PrimaryKey]
    endpoint_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("webhook_endpoint.id", ondelete="CASCADE"), index=True
    )
    type: Mapped[str] = mapped_column(String(30))
    event_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("event.id", ondelete="CASCADE"))


class WebhookMessage(Base):
    """One happening as one endpoint is told of it, written in the transaction of what happened.

    All endpoints know it by the same `happening`, however often it is sent. `person` is the
    registration's public id, `status` the registration's status then. `state` is waiting,
    delivered, failed or dropped; of one registration the oldest that waits goes first. `answer` is
    the HTTP status that came last and `error` why none came. Nothing of a person is stored: what is
    sent is made when it is sent. A test is about no event and nobody.
    """

    __tablename__ = "webhook_message"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "happening"),
        Index(None, "endpoint_id", "state", "id"),
        Index(
            "ix_webhook_message_waiting",
            "endpoint_id",
            "registration_id",
            "id",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(
            "ix_webhook_message_due",
            "endpoint_id",
            "next_at",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(None, "happened_at"),
    )

    id: Mapped[PrimaryKey]
    happening: Mapped[str] = mapped_column(String(22))
    endpoint_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("webhook_endpoint.id", ondelete="CASCADE")
    )
    # Neither is a reference: word that somebody was erased goes on after they are gone.
    event_id: Mapped[int | None] = mapped_column(BigKey)
    registration_id: Mapped[int | None] = mapped_column(BigKey)
    person: Mapped[str] = mapped_column(String(22), default="")
    type: Mapped[str] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(10), default="")
    happened_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(String(9), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[Moment]
    first_tried_at: Mapped[Moment | None]
    tried_at: Mapped[Moment | None]
    answer: Mapped[int | None]
    error: Mapped[str] = mapped_column(String(20), default="")
