"""Setting up a meeting at Zoom so that people come in through our form alone.

Everything here asks Zoom and stores nothing; no transaction may be open meanwhile. Each step can be
done again, and the event is published by `services.publishing` after the last one: whatever ends
this half-way leaves a draft.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from zoom_client import (
    ApprovalType,
    CustomQuestion,
    Kind,
    Meeting,
    MeetingNotFound,
    MeetingPatch,
    Questions,
    Registrant,
    RegistrationDisabled,
    StandardQuestion,
    WrongKind,
    ZoomClient,
)

from .questions import Question

T = TypeVar("T")

TOTAL_SECONDS = 10.0

_APPROVALS: dict[int, str] = {
    ApprovalType.AUTOMATIC: "automatic",
    ApprovalType.MANUAL: "by hand",
    ApprovalType.NONE: "registration is off",
}


_DATES = {1: "all of them", 2: "one each time", 3: "some that are chosen"}


class Standstill(StrEnum):
    """Why a meeting cannot be used as it is."""

    GONE = "gone"
    OTHER_KIND = "other_kind"
    PERSONAL_ID = "personal_id"
    NO_FIXED_TIME = "no_fixed_time"
    PAST = "past"
    OTHER_TIME = "other_time"
    NOT_KEPT = "not_kept"
    TOO_SLOW = "too_slow"


class SetupRefused(Exception):
    """The meeting cannot be used as it is; the message says why and what to change."""

    def __init__(self, standstill: Standstill, message: str) -> None:
        super().__init__(message)
        self.standstill = standstill


@dataclass(frozen=True)
class Wishes:
    """What an organizer has chosen of what Zoom offers for an event.

    `chooses_dates`: people of a series choose dates. `keeps_mails`: Zoom mails them too.
    """

    chooses_dates: bool = False
    keeps_mails: bool = False


@dataclass(frozen=True)
class Change:
    """One setting at Zoom, in words: what it is, and what it would be."""

    setting: str
    before: str
    after: str


@dataclass(frozen=True)
class ZoomPlan:
    """What has to change at Zoom before an event can be published."""

    meeting: Meeting
    questions: Questions
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class ZoomReady:
    """What Zoom said after everything was set.

    `titles` are the custom questions that Zoom keeps, letter for letter, `lost_titles` those it
    did not keep. `people` is everybody whom Zoom has then.
    """

    meeting: Meeting
    titles: tuple[str, ...]
    lost_titles: tuple[str, ...]
    people: tuple[Registrant, ...]


def read_from_zoom(client: ZoomClient, kind: Kind, zoom_id: int, *, now: datetime) -> Meeting:
    """Read a meeting that an event can be made of; a series has the start of its next date.

    Raises:
        SetupRefused: it cannot be used; the message says why.
        ZoomError: Zoom could not be asked.
    """
    try:
        meeting = client.get_meeting(kind, zoom_id)
    except MeetingNotFound as error:
        raise SetupRefused(
            Standstill.GONE,
            f"Zoom has no {kind} {zoom_id} that this account can see: check the id, and that its "
            "host belongs to the account of the credentials.",
        ) from error
    except WrongKind as error:
        raise SetupRefused(
            Standstill.OTHER_KIND, f"{zoom_id} is not a {kind}: try the other kind."
        ) from error
    if meeting.settings.get("use_pmi") is True:
        raise SetupRefused(
            Standstill.PERSONAL_ID,
            f"The {kind} {zoom_id} uses a personal meeting id: have Zoom generate one.",
        )
    if not meeting.has_fixed_time:
        raise SetupRefused(
            Standstill.NO_FIXED_TIME,
            f"The {kind} {zoom_id} has no fixed time: give it one in Zoom.",
        )
    start = find_start(meeting, now)
    if start is None:
        raise SetupRefused(Standstill.PAST, f"The start of the {kind} {zoom_id} is in the past.")
    return replace(meeting, start_time=start)


def plan_changes(
    client: ZoomClient,
    kind: Kind,
    zoom_id: int,
    questions: Sequence[Question],
    *,
    wishes: Wishes,
    now: datetime,
) -> ZoomPlan:
    """Read what is set at Zoom and say what would be changed; change nothing.

    Raises:
        SetupRefused, ZoomError: as `read_from_zoom`.
    """
    meeting = read_from_zoom(client, kind, zoom_id, now=now)
    current = read_questions_at_zoom(client, kind, zoom_id)
    wanted = _merge_questions(current, questions)
    changes = (*_compare_settings(meeting, wishes), *_compare(current, wanted))
    return ZoomPlan(meeting, wanted, changes)


def prepare_zoom(
    client: ZoomClient,
    kind: Kind,
    zoom_id: int,
    questions: Sequence[Question],
    *,
    starts_at: datetime,
    wishes: Wishes,
    now: datetime,
    total_seconds: float = TOTAL_SECONDS,
) -> ZoomReady:
    """Set everything at Zoom and read it back: approval by hand, Zoom's own mails, questions.

    Only then the people whom Zoom has are read: nobody comes in by themselves any more.

    Raises:
        SetupRefused: the meeting cannot be used, or Zoom did not keep a change.
        ZoomError: Zoom could not be asked; everything may be done again.
    """
    watch = _Stopwatch(total_seconds)
    meeting = read_from_zoom(client, kind, zoom_id, now=now)
    _check_time(meeting, starts_at)
    if _compare_settings(meeting, wishes):
        watch.check()
        client.update_meeting(kind, zoom_id, make_patch(meeting, wishes), host=meeting.host_id)
        meeting = client.get_meeting(kind, zoom_id)
        _check_kept(meeting, wishes)
    watch.check()
    kept = push_questions(client, kind, zoom_id, questions)
    titles, lost = sort_titles(questions, kept)
    people = tuple(watch.guard(client.list_registrants(kind, zoom_id)))
    return ZoomReady(meeting=meeting, titles=titles, lost_titles=lost, people=people)


def sort_titles(
    questions: Sequence[Question], kept: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the titles that Zoom has kept of those that questions go by, and those it has not."""
    wanted = [question.zoom_title for question in questions if question.zoom_title]
    return (
        tuple(title for title in wanted if title in kept),
        tuple(title for title in wanted if title not in kept),
    )


