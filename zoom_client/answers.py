"""Zoom's JSON to our values.

Reading takes what is there and insists only on what identifies a thing: a person may have been
registered although Zoom's answer lacks a field, and refusing that answer would lose them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from outbound import MalformedAnswer
from zoom_client.models import (
    AddedRegistrant,
    ApprovalType,
    CustomQuestion,
    Instance,
    Kind,
    Meeting,
    MeetingSummary,
    Occurrence,
    Participant,
    Questions,
    Registrant,
    RegistrantStatus,
    StandardQuestion,
    User,
)

T = TypeVar("T")
Record = Mapping[str, Any]

_STATUSES = {status.value: status for status in RegistrantStatus} | {
    # Seen in payloads; Zoom's lists keep these people among the denied.
    "cancelled": RegistrantStatus.DENIED
}
_LARGEST_WHOLE = 2**63 - 1


def read_meeting(kind: Kind, record: Record) -> Meeting:
    """Read the answer to get or create one meeting or webinar."""
    settings = _read_mapping(record, "settings")
    approval_type = read_whole(settings, "approval_type")
    timezone = _read_text(record, "timezone")
    return Meeting(
        kind=kind,
        id=_need_whole(record, "id"),
        uuid=_read_text(record, "uuid"),
        topic=_read_text(record, "topic"),
        type=_need_whole(record, "type"),
        agenda=_read_text(record, "agenda"),
        start_time=_read_time(record, "start_time", timezone),
        duration_minutes=read_whole(record, "duration"),
        timezone=timezone,
        status=_read_text(record, "status"),
        host_id=_read_text(record, "host_id"),
        host_email=_read_text(record, "host_email"),
        approval_type=ApprovalType.NONE if approval_type is None else approval_type,
        registration_type=read_whole(settings, "registration_type"),
        registrants_confirmation_email=_read_flag(settings, "registrants_confirmation_email"),
        registrants_email_notification=_read_flag(settings, "registrants_email_notification"),
        close_registration=_read_flag(settings, "close_registration"),
        registration_url=_read_text(record, "registration_url") or None,
        join_url=_read_text(record, "join_url") or None,
        occurrences=_read_occurrences(record, timezone),
        settings=settings,
    )


def read_meeting_summary(kind: Kind, record: Record) -> MeetingSummary:
    """Read one row of a host's list."""
    timezone = _read_text(record, "timezone")
    return MeetingSummary(
        kind=kind,
        id=_need_whole(record, "id"),
        uuid=_read_text(record, "uuid"),
        topic=_read_text(record, "topic"),
        type=_need_whole(record, "type"),
        start_time=_read_time(record, "start_time", timezone),
        duration_minutes=read_whole(record, "duration"),
        timezone=timezone,
        host_id=_read_text(record, "host_id"),
    )


def read_added_registrant(record: Record) -> AddedRegistrant:
    """Read the answer to an add, or one row of a batch's."""
    return AddedRegistrant(
        registrant_id=_need_text(record, "registrant_id"),
        meeting_id=read_whole(record, "id"),
        join_url=_read_text(record, "join_url") or None,
        email=_read_text(record, "email") or None,
        topic=_read_text(record, "topic"),
        start_time=_read_time(record, "start_time"),
        status=_STATUSES.get(_read_text(record, "status")),
        occurrences=_read_occurrences(record),
        participant_pin_code=read_whole(record, "participant_pin_code"),
        share_url=_read_text(record, "share_url") or None,
    )


def read_added_registrants(record: Record) -> list[AddedRegistrant]:
    """Read the answer to a batch; a row without a registrant's id added nobody for certain."""
    rows = _read_rows(record, "registrants")
    return [read_added_registrant(row) for row in rows if _read_text(row, "registrant_id")]


def read_registrant(record: Record, listed_as: RegistrantStatus | None = None) -> Registrant:
    """Read a registrant; one without status has that of the list it stands in."""
    status = _STATUSES.get(_read_text(record, "status")) or listed_as
    if status is None:
        raise MalformedAnswer("no status")
    questions = record.get("custom_questions")
    return Registrant(
        id=_need_text(record, "id"),
        email=_read_text(record, "email"),
        first_name=_read_text(record, "first_name"),
        last_name=_read_text(record, "last_name"),
        status=status,
        join_url=_read_text(record, "join_url") or None,
        create_time=_read_time(record, "create_time"),
        custom_questions={
            _read_text(question, "title"): _read_text(question, "value")
            for question in (questions if isinstance(questions, list) else [])
            if isinstance(question, dict)
        },
        participant_pin_code=read_whole(record, "participant_pin_code"),
        share_url=_read_text(record, "share_url") or None,
    )


