"""Dates in words: every shape in both languages, midnight, other zones, clock changes."""

from datetime import UTC, datetime, timedelta

import pytest

from services.dates import (
    format_clock,
    format_moment,
    format_period,
    format_short,
    split_period,
)

AFTERNOON = datetime(2026, 12, 10, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("ja", "2026年12月10日（木）14:00〜15:00（日本時間）"),
        ("en", "Thu, Dec 10, 2026, 14:00–15:00 JST (UTC+9)"),
    ],
)
def test_period_names_day_and_zone(locale, written):
    assert format_period(AFTERNOON, AFTERNOON + HOUR, "Asia/Tokyo", locale) == written


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("ja", "2026年12月10日（木）23:00〜12月11日（金）01:00（日本時間）"),
        ("en", "Thu, Dec 10, 2026, 23:00 – Fri, Dec 11, 01:00 JST (UTC+9)"),
    ],
)
def test_period_over_midnight_names_both_days(locale, written):
    start = datetime(2026, 12, 10, 14, 0, tzinfo=UTC)
    assert format_period(start, start + 2 * HOUR, "Asia/Tokyo", locale) == written


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("ja", "2026年12月31日（木）23:30〜2027年1月1日（金）00:30（日本時間）"),
        ("en", "Thu, Dec 31, 2026, 23:30 – Fri, Jan 1, 2027, 00:30 JST (UTC+9)"),
    ],
)
def test_period_over_new_year_names_both_years(locale, written):
    start = datetime(2026, 12, 31, 14, 30, tzinfo=UTC)
    assert format_period(start, start + HOUR, "Asia/Tokyo", locale) == written


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("ja", "2026年3月8日（日）01:30（米国東部時間 UTC-5）〜03:30（米国東部時間 UTC-4）"),
        ("en", "Sun, Mar 8, 2026, 01:30 EST (UTC-5) – 03:30 EDT (UTC-4)"),
    ],
)
def test_period_over_clock_change_names_both_offsets(locale, written):
    start = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)
    assert format_period(start, start + HOUR, "America/New_York", locale) == written


@pytest.mark.parametrize(
    ("locale", "parts"),
    [
        ("ja", ("2026年12月10日（木）", "23:00〜12月11日（金）01:00（日本時間）")),
        ("en", ("Thu, Dec 10, 2026, ", "23:00 – Fri, Dec 11, 01:00 JST (UTC+9)")),
    ],
)
def test_period_is_parted_after_its_first_date(locale, parts):
    start = datetime(2026, 12, 10, 14, 0, tzinfo=UTC)
    assert split_period(start, start + 2 * HOUR, "Asia/Tokyo", locale) == parts


@pytest.mark.parametrize(
    ("locale", "zone", "written"),
    [
        ("ja", "Asia/Tokyo", "14:00"),
        ("en", "Asia/Tokyo", "14:00 JST"),
        ("ja", "America/New_York", "00:00 EST"),
        ("en", "Asia/Singapore", "13:00 UTC+8"),
    ],
)
def test_time_of_a_known_day_has_its_zone(locale, zone, written):
    assert format_clock(AFTERNOON, zone, locale) == written


@pytest.mark.parametrize(
    ("zone", "ja", "en"),
    [
        ("Asia/Tokyo", "14:00（日本時間）", "14:00 JST (UTC+9)"),
        ("America/New_York", "00:00（米国東部時間 UTC-5）", "00:00 EST (UTC-5)"),
        ("Asia/Singapore", "13:00（シンガポール時間 UTC+8）", "13:00 UTC+8"),
        ("Asia/Kolkata", "10:30（インド時間 UTC+5:30）", "10:30 IST (UTC+5:30)"),
        ("America/St_Johns", "01:30（UTC-3:30）", "01:30 NST (UTC-3:30)"),
        ("Europe/London", "05:00（イギリス時間）", "05:00 GMT (UTC)"),
        ("UTC", "05:00（協定世界時）", "05:00 UTC"),
    ],
)
def test_moment_names_zone_as_people_know_it(zone, ja, en):
    assert format_moment(AFTERNOON, zone, "ja") == f"2026年12月10日（木）{ja}"
    assert format_moment(AFTERNOON, zone, "en") == f"Thu, Dec 10, 2026, {en}"


def test_summer_time_follows_the_date():
    july = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)
    assert format_moment(july, "America/Los_Angeles", "en").endswith("10:00 PDT (UTC-7)")
    assert format_moment(AFTERNOON, "America/Los_Angeles", "en").endswith("21:00 PST (UTC-8)")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "Asia"])
def test_unknown_zone_is_written_in_utc(zone):
    assert format_moment(AFTERNOON, zone, "ja") == "2026年12月10日（木）05:00（協定世界時）"


@pytest.mark.parametrize(
    ("zone", "ja", "en"),
    [
        ("Asia/Tokyo", "12/10 14:00", "Dec 10, 14:00 JST"),
        ("America/New_York", "12/10 00:00 EST", "Dec 10, 00:00 EST"),
        ("Asia/Singapore", "12/10 13:00 UTC+8", "Dec 10, 13:00 UTC+8"),
    ],
)
def test_short_form_fits_a_subject(zone, ja, en):
    assert format_short(AFTERNOON, zone, "ja") == ja
    assert format_short(AFTERNOON, zone, "en") == en
