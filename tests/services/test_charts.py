"""Registrations by day, and over the whole time in as many bars as can be read."""

from datetime import date, datetime, timedelta

import pytest

from services.charts import DAYS, MOST_PERIODS, count_periods, make_bars

FIRST = datetime.fromisoformat("2030-01-01T03:00")


def count(days, *, is_whole=False, zone="Asia/Tokyo"):
    """Somebody registers on each of so many days."""
    hours = {f"{FIRST + timedelta(days=n):%Y-%m-%dT%H}": 1 for n in range(days)}
    return count_periods(hours, zone, is_whole=is_whole)


def test_days_are_those_of_the_zone_and_gaps_count():
    hours = {"2030-04-01T14": 2, "2030-04-01T15": 3, "2030-04-04T00": 1}
    found = [(one.first, one.count) for one in count_periods(hours, "Asia/Tokyo")]
    assert found == [(date(2030, 4, n), count) for n, count in ((1, 2), (2, 3), (3, 0), (4, 1))]
    assert count_periods({}, "Asia/Tokyo") == []


def test_last_days_stay_in_their_order_however_many_there_are():
    periods = count(40)
    assert len(periods) == DAYS
    bars = make_bars(((str(one.first), one.count) for one in periods), most=MOST_PERIODS)
    assert [bar.label for bar in bars.bars] == sorted(bar.label for bar in bars.bars)
    assert bars.rest == 0


@pytest.mark.parametrize(
    ("days", "step"), [(1, 1), (31, 1), (32, 7), (217, 7), (218, 14), (900, 35)]
)
def test_whole_time_has_everybody_in_equal_periods(days, step):
    periods = count(days, is_whole=True)
    assert sum(one.count for one in periods) == days
    assert {(one.last - one.first).days + 1 for one in periods} == {step}
    assert len(periods) <= MOST_PERIODS
