"""The dates of a recurring meeting."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from zoom_sandbox.clock import format_time, parse_time

MOST_OCCURRENCES = 60
_LAST = -1


def plan_occurrences(
    recurrence: dict[str, Any], first: datetime, timezone: str, duration: int
) -> list[dict[str, Any]]:
    """List the occurrences from `first` on, at the same local time through clock changes."""
    start = first.astimezone(ZoneInfo(timezone))
    wanted = min(recurrence.get("end_times", 1), MOST_OCCURRENCES)
    until = None
    if "end_date_time" in recurrence:
        until = parse_time(recurrence["end_date_time"], timezone)
        wanted = MOST_OCCURRENCES
    occurrences: list[dict[str, Any]] = []
    # Ten months times sixty is the longest a series can take.
    for days in range(600 * 31):
        moment = start + timedelta(days=days)
        if len(occurrences) == wanted or (until and moment > until):
            break
        if _falls_on(moment.date(), start.date(), recurrence):
            occurrences.append(_occurrence(moment, duration))
    return occurrences


def _falls_on(day: date, first: date, recurrence: dict[str, Any]) -> bool:
    interval: int = recurrence.get("repeat_interval", 1)
    if recurrence["type"] == 1:
        return (day - first).days % interval == 0
    if recurrence["type"] == 2:
        weeks = (_week_start(day) - _week_start(first)).days // 7
        weekdays = recurrence.get("weekly_days", str(_zoom_weekday(first))).split(",")
        return weeks % interval == 0 and str(_zoom_weekday(day)) in weekdays
    months = (day.year - first.year) * 12 + day.month - first.month
    return months % interval == 0 and _is_day_of_month(day, recurrence)


def _is_day_of_month(day: date, recurrence: dict[str, Any]) -> bool:
    if "monthly_week_day" not in recurrence:
        return day.day == int(recurrence.get("monthly_day", 1))
    if _zoom_weekday(day) != recurrence["monthly_week_day"]:
        return False
    week = recurrence.get("monthly_week", 1)
    if week == _LAST:
        return (day + timedelta(days=7)).month != day.month
    return bool((day.day + 6) // 7 == week)


def _zoom_weekday(day: date) -> int:
    """Count from Sunday, which is 1."""
    return day.isoweekday() % 7 + 1


def _week_start(day: date) -> date:
    return day - timedelta(days=_zoom_weekday(day) - 1)


def _occurrence(moment: datetime, duration: int) -> dict[str, Any]:
    return {
        "occurrence_id": str(int(moment.timestamp() * 1000)),
        "start_time": format_time(moment),
        "duration": duration,
        "status": "available",
    }
