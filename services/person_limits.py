"""Zoom's limits for one person a day: three adds, and ten changes of their status.

We count them too, in the person's row, so that no call is spent on a refusal. The day is that of
UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime

from storage.models import ZoomRegistrant
from zoom_client import find_next_reset
from zoom_client.pacing import ADDS_A_DAY, STATUS_CHANGES_A_DAY


def count_add(registrant: ZoomRegistrant, *, now: datetime) -> None:
    _begin_day(registrant, now)
    registrant.adds_that_day += 1


def count_change(registrant: ZoomRegistrant, *, now: datetime) -> None:
    _begin_day(registrant, now)
    registrant.changes_that_day += 1


def uncount_add(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Take back the count of an add that never got as far as this person."""
    if _is_today(registrant, now):
        registrant.adds_that_day = max(registrant.adds_that_day - 1, 0)


def uncount_change(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Take back the count of a change that never got as far as this person."""
    if _is_today(registrant, now):
        registrant.changes_that_day = max(registrant.changes_that_day - 1, 0)


def use_up_adds(registrant: ZoomRegistrant, *, now: datetime) -> None:
    """Learn from Zoom that this person cannot be added any more today, by whomever."""
    _begin_day(registrant, now)
    registrant.adds_that_day = ADDS_A_DAY


def use_up_changes(registrant: ZoomRegistrant, *, now: datetime) -> None:
    _begin_day(registrant, now)
    registrant.changes_that_day = STATUS_CHANGES_A_DAY


def find_next_add(registrant: ZoomRegistrant, *, adds: int = 1, now: datetime) -> datetime | None:
    """Return when the person can be added so often; None for now."""
    is_used_up = _is_today(registrant, now) and registrant.adds_that_day + adds > ADDS_A_DAY
    return find_next_reset(now) if is_used_up else None


def find_next_change(registrant: ZoomRegistrant, *, now: datetime) -> datetime | None:
    """Return when the person's status can be changed; None for now."""
    is_used_up = _is_today(registrant, now) and registrant.changes_that_day >= STATUS_CHANGES_A_DAY
    return find_next_reset(now) if is_used_up else None


def _begin_day(registrant: ZoomRegistrant, now: datetime) -> None:
    if not _is_today(registrant, now):
        registrant.counted_on = now.astimezone(UTC).date()
        registrant.adds_that_day = registrant.changes_that_day = 0


def _is_today(registrant: ZoomRegistrant, now: datetime) -> bool:
    return registrant.counted_on == now.astimezone(UTC).date()
