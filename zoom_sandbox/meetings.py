"""Meetings and webinars: list, create, read, change, delete."""

import base64
import secrets
from typing import Any

from zoom_sandbox.answers import Answer, invalid_occurrence, webinar_plan_missing
from zoom_sandbox.calls import Call
from zoom_sandbox.clock import format_time, parse_time
from zoom_sandbox.notifications import shared_url_of, tell_created, tell_deleted, tell_updated
from zoom_sandbox.paging import page_of
from zoom_sandbox.records import NO_FIXED_TIME, RECURRING, Meeting, User
from zoom_sandbox.recurrence import plan_occurrences
from zoom_sandbox.sandbox import Sandbox
from zoom_sandbox.users import find_user

_DEFAULT_SETTINGS: dict[str, Any] = {
    "approval_type": 2,
    "registration_type": 1,
    "registrants_confirmation_email": True,
    "registrants_email_notification": True,
    "close_registration": False,
    "allow_multiple_devices": True,
    "show_share_button": True,
    "meeting_authentication": False,
    "alternative_hosts": "",
    "host_video": False,
    "audio": "both",
    "auto_recording": "none",
}
# Reported as ignored at creation (devforum 12113, laravel-zoom 96): a PATCH sets them.
_IGNORED_AT_CREATION = (
    "registrants_confirmation_email",
    "allow_multiple_devices",
    "show_share_button",
)
_BRIEF = (
    "id",
    "uuid",
    "host_id",
    "topic",
    "type",
    "start_time",
    "duration",
    "timezone",
    "created_at",
    "join_url",
    "agenda",
)
_NOT_DETAILS = ("settings", "default_password", "default_passcode", "schedule_for")


def list_meetings(call: Call) -> Answer:
    host = find_user(call)
    _check_webinar_plan(call.kind, host)
    now = call.sandbox.clock.now()
    wanted = call.query.get("type", "scheduled")
    found = []
    for meeting in sorted(call.sandbox.state.meetings.values(), key=lambda m: m.id):
        if meeting.host_id != host.id or meeting.kind != call.kind or meeting.type in (1, 10):
            continue
        is_past = meeting.ends_at is not None and meeting.ends_at < now
        if wanted in ("upcoming", "upcoming_meetings") and is_past:
            continue
        if wanted == "live" or (wanted == "previous_meetings" and not is_past):
            continue
        found.append(meeting)
    found = [meeting for meeting in found if _is_between(meeting, call.query)]
    page, rest = page_of(call, found, lambda meeting: str(meeting.id))
    rows = [_describe_briefly(call.sandbox, meeting) for meeting in page]
    return Answer(200, {**rest, f"{call.kind}s": rows})


def _is_between(meeting: Meeting, query: dict[str, str]) -> bool:
    day = meeting.details.get("start_time", meeting.created_at)[:10]
    return bool(query.get("from", "") <= day <= query.get("to", "9999"))


def create_meeting(call: Call) -> Answer:
    host = find_user(call)
    _check_webinar_plan(call.kind, host)
    call.sandbox.limits.count_host_change(host.id)
    meeting = make_meeting(call.sandbox, call.kind, host, call.body)
    call.note("create", meeting)
    return Answer(201, describe_meeting(call.sandbox, meeting))


def make_meeting(sandbox: Sandbox, kind: str, host: User, body: dict[str, Any]) -> Meeting:
    now = sandbox.clock.now()
    details: dict[str, Any] = {
        "topic": "Zoom Meeting" if kind == "meeting" else "Zoom Webinar",
        "type": 2 if kind == "meeting" else 5,
        "agenda": "",
        "duration": 60,
        "timezone": host.timezone,
        **{name: value for name, value in body.items() if name not in _NOT_DETAILS},
    }
    if body.get("default_password", body.get("default_passcode", True)):
        details.setdefault("password", secrets.token_hex(3))
    asked = body.get("settings", {})
    meeting = Meeting(
        id=80_000_000_000 + secrets.randbelow(19_999_999_999),
        uuid=base64.b64encode(secrets.token_bytes(16)).decode(),
        kind=kind,
        host_id=host.id,
        created_at=format_time(now),
        details=details,
        settings={
            **_DEFAULT_SETTINGS,
            **{k: v for k, v in asked.items() if k not in _IGNORED_AT_CREATION},
        },
    )
    _plan(sandbox, meeting, body)
    if meeting.type in NO_FIXED_TIME or meeting.settings.get("use_pmi"):
        meeting.settings["approval_type"] = 2
    sandbox.state.save_meeting(meeting)
    tell_created(sandbox, meeting)
    return meeting


def _plan(sandbox: Sandbox, meeting: Meeting, body: dict[str, Any]) -> None:
    """Settle start and dates: a missing or past start becomes now, and UTC."""
    details = meeting.details
    if meeting.type in NO_FIXED_TIME:
        details.pop("start_time", None)
        meeting.occurrences = []
        return
    now = sandbox.clock.now()
    start = now
    if "start_time" in details:
        # Only a time given just now can be local; the one kept is UTC.
        start = parse_time(details["start_time"], details["timezone"])
        if "start_time" in body and start < now:
            start = now
    details["start_time"] = format_time(start)
    if meeting.type not in RECURRING:
        meeting.occurrences = []
    elif {"start_time", "recurrence", "duration", "type"} & set(body):
        recurrence = details.get("recurrence", {"type": 1})
        meeting.occurrences = plan_occurrences(
            recurrence, start, details["timezone"], details["duration"]
        )


