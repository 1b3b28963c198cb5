"""The calls the sandbox knows, with Zoom's names, rate-limit labels and scopes."""

from collections.abc import Callable

from zoom_sandbox.answers import Answer
from zoom_sandbox.attendance import (
    get_past_meeting,
    list_instances,
    list_participants,
    report_participants,
)
from zoom_sandbox.calls import Call, Operation
from zoom_sandbox.meetings import (
    create_meeting,
    delete_meeting,
    get_meeting,
    list_meetings,
    update_meeting,
)
from zoom_sandbox.oauth import token
from zoom_sandbox.questions import get_questions, set_questions
from zoom_sandbox.registrants import (
    add_batch,
    add_registrant,
    delete_registrant,
    get_registrant,
    list_registrants,
    set_status,
)
from zoom_sandbox.users import get_user, list_users

_OF_HOST = "/v2/users/<user_id>/{kind}s"
_ONE = "/v2/{kind}s/<meeting_id>"
_PEOPLE = _ONE + "/registrants"
_PERSON = _PEOPLE + "/<registrant_id>"
_STATUS = _PEOPLE + "/status"
_BATCH = _ONE + "/batch_registrants"
_QUESTIONS = _PEOPLE + "/questions"
_PAST = "/v2/past_{kind}s/<meeting_id>"
_REPORT = "/v2/report/{kind}s/<meeting_id>/participants"

_Row = tuple[str, str, str, Callable[[Call], Answer], str]

# Zoom's operationId for meetings and for webinars: method, path, label, handler, scope
_ROWS: dict[tuple[str, str], _Row] = {
    ("meetings", "webinars"): ("GET", _OF_HOST, "MEDIUM", list_meetings, "read:list_{kind}s"),
    ("meetingCreate", "webinarCreate"): (
        ("POST", _OF_HOST, "LIGHT", create_meeting, "write:{kind}")
    ),
    ("meeting", "webinar"): ("GET", _ONE, "LIGHT", get_meeting, "read:{kind}"),
    ("meetingUpdate", "webinarUpdate"): (("PATCH", _ONE, "LIGHT", update_meeting, "update:{kind}")),
    ("meetingDelete", "webinarDelete"): (
        ("DELETE", _ONE, "LIGHT", delete_meeting, "delete:{kind}")
    ),
    ("meetingRegistrants", "webinarRegistrants"): (
        ("GET", _PEOPLE, "MEDIUM", list_registrants, "read:list_registrants")
    ),
    ("meetingRegistrantCreate", "webinarRegistrantCreate"): (
        ("POST", _PEOPLE, "LIGHT", add_registrant, "write:registrant")
    ),
    ("addBatchRegistrants", "addBatchWebinarRegistrants"): (
        ("POST", _BATCH, "HEAVY", add_batch, "write:batch_registrants")
    ),
    ("meetingRegistrantStatus", "webinarRegistrantStatus"): (
        ("PUT", _STATUS, "MEDIUM", set_status, "update:registrant_status")
    ),
    ("meetingRegistrantGet", "webinarRegistrantGet"): (
        ("GET", _PERSON, "LIGHT", get_registrant, "read:registrant")
    ),
    ("meetingregistrantdelete", "deleteWebinarRegistrant"): (
        ("DELETE", _PERSON, "LIGHT", delete_registrant, "delete:registrant")
    ),
    ("meetingRegistrantsQuestionsGet", "webinarRegistrantsQuestionsGet"): (
        ("GET", _QUESTIONS, "LIGHT", get_questions, "read:list_registration_questions")
    ),
    ("meetingRegistrantQuestionUpdate", "webinarRegistrantQuestionUpdate"): (
        ("PATCH", _QUESTIONS, "LIGHT", set_questions, "update:registration_question")
    ),
    ("pastMeetingParticipants", "listWebinarParticipants"): (
        ("GET", f"{_PAST}/participants", "MEDIUM", list_participants, "read:list_past_participants")
    ),
    ("reportMeetingParticipants", "reportWebinarParticipants"): (
        ("GET", _REPORT, "HEAVY", report_participants, "report:read:list_{kind}_participants")
    ),
}
# What only one kind has, or costs more than with the other.
_OF_ONE_KIND = (
    ("pastMeetings", "meeting", "/instances", list_instances, "MEDIUM", "list_past_instances"),
    ("pastWebinars", "webinar", "/instances", list_instances, "LIGHT", "list_past_instances"),
    ("pastMeetingDetails", "meeting", "", get_past_meeting, "LIGHT", "past_meeting"),
)

TOKEN = Operation("token", "app", "POST", "/oauth/token", token)

OPERATIONS = (
    Operation("user", "user", "GET", "/v2/users/<user_id>", get_user, "LIGHT", "user:read:user"),
    Operation("users", "user", "GET", "/v2/users", list_users, "MEDIUM", "user:read:list_users"),
    *(
        Operation(
            name,
            kind,
            "GET",
            _PAST.format(kind=kind) + rest,
            handler,
            label,
            f"{kind}:read:{scope}",
        )
        for name, kind, rest, handler, label, scope in _OF_ONE_KIND
    ),
    *(
        Operation(
            name,
            kind,
            method,
            path.format(kind=kind),
            handler,
            label,
            ("" if scope.startswith("report:") else f"{kind}:") + scope.format(kind=kind),
        )
        for names, (method, path, label, handler, scope) in _ROWS.items()
        for name, kind in zip(names, ("meeting", "webinar"), strict=True)
    ),
)

ALL_SCOPES = {f"{operation.scope}:admin" for operation in OPERATIONS}
