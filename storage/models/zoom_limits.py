"""What all processes share of Zoom's limits and outages."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Float, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment


class Pausable:
    """A queue that may stand still, with one reason for everybody in it.

    While `paused_since` is set nobody calls Zoom for it but one worker at `probe_at`, whose success
    ends the pause. `pause_problem` is the class of the error, `probes` how many have failed.
    """

    paused_since: Mapped[Moment | None]
    pause_problem: Mapped[str] = mapped_column(String(40), default="")
    pause_reason: Mapped[str] = mapped_column(Text, default="")
    probe_at: Mapped[Moment | None]
    probes: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[Moment]


class ZoomAccount(Pausable, Base):
    """One account as seen by all who call it; `failures` are those since its last answer."""

    __tablename__ = "zoom_account"

    account_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[Moment | None]


class ZoomEvent(Pausable, Base):
    """One event at Zoom; `walked_at` is when the last walk through its registrants ended.

    `refused_in_a_row` counts people whom Zoom refused in words that nobody knows, none taken in
    between; `taken_at` is when somebody was taken after such refusals. `updated_at` is when the
    count or the pause changed last, by the last such refusal too.
    """

    __tablename__ = "zoom_event"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    walked_at: Mapped[Moment | None]
    refused_in_a_row: Mapped[int] = mapped_column(default=0, server_default="0")
    taken_at: Mapped[Moment | None]


class ZoomBudget(Base):
    """Calls that an account may make: one row for each label of Zoom's, and for each busy host.

    A row `batch:<event>` counts nothing: it says until when that event's people are added alone.

    `full_at` is the theoretical arrival time of GCRA and `closed_until` what Zoom itself has asked
    for, both in seconds since 1970; `used_that_day` counts the calls of `day`, which is UTC.
    """

    __tablename__ = "zoom_budget"

    account_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    full_at: Mapped[float] = mapped_column(Float(53))
    day: Mapped[date] = mapped_column(Date)
    used_that_day: Mapped[int]
    closed_until: Mapped[float] = mapped_column(Float(53), default=0.0)
