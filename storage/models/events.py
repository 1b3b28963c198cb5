"""Events: one meeting or webinar with our form."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    event,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Document, Moment, PrimaryKey, PublicId


class Event(Base):
    """One event. Texts are `{locale: text}`; `version` rises with every change of what is shown.

    `closed_by_zoom` is the class of the error with which Zoom refuses everybody who is new, and
    `refused_at` when it last did so; `freed_at` is when a place last came free while it is empty,
    or for some dates.
    Where people choose dates `full_dates` are those alone for which that holds, None for all, and
    `refused_dates` those of each who was refused since the last sign of a place on one of them.
    `dates` are those of a series, as `services.event_dates` writes them; `starts_at` is then the
    next one. `ends_at` is when it is over, of a series after its last date; every change of a row
    through the model writes it anew. In rows that an older version wrote it is None, or the former
    one, until a worker has looked.
    `former_starts_at` is when people had registered for, where it was moved since; `moved_at` is
    when it was last moved, of which those are told who had registered before. `told_starts_at` is
    the time that they know, where it was put to one that is over, of which nobody is told.
    `speakers`, `programme` and `materials` are as `services.event_parts` writes them.
    """

    __tablename__ = "event"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), index=True)
    connection_id: Mapped[int] = mapped_column(BigKey, ForeignKey("zoom_connection.id"))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    status: Mapped[str] = mapped_column(String(10), default="draft")

    kind: Mapped[str] = mapped_column(String(8))
    zoom_id: Mapped[int] = mapped_column(BigInteger)
    host_email: Mapped[str] = mapped_column(String(254), default="")
    zoom_name_order: Mapped[str] = mapped_column(String(12), default="given_first")
    zoom_titles: Mapped[list[str]] = mapped_column(JSON, default=list)

    title: Mapped[Document]
    lead: Mapped[Document]
    description: Mapped[Document]
    fee: Mapped[Document]
    cohost: Mapped[Document]
    starts_at: Mapped[Moment]
    former_starts_at: Mapped[Moment | None]
    moved_at: Mapped[Moment | None]
    told_starts_at: Mapped[Moment | None]
    duration_minutes: Mapped[int]
    ends_at: Mapped[Moment | None]
    timezone: Mapped[str] = mapped_column(String(50))
    default_locale: Mapped[str] = mapped_column(String(5), default="ja")
    dates: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    date_choice: Mapped[str] = mapped_column(String(6), default="all", server_default="all")
    seats_per_date: Mapped[int | None]
    least_age: Mapped[int | None]
    bot_check: Mapped[str] = mapped_column(
        String(9), default="automatic", server_default="automatic"
    )

    capacity: Mapped[int | None]
    has_waitlist: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[Moment | None]
    closes_at: Mapped[Moment | None]
    approval: Mapped[str] = mapped_column(String(9), default="automatic")
    link_policy: Mapped[str] = mapped_column(String(4), default="show")
    keeps_zoom_mails: Mapped[bool] = mapped_column(default=False, server_default=false())
    closed_by_zoom: Mapped[str] = mapped_column(String(11), default="", server_default="")
    full_dates: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    refused_dates: Mapped[list[list[str]] | None] = mapped_column(JSON(none_as_null=True))
    refused_at: Mapped[Moment | None]
    freed_at: Mapped[Moment | None]
    has_webhooks: Mapped[bool] = mapped_column(default=False, server_default=false())
    fallback_url: Mapped[str] = mapped_column(String(1000), default="")

    brand_color: Mapped[str] = mapped_column(String(7), default="")
    logo_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("asset.id"))
    header_id: Mapped[int | None] = mapped_column(BigKey, ForeignKey("asset.id"))
    logo_alt: Mapped[Document]
    header_alt: Mapped[Document]
    speakers: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    programme: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    materials: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    is_listed: Mapped[bool] = mapped_column(default=True, server_default=true())
    records_attendance: Mapped[bool] = mapped_column(default=False, server_default=false())

    form_version_id: Mapped[int | None] = mapped_column(
        BigKey, ForeignKey("form_version.id", use_alter=True)
    )
    known_read_at: Mapped[Moment | None]
    published_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    def keep_end(self) -> None:
        """Store when it is over, as `services.events.get_end` finds it."""
        self.ends_at = find_end(self.starts_at, self.duration_minutes, self.dates)


def find_end(starts_at: datetime, minutes: int, dates: list[dict[str, Any]] | None) -> datetime:
    """Find when an event is over, by what its row has."""
    held = [_find_end_of(row) for row in dates or [] if not row.get("is_gone")]
    return max(held, default=starts_at + timedelta(minutes=minutes))


def _find_end_of(date: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(date["starts_at"]) + timedelta(minutes=date["minutes"])


@event.listens_for(Event, "before_insert")
@event.listens_for(Event, "before_update")
def _keep_end(_mapper: object, _connection: object, changed: Event) -> None:
    changed.keep_end()


class FormVersion(Base):
    """One immutable version of an event's questions, as `services.questions` writes them.

    `author` is the public id of the organizer who has edited it; empty for what others brought
    about.
    """

    __tablename__ = "form_version"
    __table_args__ = (UniqueConstraint("event_id", "number"),)

    id: Mapped[PrimaryKey]
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey("event.id", ondelete="CASCADE"))
    number: Mapped[int]
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    author: Mapped[str] = mapped_column(String(22), default="", server_default="")
    created_at: Mapped[Moment]


class FormDraft(Base):
    """What organizers have changed of an event's form since it was published last.

    `former` is how it was before the last change, which can be undone.
    """

    __tablename__ = "form_draft"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    former: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    author: Mapped[str] = mapped_column(String(22))
    updated_at: Mapped[Moment]


class EventCounter(Base):
    """A number kept in the transaction that changes it: `seats`, `status:approved`, …"""

    __tablename__ = "event_counter"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


class KnownRegistrant(Base):
    """An address that Zoom already had when the event was published, as a keyed hash."""

    __tablename__ = "known_registrant"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    email_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class Asset(Base):
    """An image, re-encoded on the way in; its name is the hash of its bytes."""

    __tablename__ = "asset"

    id: Mapped[PrimaryKey]
    organization_id: Mapped[int] = mapped_column(BigKey, ForeignKey("organization.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    media_type: Mapped[str] = mapped_column(String(40))
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[Moment]
