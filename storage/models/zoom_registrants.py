"""What we know of a registration at Zoom."""

from __future__ import annotations

from datetime import date

from sqlalchemy import JSON, Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, Sealed

_UNKNOWN = text("attempt_started_at IS NOT NULL")
_UNREAD = text("registrant_id IS NOT NULL AND is_new_to_zoom IS NULL")


class ZoomRegistrant(Base):
    """The delivery of one registration to Zoom, written by the worker; publishing renews links.

    `delivery` is waiting, registered, withdrawn, needs_setting or refused, with `problem` as its
    reason.
    `zoom_status` is what Zoom said last: approved, pending, denied, or None for not there; it is
    changing from before we change it until Zoom was read. `attempt_started_at` is set before an add
    and cleared with its result: found set, the outcome of that add is unknown and Zoom is asked
    before adding again. `sends_answers` is False once Zoom may have refused some: each try with
    them would be one of three a day. `join_url` is encrypted. `adds_that_day` and
    `changes_that_day` count our calls about this person on `counted_on`, a day in UTC.
    `occurrence_ids` are the dates for which Zoom was told of them last, where people choose.
    `last_attempt_at` is when the last call began that was to add or change them; `answered_at` is
    when Zoom last had what we want, and None while it has not since the last add. `kept_dates` are
    those that somebody left to be added for further ones, and wants still; `refused_dates` are all
    for which Zoom had no place then.
    """

    __tablename__ = "zoom_registrant"
    __table_args__ = (
        # What counts deliveries: read alone, without the rows.
        Index(None, "event_id", "delivery"),
        # What a walk through Zoom's lists has to judge: few, however many people there are.
        Index(
            "ix_zoom_registrant_unknown",
            "event_id",
            sqlite_where=_UNKNOWN,
            postgresql_where=_UNKNOWN,
        ),
        Index(
            "ix_zoom_registrant_unread", "event_id", sqlite_where=_UNREAD, postgresql_where=_UNREAD
        ),
    )

    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True
    )
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey("event.id"))
    delivery: Mapped[str] = mapped_column(String(13), default="waiting")
    problem: Mapped[str] = mapped_column(String(40), default="")
    zoom_status: Mapped[str | None] = mapped_column(String(8))
    registrant_id: Mapped[str | None] = mapped_column(String(64))
    join_url: Mapped[bytes | None] = mapped_column(Sealed("join links of Zoom"))
    occurrence_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    kept_dates: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    refused_dates: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    sends_answers: Mapped[bool] = mapped_column(default=True)
    attempt_started_at: Mapped[Moment | None]
    attempt_ended_at: Mapped[Moment | None]
    first_attempt_at: Mapped[Moment | None]
    last_attempt_at: Mapped[Moment | None]
    missed_looks: Mapped[int] = mapped_column(default=0)
    last_missed_at: Mapped[Moment | None]
    is_new_to_zoom: Mapped[bool | None]
    counted_on: Mapped[date | None] = mapped_column(Date)
    adds_that_day: Mapped[int] = mapped_column(default=0, server_default="0")
    changes_that_day: Mapped[int] = mapped_column(default=0, server_default="0")
    answered_at: Mapped[Moment | None]
    updated_at: Mapped[Moment]