def make_patch(meeting: Meeting, wishes: Wishes) -> MeetingPatch:
    """Say what makes our form the only way in, and has Zoom mail nobody, or everybody.

    Of a series it also says whether people are registered for all dates (1) or for some (3): Zoom
    takes several dates in one call where it has 3 alone.
    """
    return MeetingPatch(
        approval_type=ApprovalType.MANUAL,
        registration_type=get_registration_type(wishes) if meeting.occurrences else None,
        registrants_confirmation_email=wishes.keeps_mails,
        registrants_email_notification=wishes.keeps_mails,
    )


def get_registration_type(wishes: Wishes) -> int:
    return 3 if wishes.chooses_dates else 1


def find_start(meeting: Meeting, now: datetime) -> datetime | None:
    """Return the start of a meeting's next date, if one is ahead."""
    dates = [date.start_time for date in meeting.occurrences if date.status != "deleted"]
    starts = sorted(start for start in (*dates, meeting.start_time) if start and start > now)
    return starts[0] if starts else None


def has_date(meeting: Meeting, starts_at: datetime) -> bool:
    """Tell whether a meeting, or one date of a series, starts at a moment."""
    starts = {meeting.start_time, *(date.start_time for date in meeting.occurrences)}
    return starts_at in starts


def _check_time(meeting: Meeting, starts_at: datetime) -> None:
    # A series goes on: its event follows Zoom's dates.
    if not meeting.occurrences and not has_date(meeting, starts_at):
        raise SetupRefused(
            Standstill.OTHER_TIME,
            f"Zoom has the {meeting.kind} at {meeting.start_time:%Y-%m-%d %H:%M} UTC, the event "
            f"says {starts_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: change one of them.",
        )


