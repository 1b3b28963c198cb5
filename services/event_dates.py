"""The dates of a series: what Zoom says of them, who may choose among them, and their words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from storage.models import Event
from zoom_client import Meeting

from .dates import format_period, load_zone
from .questions import DATES, Answer, Choice, DatesQuestion, FormDefinition, QuestionKind
from .texts import LOCALES


class DateChoice(StrEnum):
    """Whether everybody comes to all dates, or each person chooses some."""

    ALL = "all"
    CHOOSE = "choose"


class Closed(StrEnum):
    """Why a date cannot be chosen any more."""

    PAST = "past"
    FULL = "full"
    GONE = "gone"


class Series(Protocol):
    """What of an event its dates are read from; one that is no series has none."""

    @property
    def dates(self) -> list[dict[str, Any]]: ...
    @property
    def date_choice(self) -> str: ...


class ZonedSeries(Series, Protocol):
    @property
    def timezone(self) -> str: ...


@dataclass(frozen=True)
class EventDate:
    """One date; `id` is that of Zoom's occurrence. `is_gone` once Zoom has it no more.

    `changed_at` is when it was found to be another one than people had chosen. Of a person's dates
    `is_waiting` says that Zoom has no place on it for them.
    """

    id: str
    starts_at: datetime
    minutes: int
    is_gone: bool = False
    changed_at: datetime | None = None
    is_waiting: bool = False

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    def is_ahead(self, now: datetime) -> bool:
        """Tell whether it is not over, and Zoom has it."""
        return not self.is_gone and now < self.ends_at


def read_dates(event: Series) -> tuple[EventDate, ...]:
    """Read an event's dates, the first one first."""
    return tuple(
        EventDate(
            id=row["id"],
            starts_at=datetime.fromisoformat(row["starts_at"]),
            minutes=row["minutes"],
            is_gone=row.get("is_gone", False),
            changed_at=_read_moment(row.get("changed_at")),
        )
        for row in event.dates
    )


def write_dates(dates: Iterable[EventDate]) -> list[dict[str, Any]]:
    """Write what `read_dates` reads, for the event's row."""
    return [
        {"id": date.id, "starts_at": date.starts_at.isoformat(), "minutes": date.minutes}
        | ({"is_gone": True} if date.is_gone else {})
        | ({"changed_at": date.changed_at.isoformat()} if date.changed_at else {})
        for date in sorted(dates, key=lambda date: (date.starts_at, date.id))
    ]


def list_ahead(event: Series, *, now: datetime) -> frozenset[str]:
    """Return the dates that are not over, and that Zoom has."""
    return frozenset(date.id for date in read_dates(event) if date.is_ahead(now))


def has_lost_dates(event: Series) -> bool:
    """Tell whether an event is a series of which no date was held or will be."""
    return bool(event.dates) and all(date.is_gone for date in read_dates(event))


def takes_choice(event: Series) -> bool:
    """Tell whether people of an event choose dates."""
    return event.date_choice == DateChoice.CHOOSE and bool(event.dates)


def follow_zoom(
    known: Iterable[EventDate], meeting: Meeting, *, now: datetime
) -> tuple[EventDate, ...]:
    """Bring dates up to what Zoom has: it lists no past ones, which stay as they are.

    A date that Zoom has no more is kept as gone, for those who chose it.
    """
    before = {date.id: date for date in known}
    found = {
        occurrence.id: EventDate(
            occurrence.id,
            occurrence.start_time,
            occurrence.duration_minutes or meeting.duration_minutes or 60,
        )
        for occurrence in meeting.occurrences
        if occurrence.start_time is not None and occurrence.status != "deleted"
    }
    present = (_compare(date, before, now) for date in found.values())
    kept = (
        date
        if date.starts_at <= now or date.is_gone
        else replace(date, is_gone=True, changed_at=now)
        for date in before.values()
        if date.id not in found
    )
    return tuple(sorted((*present, *kept), key=lambda date: (date.starts_at, date.id)))