def get_meeting(call: Call) -> Answer:
    return Answer(200, describe_meeting(call.sandbox, call.find_meeting()))


def update_meeting(call: Call) -> Answer:
    meeting = call.find_meeting()
    call.sandbox.limits.count_host_change(meeting.host_id)
    occurrence_id = call.query.get("occurrence_id")
    if occurrence_id:
        _update_occurrence(meeting, occurrence_id, call.body)
        call.sandbox.state.save_meeting(meeting)
        tell_updated(call.sandbox, meeting, call.body, {}, scope="single")
    else:
        change_meeting(call.sandbox, meeting, _keep_approval_type(call, meeting))
    call.note("update", meeting)
    return Answer(204)


def _keep_approval_type(call: Call, meeting: Meeting) -> dict[str, Any]:
    """Drop `approval_type` silently where registration cannot be enabled (indico PR 315)."""
    settings = dict(call.body.get("settings", {}))
    start = meeting.starts_at
    if "start_time" in call.body:
        zone = call.body.get("timezone", meeting.details["timezone"])
        start = parse_time(call.body["start_time"], zone)
    is_future = start is not None and start > call.sandbox.clock.now()
    uses_personal_id = settings.get("use_pmi", meeting.settings.get("use_pmi"))
    if meeting.type in (*NO_FIXED_TIME, 9) or uses_personal_id or not is_future:
        settings.pop("approval_type", None)
    return {**call.body, "settings": settings}


def change_meeting(sandbox: Sandbox, meeting: Meeting, body: dict[str, Any]) -> None:
    """Apply a checked body and tell the webhook what changed."""
    settings = body.get("settings", {})
    changes = {name: value for name, value in body.items() if name not in _NOT_DETAILS}
    before: dict[str, Any] = {
        name: meeting.details[name] for name in changes if name in meeting.details
    }
    if settings:
        before["settings"] = {k: meeting.settings[k] for k in settings if k in meeting.settings}
    meeting.details.update(changes)
    meeting.settings.update(settings)
    _plan(sandbox, meeting, body)
    sandbox.state.save_meeting(meeting)
    after = {name: meeting.details[name] for name in changes if name in meeting.details}
    tell_updated(sandbox, meeting, {**after, "settings": settings}, before, scope="all")


def _update_occurrence(meeting: Meeting, occurrence_id: str, body: dict[str, Any]) -> None:
    occurrence = find_occurrence(meeting, occurrence_id)
    if "start_time" in body:
        zone = body.get("timezone", meeting.details["timezone"])
        occurrence["start_time"] = format_time(parse_time(body["start_time"], zone))
    occurrence["duration"] = body.get("duration", occurrence["duration"])


def find_occurrence(meeting: Meeting, occurrence_id: str) -> dict[str, Any]:
    for occurrence in meeting.occurrences:
        if occurrence["occurrence_id"] == occurrence_id and occurrence["status"] == "available":
            return occurrence
    raise invalid_occurrence("Invalid parameter: `occurrence_id`.")


def delete_meeting(call: Call) -> Answer:
    meeting = call.find_meeting()
    occurrence_id = call.query.get("occurrence_id")
    if occurrence_id:
        find_occurrence(meeting, occurrence_id)["status"] = "deleted"
        call.sandbox.state.save_meeting(meeting)
    else:
        call.sandbox.state.delete_meeting(meeting)
    tell_deleted(call.sandbox, meeting, operation="single" if occurrence_id else "all")
    call.note("delete_meeting", meeting)
    return Answer(204)


def describe_meeting(sandbox: Sandbox, meeting: Meeting) -> dict[str, Any]:
    host = sandbox.state.users[meeting.host_id]
    described = {
        **meeting.details,
        "id": meeting.id,
        "uuid": meeting.uuid,
        "host_id": host.id,
        "host_email": host.email,
        "created_at": meeting.created_at,
        "join_url": shared_url_of(sandbox, meeting),
        "start_url": f"{sandbox.base_url}/s/{meeting.id}?zak={secrets.token_urlsafe(24)}",
        "settings": meeting.settings,
        "creation_source": "open_api",
    }
    if meeting.kind == "meeting":
        described["status"] = "waiting"
    if meeting.type in RECURRING:
        described["occurrences"] = meeting.occurrences
    if meeting.has_registration:
        described["registration_url"] = f"{sandbox.base_url}/{meeting.kind}/register/{meeting.id}"
    return described


def _describe_briefly(sandbox: Sandbox, meeting: Meeting) -> dict[str, Any]:
    described = describe_meeting(sandbox, meeting)
    brief = {name: described[name] for name in _BRIEF if name in described}
    return {**brief, "agenda": brief["agenda"][:250]}


def _check_webinar_plan(kind: str, host: User) -> None:
    if kind == "webinar" and not host.has_webinars:
        raise webinar_plan_missing()
