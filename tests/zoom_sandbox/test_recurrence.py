from datetime import UTC, datetime

import pytest

from zoom_sandbox.recurrence import plan_occurrences

# A Friday, 10:00 in Tokyo.
FIRST = datetime(2027, 1, 1, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("recurrence", "days"),
    [
        ({"type": 1, "repeat_interval": 2, "end_times": 3}, ["01-01", "01-03", "01-05"]),
        ({"type": 2, "weekly_days": "2,6", "end_times": 3}, ["01-01", "01-04", "01-08"]),
        ({"type": 2, "repeat_interval": 2, "end_times": 2}, ["01-01", "01-15"]),
        ({"type": 3, "monthly_day": 31, "end_times": 3}, ["01-31", "03-31", "05-31"]),
        (
            {"type": 3, "monthly_week": -1, "monthly_week_day": 6, "end_times": 2},
            ["01-29", "02-26"],
        ),
        (
            {"type": 3, "monthly_week": 2, "monthly_week_day": 2, "end_times": 2},
            ["01-11", "02-08"],
        ),
        ({"type": 1, "end_date_time": "2027-01-02T23:00:00Z"}, ["01-01", "01-02"]),
    ],
)
def test_series_falls_on_the_days_asked_for(recurrence, days):
    planned = plan_occurrences(recurrence, FIRST, "Asia/Tokyo", 60)
    assert [o["start_time"] for o in planned] == [f"2027-{day}T01:00:00Z" for day in days]


def test_series_keeps_local_time_through_a_clock_change():
    first = datetime(2027, 3, 13, 15, 0, tzinfo=UTC)
    planned = plan_occurrences({"type": 1, "end_times": 2}, first, "America/New_York", 60)
    assert [o["start_time"][11:] for o in planned] == ["15:00:00Z", "14:00:00Z"]
