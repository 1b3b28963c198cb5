"""Dates in words, in Japanese and English, always with the zone they are in.

`Intl` and Babel write neither the Japanese that organizers write themselves nor zone names that
people know, so the few shapes needed are built here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

HOME = "Asia/Tokyo"

YEARS = range(2000, 2100)
"""The years of events: near the last that a date can have, an end or another zone has none."""

_WEEKDAYS_JA = "月火水木金土日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_ZONES_JA = {
    HOME: "日本時間",
    "Asia/Seoul": "韓国時間",
    "Asia/Shanghai": "中国時間",
    "Asia/Taipei": "台湾時間",
    "Asia/Hong_Kong": "香港時間",
    "Asia/Singapore": "シンガポール時間",
    "Asia/Bangkok": "タイ時間",
    "Asia/Ho_Chi_Minh": "ベトナム時間",
    "Asia/Saigon": "ベトナム時間",
    "Asia/Jakarta": "インドネシア西部時間",
    "Asia/Manila": "フィリピン時間",
    "Asia/Kolkata": "インド時間",
    "Asia/Calcutta": "インド時間",
    "Asia/Dubai": "アラブ首長国連邦時間",
    "Europe/London": "イギリス時間",
    "Europe/Paris": "フランス時間",
    "Europe/Berlin": "ドイツ時間",
    "America/New_York": "米国東部時間",
    "America/Chicago": "米国中部時間",
    "America/Denver": "米国山岳部時間",
    "America/Los_Angeles": "米国太平洋時間",
    "Pacific/Honolulu": "ハワイ時間",
    "Australia/Sydney": "オーストラリア東部時間",
    "UTC": "協定世界時",
}


def load_zone(timezone: str) -> tzinfo:
    """Return a zone by its IANA name; an unknown one is UTC, which what is written then says."""
    try:
        return ZoneInfo(timezone)
    # ZoneInfoNotFoundError is a KeyError; a path as a name is a ValueError, a folder an OSError.
    except (KeyError, ValueError, OSError):
        return UTC


def list_zones(locale: str) -> list[tuple[str, str]]:
    """List the zones that people know, Japan's first: their names, as they are and in words."""
    if locale == "ja":
        return [(zone, f"{name}（{zone}）") for zone, name in _ZONES_JA.items()]
    return [(zone, zone.replace("_", " ")) for zone in _ZONES_JA]


def format_period(starts_at: datetime, ends_at: datetime, timezone: str, locale: str) -> str:
    """Write an event's time: 2026年12月10日（木）14:00〜15:00（日本時間）.

    In English: Thu, Dec 10, 2026, 14:00–15:00 JST (UTC+9). The end repeats the date only where
    midnight lies between, and the zone stands twice only where its offset changes meanwhile.
    """
    return "".join(split_period(starts_at, ends_at, timezone, locale))


def split_period(
    starts_at: datetime, ends_at: datetime, timezone: str, locale: str
) -> tuple[str, str]:
    """Write an event's time as `format_period` does, parted after the first date."""
    zone = load_zone(timezone)
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    write_date, write_zone, dash, wide_dash = _WORDS[locale]
    until = f"{end:%H:%M}"
    if end.date() != start.date():
        until = write_date(end, end.year != start.year) + until
        dash = wide_dash
    middle = write_zone(start, timezone) if start.utcoffset() != end.utcoffset() else ""
    return (
        write_date(start, True),
        f"{start:%H:%M}{middle}{wide_dash if middle else dash}{until}{write_zone(end, timezone)}",
    )


def format_moment(at: datetime, timezone: str, locale: str) -> str:
    """Write one moment in full: 2026年12月10日（木）14:00（日本時間）."""
    local = at.astimezone(load_zone(timezone))
    write_date, write_zone, *_ = _WORDS[locale]
    return f"{write_date(local, True)}{local:%H:%M}{write_zone(local, timezone)}"


def format_clock(at: datetime, timezone: str, locale: str) -> str:
    """Write the time of a day that the reader knows: 13:50, 13:50 JST."""
    local = at.astimezone(load_zone(timezone))
    if locale == "ja" and timezone == HOME:
        return f"{local:%H:%M}"
    return f"{local:%H:%M} {_abbreviate_zone(local)}"


def format_short(at: datetime, timezone: str, locale: str) -> str:
    """Write a moment for a subject line: 12/10 14:00, Dec 10, 14:00 JST."""
    local = at.astimezone(load_zone(timezone))
    abbreviation = _abbreviate_zone(local)
    if locale == "ja":
        zone = "" if timezone == HOME else f" {abbreviation}"
        return f"{local.month}/{local.day} {local:%H:%M}{zone}"
    return f"{_MONTHS_EN[local.month - 1]} {local.day}, {local:%H:%M} {abbreviation}"


def _write_date_ja(local: datetime, with_year: bool) -> str:
    year = f"{local.year}年" if with_year else ""
    return f"{year}{local.month}月{local.day}日（{_WEEKDAYS_JA[local.weekday()]}）"


def _write_date_en(local: datetime, with_year: bool) -> str:
    year = f"{local.year}, " if with_year else ""
    month = _MONTHS_EN[local.month - 1]
    return f"{_WEEKDAYS_EN[local.weekday()]}, {month} {local.day}, {year}"


def _write_zone_ja(local: datetime, timezone: str) -> str:
    offset = _write_offset(local)
    name = _ZONES_JA.get("UTC" if local.tzinfo is UTC else timezone)
    if name is None:
        return f"（{offset}）"
    return f"（{name}）" if timezone == HOME or offset == "UTC" else f"（{name} {offset}）"


def _write_zone_en(local: datetime, _timezone: str) -> str:
    abbreviation, offset = _abbreviate_zone(local), _write_offset(local)
    return f" {offset}" if abbreviation == offset else f" {abbreviation} ({offset})"


def _abbreviate_zone(local: datetime) -> str:
    """Return JST, EDT …; zones without letters in the database (+08) get their offset."""
    name = local.tzname() or ""
    return name if name.isalpha() else _write_offset(local)


def _write_offset(local: datetime) -> str:
    """Return UTC, UTC+9, UTC-3:30."""
    offset = local.utcoffset() or timedelta()
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    if not hours and not minutes:
        return "UTC"
    sign = "-" if offset < timedelta() else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


_Words = tuple[Callable[[datetime, bool], str], Callable[[datetime, str], str], str, str]

_WORDS: dict[str, _Words] = {
    "ja": (_write_date_ja, _write_zone_ja, "〜", "〜"),
    "en": (_write_date_en, _write_zone_en, "–", " – "),
}