def read_questions(record: Record) -> Questions:
    """Read what Zoom's form asks."""
    return Questions(
        standard=tuple(
            StandardQuestion(_need_text(row, "field_name"), row.get("required") is True)
            for row in _read_rows(record, "questions", optional=True)
        ),
        custom=tuple(
            CustomQuestion(
                title=_need_text(row, "title"),
                type=_read_text(row, "type"),
                required=row.get("required") is True,
                answers=_read_texts(row, "answers"),
            )
            for row in _read_rows(record, "custom_questions", optional=True)
        ),
    )


def read_user(record: Record) -> User:
    """Read a Zoom user."""
    return User(
        id=_need_text(record, "id"),
        email=_read_text(record, "email"),
        first_name=_read_text(record, "first_name"),
        last_name=_read_text(record, "last_name"),
        type=_need_whole(record, "type"),
        timezone=_read_text(record, "timezone"),
        language=_read_text(record, "language"),
        account_id=_read_text(record, "account_id"),
    )


def read_instances(kind: Kind, record: Record) -> list[Instance]:
    """Read when a meeting or webinar was held, the oldest first."""
    rows = _read_rows(record, f"{kind}s")
    instances = [Instance(_need_text(row, "uuid"), _need_time(row, "start_time")) for row in rows]
    return sorted(instances, key=lambda instance: instance.started_at)


def read_participant(record: Record) -> Participant:
    """Read one row of who came; the report and the other list differ in what they leave out."""
    return Participant(
        registrant_id=_read_text(record, "registrant_id") or None,
        email=_read_text(record, "user_email") or None,
        name=_read_text(record, "name"),
        joined_at=_need_time(record, "join_time"),
        left_at=_read_time(record, "leave_time"),
        seconds=read_whole(record, "duration") or 0,
        was_waiting=_read_text(record, "status") == "in_waiting_room",
        breakout_room=_read_text(record, "bo_mtg_id") or None,
    )


def read_page(
    record: Record, rows_key: str, read: Callable[[Record], T]
) -> tuple[list[T], str | None]:
    """Read the rows of one page and the token of the next, None on the last page."""
    rows = [read(row) for row in _read_rows(record, rows_key)]
    return rows, _read_text(record, "next_page_token") or None


def _read_rows(record: Record, key: str, *, optional: bool = False) -> list[Record]:
    rows = record.get(key)
    if rows is None and optional:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedAnswer(f"no list of {key}")
    return rows


def _read_text(record: Record, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _read_texts(record: Record, key: str) -> tuple[str, ...]:
    values = record.get(key)
    return tuple(str(value) for value in values) if isinstance(values, list) else ()


def _need_text(record: Record, key: str) -> str:
    text = _read_text(record, key)
    if not text:
        raise MalformedAnswer(f"no {key}")
    return text


def read_whole(record: Record, key: str) -> int | None:
    """Read a whole number, which some payloads write as a string of digits."""
    value = record.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if abs(value) <= _LARGEST_WHOLE else None


def _need_whole(record: Record, key: str) -> int:
    number = read_whole(record, key)
    if number is None:
        raise MalformedAnswer(f"no {key}")
    return number


def _read_flag(record: Record, key: str) -> bool | None:
    value = record.get(key)
    return value if isinstance(value, bool) else None


def _read_mapping(record: Record, key: str) -> Record:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _read_time(record: Record, key: str, timezone: str = "UTC") -> datetime | None:
    """Read `2026-11-22T10:00:00Z`, or the same without Z as local to the meeting's zone."""
    text = _read_text(record, key)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(timezone or "UTC"))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, KeyError, OSError):  # no such time, no such zone
        return None


def _need_time(record: Record, key: str) -> datetime:
    moment = _read_time(record, key)
    if moment is None:
        raise MalformedAnswer(f"no {key}")
    return moment


def _read_occurrences(record: Record, timezone: str = "UTC") -> tuple[Occurrence, ...]:
    rows = record.get("occurrences")
    return tuple(
        Occurrence(
            id=str(row.get("occurrence_id") or ""),
            start_time=_read_time(row, "start_time", timezone),
            duration_minutes=read_whole(row, "duration"),
            status=_read_text(row, "status"),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    )
