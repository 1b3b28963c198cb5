"""What Zoom answers: a status with a body, and every refusal with its code and wording.

Codes and texts follow Zoom's published API description (snapshot of 2026-08-09); where that is
silent, what integrators report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """A status and the JSON body that goes with it; a body of None is an empty one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass(frozen=True)
class FieldError:
    field: str
    message: str


class Refused(Exception):
    """Zoom does not do what was asked."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.errors = tuple(errors)
        body: dict[str, Any] = {"code": code, "message": message}
        if errors:
            body["errors"] = [{"field": e.field, "message": e.message} for e in errors]
        self.answer = Answer(status, body, dict(headers or {}))


def validation_failed(errors: Sequence[FieldError]) -> Refused:
    return Refused(400, 300, "Validation Failed.", errors=errors)


def invalid_occurrence(message: str) -> Refused:
    return validation_failed([FieldError("occurrence_id", message)])


def missing_scopes(scope: str) -> Refused:
    return Refused(
        400, 4711, f"Invalid access token, does not contain scopes:[{scope}, {scope}:admin]."
    )


def user_missing(user_id: str) -> Refused:
    return Refused(404, 1001, f"User does not exist: {user_id}.")


def meeting_missing(kind: str, meeting_id: str) -> Refused:
    return Refused(404, 3001, f"{kind.capitalize()} does not exist: {meeting_id}.")


def too_old(kind: str) -> Refused:
    return Refused(400, 12702, f"Can not access a {kind} a year ago.")


def wrong_kind(asked: str) -> Refused:
    """Say that the id belongs to the other kind; the two paths say it differently."""
    if asked == "meeting":
        return Refused(400, 3000, "Cannot access webinar info.")
    return Refused(400, 300, "Invalid webinar ID.")


def registration_off(kind: str, meeting_id: int, action: str) -> Refused:
    """Say that registration is not enabled, in one of the five ways Zoom has for it."""
    text = f"Registration has not been enabled for this {kind}: {meeting_id}."
    if kind == "meeting":
        if action == "delete_registrant":
            return Refused(400, 300, text)
        return Refused(400 if action == "add_batch" else 404, 404, text)
    if action == "set_status":
        return Refused(
            400, 300, f"Registration has not been enabled for this meeting: {meeting_id}."
        )
    if action == "add_registrant":
        text = f"This webinar does not have registration as required: {meeting_id}."
    return Refused(400, 3000, text)


def is_over(kind: str) -> Refused:
    name = kind.capitalize()
    return Refused(
        400,
        3038,
        f"{name} is over, you can not register now. "
        f"If you have any questions, please contact the {name} host.",
    )


def at_capacity(kind: str, action: str) -> Refused:
    code = 3035 if kind == "webinar" and action == "set_status" else 3043
    return Refused(400, code, f"{kind.capitalize()} has reached maximum attendee capacity.")


def host_cannot_register() -> Refused:
    return Refused(400, 3027, "Host can not register.")


def needs_zoom_account() -> Refused:
    return Refused(400, 1001, "The email address has not been used as a Zoom account.")


def stays_denied() -> Refused:
    """Refuse to add someone denied or cancelled before; Zoom's own code is not known."""
    return Refused(400, 3000, "This registrant has been denied and cannot register again.")


def paid_users_only(user_id: str) -> Refused:
    return Refused(400, 200, f"Only available for paid users: {user_id}.")


def webinar_plan_missing() -> Refused:
    return Refused(
        400,
        200,
        "Webinar plan is missing. You must subscribe to the webinar plan and enable webinars "
        "for this user in order to perform this action.",
    )


def batch_wrong_type(kind: str) -> Refused:
    if kind == "meeting":
        return Refused(
            400,
            303,
            "This API can only be used for scheduled meeting(meeting type: 2). "
            "Batch registration is not supported for other meeting types.",
        )
    return Refused(
        400,
        300,
        "This API can only be used for scheduled webinars (type 5). "
        "Batch registration is not supported for other webinar types.",
    )


def registrant_missing(kind: str, registrant_id: str, action: str) -> Refused:
    if action == "get_registrant":
        return Refused(400, 3079, f"This registrant does not exist: {registrant_id}.")
    if kind == "meeting":
        return Refused(
            400,
            300,
            "The value that you entered for the Registrant ID field is invalid. "
            "Enter a valid value and try again.",
        )
    return Refused(400, 3000, f"Registrant {registrant_id} was not found.")


def stale_page_token() -> Refused:
    return Refused(400, 300, "The next page token is invalid or expired.")


# What no state of the sandbox brings about; a fault asks for it by name.
NAMED_REFUSALS = {
    "panelist": Refused(
        400,
        3000,
        "You have been invited as a panelist for the webinar, please check your email to find "
        "more information about the webinar.",
    ),
    "attendee_limit": Refused(
        400,
        3000,
        "You have reached the limit for the number of attendees you can add. Contact Zoom Support "
        "for more information.",
    ),
    "paid_registration": Refused(
        400, 3000, "The Zoom REST API does not support paid registration."
    ),
    "no_access": Refused(400, 3000, "Cannot access meeting info."),
    "work_email": Refused(
        400, 3034, "If you have been invited, please input your work email address."
    ),
    "host_not_allowed": Refused(
        400,
        3161,
        "Meeting hosting and scheduling capabilities are not allowed for your user account.",
    ),
    "schedules_hidden": Refused(403, 2306, "Not allowed to view meetings scheduled for others."),
    "concurrent": Refused(429, 429, "Too many concurrent requests."),
}