def _compare(date: EventDate, before: Mapping[str, EventDate], now: datetime) -> EventDate:
    """Note since when a date is another one than before; the first ones that are read are not."""
    former = before.get(date.id)
    if former is not None and replace(former, changed_at=None) == date:
        return former
    return replace(date, changed_at=now) if before else date


def take_dates(event: Event, meeting: Meeting, *, now: datetime) -> bool:
    """Give an event Zoom's dates and the time of the next one; return whether anything changed.

    Where all were cancelled, the time stays that of the one that was next.
    Where it did, the caller raises the event's version.
    """
    dates = follow_zoom(read_dates(event), meeting, now=now)
    shown = find_next(dates, now)
    if shown is None and not meeting.is_series:
        # No date was cancelled: it was made a meeting of another kind.
        return False
    former = (event.dates, event.starts_at, event.duration_minutes)
    event.dates = write_dates(dates)
    if shown is not None:
        event.starts_at, event.duration_minutes = shown.starts_at, shown.minutes
    return former != (event.dates, event.starts_at, event.duration_minutes)


def find_next(dates: Iterable[EventDate], now: datetime) -> EventDate | None:
    """Return the date that is under way or comes next; the last one once all are over."""
    held = [date for date in dates if not date.is_gone and not date.is_waiting]
    ahead = [date for date in held if now < date.ends_at]
    return min(ahead, key=lambda date: date.starts_at) if ahead else (held[-1] if held else None)


def get_chosen(event: Series, answers: Mapping[str, Answer]) -> tuple[EventDate, ...]:
    """Return the dates somebody comes to: those they chose, or all."""
    dates = read_dates(event)
    if not takes_choice(event):
        return dates
    chosen = list_chosen_ids(answers)
    return tuple(date for date in dates if date.id in chosen)


def list_chosen_ids(answers: Mapping[str, Answer]) -> tuple[str, ...]:
    answer = answers.get(DATES)
    return answer.values if answer else ()


def make_question(
    event: ZonedSeries, *, closed: Mapping[str, str] | None = None, kept: Collection[str] = ()
) -> DatesQuestion:
    """Ask for the dates, as one more question of a form.

    Args:
        closed: why a date cannot be chosen, by its id; one that Zoom has no more is not offered.
        kept: what the person chose before: it stays where it is closed by now.
    """
    shown = [
        date for date in read_dates(event) if closed is None or not date.is_gone or date.id in kept
    ]
    return DatesQuestion(
        id=DATES,
        kind=QuestionKind.CHECKBOXES,
        label={"ja": "参加する日程", "en": "Dates"},
        required=True,
        required_message={
            "ja": "参加する日程を選んでください",
            "en": "Select the dates you will attend",
        },
        choices=tuple(
            Choice(
                date.id, {locale: write_date(date, event.timezone, locale) for locale in LOCALES}
            )
            for date in shown
        ),
        closed={} if closed is None else {d.id: closed[d.id] for d in shown if d.id in closed},
        kept=tuple(date.id for date in shown if date.id in kept),
        plain={date.id: write_plain(date, event.timezone) for date in shown},
    )


def add_dates(definition: FormDefinition, question: DatesQuestion) -> FormDefinition:
    """Return a form that asks for the dates before everything else."""
    return FormDefinition(
        definition.version_id, definition.number, (question, *definition.questions)
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def write_date(date: EventDate, timezone: str, locale: str) -> str:
    """Write a date in words; one that will not be held says so, and one without a place."""
    words = format_period(date.starts_at, date.ends_at, timezone, locale)
    if date.is_waiting and not date.is_gone:
        waits = {
            "ja": "（Zoomが満席です。空きが出たらメールでお知らせします）",
            "en": " (full at Zoom: we will email you if a place becomes free)",
        }
        return words + waits["ja" if locale == "ja" else "en"]
    if not date.is_gone:
        return words
    return f"{words}（中止）" if locale == "ja" else f"{words} (cancelled)"


def write_plain(date: EventDate, timezone: str) -> str:
    """Write a date as tables have it: 2026-12-10 14:00."""
    return f"{date.starts_at.astimezone(load_zone(timezone)):%Y-%m-%d %H:%M}"
