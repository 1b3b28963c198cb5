"""Our values to Zoom's paths and JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from zoom_client.models import Kind, MeetingDraft, MeetingPatch, NewRegistrant, Questions

_REGISTRANT_FIELDS = (
    ("email", "first_name", "last_name", "address", "city", "state", "zip", "country", "phone")
    + ("comments", "industry", "job_title", "org", "no_of_employees", "purchasing_time_frame")
    + ("role_in_purchase_process", "language")
)
_NAMED_SETTINGS = (
    "approval_type",
    "registration_type",
    "registrants_confirmation_email",
    "registrants_email_notification",
    "close_registration",
)
_SCHEDULED = {Kind.MEETING: 2, Kind.WEBINAR: 5}


def quote_segment(text: str) -> str:
    """Encode one segment of a path, so that it can neither leave nor vanish from its place."""
    if not text.strip("."):
        raise ValueError("a path segment must be more than dots")
    return quote(text, safe="")


def quote_uuid(uuid: str) -> str:
    """Encode a meeting's UUID for a path: twice where it starts with `/` or contains `//`.

    Source: Zoom's API description; with one encoding Zoom answers 3001 for these.
    """
    once = quote_segment(uuid)
    return quote(once, safe="") if uuid.startswith("/") or "//" in uuid else once


def write_meeting(kind: Kind, meeting: MeetingDraft | MeetingPatch) -> dict[str, Any]:
    """Write the body of create or update; what is None is left out."""
    body: dict[str, Any] = {
        "topic": meeting.topic,
        "agenda": meeting.agenda,
        "start_time": _write_time(meeting.start_time),
        "duration": meeting.duration_minutes,
        "timezone": meeting.timezone,
        "password": meeting.password,
    }
    if isinstance(meeting, MeetingDraft):
        body["type"] = _SCHEDULED[kind]
    named = {name: getattr(meeting, name) for name in _NAMED_SETTINGS}
    body["settings"] = {**meeting.settings, **_without_none(named)} or None
    return _without_none(body)


def write_registrant(kind: Kind, person: NewRegistrant, *, auto_approve: bool) -> dict[str, Any]:
    """Write the body of an add; `auto_approve` exists for meetings, `source_id` for webinars."""
    body: dict[str, Any] = {
        name: value for name in _REGISTRANT_FIELDS if (value := getattr(person, name))
    }
    if person.custom_questions:
        body["custom_questions"] = [
            {"title": title, "value": value} for title, value in person.custom_questions.items()
        ]
    if kind is Kind.MEETING and auto_approve:
        body["auto_approve"] = True
    if kind is Kind.WEBINAR and person.source_id:
        body["source_id"] = person.source_id
    return body


def write_batch(
    kind: Kind, people: Sequence[NewRegistrant], *, auto_approve: bool, confirmation_email: bool
) -> dict[str, Any]:
    """Write the body of a batch, which has room for addresses and names alone."""
    if any(p != NewRegistrant(p.email, p.first_name, p.last_name) for p in people):
        raise ValueError("a batch carries nothing but e-mail, first and last name")
    body: dict[str, Any] = {
        "auto_approve": auto_approve,
        "registrants": [
            {"email": p.email, "first_name": p.first_name}
            | ({"last_name": p.last_name} if p.last_name else {})
            for p in people
        ],
    }
    if kind is Kind.MEETING:
        body["registrants_confirmation_email"] = confirmation_email
    return body


def write_questions(questions: Questions) -> dict[str, Any]:
    """Write the whole set of questions."""
    return {
        "questions": [
            {"field_name": question.field_name, "required": question.required}
            for question in questions.standard
        ],
        "custom_questions": [
            {"title": question.title, "type": question.type, "required": question.required}
            | ({"answers": list(question.answers)} if question.answers else {})
            for question in questions.custom
        ],
    }


def _write_time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("start_time needs a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_none(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}