def _check_kept(meeting: Meeting, wishes: Wishes) -> None:
    left = _compare_settings(meeting, wishes)
    if not left:
        return
    reason = "; ".join(f"{change.setting} is still: {change.before}" for change in left)
    hint = (
        " Zoom drops this for webinars that recur: set it in Zoom by hand, or schedule one webinar "
        "for each date."
        if meeting.is_recurring_webinar
        else " Set it in Zoom by hand, or look whether the account locks it."
    )
    raise SetupRefused(Standstill.NOT_KEPT, f"Zoom did not keep a setting. {reason}.{hint}")


def _compare_settings(meeting: Meeting, wishes: Wishes) -> list[Change]:
    mails = "on" if wishes.keeps_mails else "off"
    approval = _APPROVALS.get(meeting.approval_type, "unknown")
    settings = [
        ("approval of registrants", approval, _APPROVALS[ApprovalType.MANUAL]),
        ("Zoom's confirmation mail", _say(meeting.registrants_confirmation_email), mails),
        ("Zoom's mails to registrants", _say(meeting.registrants_email_notification), mails),
    ]
    if meeting.occurrences:
        wanted = get_registration_type(wishes)
        present = _DATES.get(meeting.registration_type or 1, "unknown")
        settings.append(("dates of a registration", present, _DATES[wanted]))
    return [Change(*setting) for setting in settings if setting[1] != setting[2]]


def _say(switch: bool | None) -> str:
    return "off" if switch is False else "on"


def read_questions_at_zoom(client: ZoomClient, kind: Kind, zoom_id: int) -> Questions:
    """Return what Zoom asks; nothing where registration is off."""
    try:
        return client.get_questions(kind, zoom_id)
    except RegistrationDisabled:
        return Questions()


def push_questions(
    client: ZoomClient, kind: Kind, zoom_id: int, questions: Sequence[Question]
) -> set[str]:
    """Have Zoom ask what goes to it, read it back, and return the titles that it has afterwards.

    Raises:
        ZoomError: Zoom could not be asked; it may be done again.
    """
    current = client.get_questions(kind, zoom_id)
    wanted = _merge_questions(current, questions)
    if wanted != current:
        client.update_questions(kind, zoom_id, wanted)
        current = client.get_questions(kind, zoom_id)
    return {question.title for question in current.custom}


def require_nothing(current: Questions) -> Questions:
    """Return what Zoom asks, with nothing of it required."""
    return Questions(
        tuple(replace(question, required=False) for question in current.standard),
        tuple(replace(question, required=False) for question in current.custom),
    )


def _merge_questions(current: Questions, questions: Iterable[Question]) -> Questions:
    """Add ours to what Zoom asks, and have Zoom require nothing.

    Our form decides what is required. Zoom may refuse people who lack an answer that it requires,
    and a question made required may send people who registered before back to Zoom's own form.
    """
    optional = require_nothing(current)
    standard = {question.field_name: False for question in optional.standard}
    custom = {question.title: question for question in optional.custom}
    for question in questions:
        if question.zoom_field:
            standard.setdefault(question.zoom_field, False)
        if question.zoom_title:
            custom.setdefault(question.zoom_title, CustomQuestion(question.zoom_title, "short"))
    return Questions(
        tuple(StandardQuestion(name, required) for name, required in standard.items()),
        tuple(custom.values()),
    )


def _compare(current: Questions, wanted: Questions) -> Iterator[Change]:
    before = {question.field_name: question.required for question in current.standard}
    before |= {question.title: question.required for question in current.custom}
    names = [question.field_name for question in wanted.standard]
    names += [question.title for question in wanted.custom]
    for name in names:
        if name not in before:
            yield Change(f"question “{name}”", "not asked", "optional")
        elif before[name]:
            yield Change(f"question “{name}”", "required", "optional")


class _Stopwatch:
    """Bounds several calls, each of which bounds itself, by one time in all."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    def check(self) -> None:
        if time.monotonic() > self._ends:
            raise SetupRefused(
                Standstill.TOO_SLOW,
                f"Zoom took more than {self._seconds:g} seconds. Nothing is published; try again.",
            )

    def guard(self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            self.check()
            yield item
