"""Bars of counts, and registrations by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from .dates import load_zone

MOST_BARS = 12
DAYS = 14
MOST_PERIODS = 31


@dataclass(frozen=True)
class Bar:
    """`percent` is the length of the bar, the longest one 100."""

    label: str
    count: int
    percent: float


@dataclass(frozen=True)
class Bars:
    """`rest` counts what is in none of the bars; `top` is the highest, if there is any."""

    bars: tuple[Bar, ...]
    total: int
    rest: int

    @property
    def top(self) -> Bar | None:
        counted = [bar for bar in self.bars if bar.count]
        return max(counted, key=lambda bar: bar.count, default=None)


def make_bars(counts: Iterable[tuple[str, int]], *, most: int = MOST_BARS) -> Bars:
    """Draw counts in the order given; where there are too many, the highest, highest first."""
    rows = list(counts)
    shown = rows
    if len(rows) > most:
        shown = sorted(rows, key=lambda row: -row[1])[:most]
    highest = max((count for _, count in shown), default=0) or 1
    total = sum(count for _, count in rows)
    bars = tuple(Bar(label, count, round(100 * count / highest, 1)) for label, count in shown)
    return Bars(bars, total, total - sum(count for _, count in shown))


@dataclass(frozen=True)
class Period:
    """One day, or as many as `last` says, with how many registered in it."""

    first: date
    last: date
    count: int


def count_periods(
    hours: Mapping[str, int], timezone: str, *, is_whole: bool = False
) -> list[Period]:
    """Sum hours in UTC (`2030-04-01T05`) up to days of a zone, and those as `make_periods` does.

    In zones that are half an hour apart a registration may count for the day before or after.
    """
    zone = load_zone(timezone)
    counts: Counter[date] = Counter()
    for hour, count in hours.items():
        counts[find_day(hour, zone)] += count
    return make_periods(counts, is_whole=is_whole)


def find_day(hour: str, zone: tzinfo) -> date:
    """Return the day of a zone on which an hour in UTC begins."""
    return datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC).astimezone(zone).date()


def make_periods(counts: Mapping[date, int], *, is_whole: bool = False) -> list[Period]:
    """Return the last days with anything in them.

    The whole time, where it is long, in weeks or in spans of many weeks.
    """
    if not counts:
        return []
    last, first = max(counts), min(counts)
    if not is_whole:
        first = max(first, last - timedelta(days=DAYS - 1))
    span = (last - first).days + 1
    weeks = -(-span // (7 * MOST_PERIODS))
    step = 1 if span <= MOST_PERIODS else 7 * weeks
    # The last period is a full one, so that it can be compared.
    starts = [last - timedelta(days=n + step - 1) for n in range(0, span, step)][::-1]
    return [_sum_period(counts, start, step) for start in starts]


def _sum_period(counts: Mapping[date, int], start: date, step: int) -> Period:
    days = [start + timedelta(days=n) for n in range(step)]
    return Period(days[0], days[-1], sum(counts.get(day, 0) for day in days))
