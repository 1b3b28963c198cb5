"""Read an answer that is no success as one of the errors.

Zoom's `code` is not the HTTP status, one code serves several meanings (300, 404, 1001, 3000), and
no schema of errors is published, so the message decides between them. Codes and messages: Zoom's
API description (snapshot of 2026-08-09) and reports of integrators.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from outbound import HttpAnswer, MalformedAnswer, read_retry_after
from zoom_client import errors
from zoom_client.answers import read_whole


class _Refusal(NamedTuple):
    codes: tuple[int, ...]
    error: type[errors.ZoomError]
    says: str = ""


# The first row that fits wins.
_REFUSALS = (
    _Refusal((124,), errors.AuthenticationFailed),
    _Refusal((4711, 4700), errors.ScopeMissing),
    _Refusal((3027,), errors.HostCannotRegister),
    _Refusal((3034,), errors.WorkEmailRequired),
    _Refusal((3038,), errors.MeetingOver),
    _Refusal((3035, 3043), errors.AtCapacity),
    _Refusal((3079,), errors.RegistrantNotFound),
    _Refusal((12702,), errors.RecordExpired),
    _Refusal((200, 2306, 3161), errors.HostNotAllowed),
    _Refusal((1010, 1120), errors.HostNotFound),
    _Refusal((3001,), errors.MeetingNotFound),
    _Refusal((1001,), errors.ZoomAccountRequired, "zoom account"),
    # At its beginning alone: the user's address may hold the word too.
    _Refusal((1001,), errors.MeetingNotFound, r"^(meeting|webinar)\b"),
    _Refusal((1001,), errors.HostNotFound),
    _Refusal((300, 303), errors.BatchNotSupported, "only be used for scheduled|batch registration"),
    _Refusal((300,), errors.PageTokenExpired, "next page token"),
    _Refusal((300,), errors.MeetingNotFound, "invalid (meeting|webinar) id|webinar id does not"),
    _Refusal(
        (300, 404, 3000),
        errors.RegistrationDisabled,
        "registration has not been|not have registration|paid registration",
    ),
    _Refusal(
        (300, 404, 3000),
        errors.RegistrantNotFound,
        r"registrant\b.*\bnot (found|exist)|registrant id",
    ),
    _Refusal((3000,), errors.AlreadyPanelist, "as a panelist"),
    _Refusal((3000,), errors.AtCapacity, "limit for the number of attendees"),
)

_DAY_LIMITS = (
    ("registrant", errors.PersonDayLimited),
    ("create|update", errors.HostDayLimited),
    ("", errors.AccountDayLimited),
)
# What to wait where Zoom says nothing; the jitter is the caller's.
_BURST_WAIT = timedelta(seconds=1)
_UNKNOWN_LIMIT_WAIT = timedelta(minutes=1)
# Zoom's days end at 00:00 UTC, its counters and our clocks not to the second.
_RESET_MARGIN = timedelta(minutes=5)
# What Zoom says stands at the beginning, and some patterns cost the square of the length.
_SAID_MAX = 2000


def read_refusal(answer: HttpAnswer, *, method: str, path: str, now: datetime) -> errors.ZoomError:
    """Say what an answer other than 2xx means for the call that was made."""
    record = _read_body(answer)
    code = read_whole(record, "code")
    message = str(record.get("message") or f"Zoom answered HTTP {answer.status}")
    facts: dict[str, Any] = {
        "status": answer.status,
        "code": code,
        "tracking_id": answer.headers.get("x-zm-trackingid"),
        "retry_after": read_retry_after(answer.headers.get("Retry-After"), now),
    }
    if answer.status == 429 or code in (429, 4001):
        return _read_limit(message, answer, facts, now)
    if answer.status == 401 and code is None:
        return errors.AuthenticationFailed(message, **facts)
    if code is None or not 400 <= answer.status < 500 or answer.status == 408:
        return errors.ZoomOutcomeUnknown(message, may_have_happened=method != "GET", **facts)
    error = _read_code_and_message(code, message, record, path, facts)
    if isinstance(error, errors.MeetingNotFound) and path.startswith(("/past_", "/report/")):
        return errors.RecordNotFound(message, **facts)
    return error


def find_next_reset(now: datetime) -> datetime:
    """Return the first moment at which Zoom's daily caps are surely counted anew."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    reset = midnight + _RESET_MARGIN
    return reset if now < reset else reset + timedelta(days=1)


def _read_code_and_message(
    code: int, message: str, record: dict[str, Any], path: str, facts: dict[str, Any]
) -> errors.ZoomError:
    said = message[:_SAID_MAX].lower()
    if inaccessible := re.search("(?:can ?not|can't) access (webinar|meeting) info", said):
        is_asked_kind = re.match(rf"/(past_|report/)?{inaccessible[1]}s/", path)
        return (errors.MeetingNotFound if is_asked_kind else errors.WrongKind)(message, **facts)
    for row in _REFUSALS:
        if code in row.codes and re.search(row.says, said):
            if row.error is errors.ScopeMissing:
                return errors.ScopeMissing(message, scopes=_read_scopes(said), **facts)
            return row.error(message, **facts)
    if code == 300:
        return errors.ValidationFailed(message, fields=_read_fields(record), **facts)
    if facts["status"] == 401:
        return errors.AuthenticationFailed(message, **facts)
    if 404 in (code, facts["status"]) and re.search(r"/registrants/[^/]+$", path):
        return errors.RegistrantNotFound(message, **facts)
    return errors.ZoomRefused(message, **facts)


def _read_limit(
    message: str, answer: HttpAnswer, facts: dict[str, Any], now: datetime
) -> errors.RateLimited:
    said = message[:_SAID_MAX].lower()
    error: type[errors.RateLimited]
    if "daily" in said or answer.headers.get("X-RateLimit-Type") == "Daily-limit":
        error = next(error for word, error in _DAY_LIMITS if re.search(word, said))
        default = find_next_reset(now)
    elif "concurrent" in said:
        error, default = errors.ConcurrencyLimited, now + _BURST_WAIT
    elif "per-second" in said or answer.headers.get("X-RateLimit-Type") == "QPS":
        error, default = errors.BurstLimited, now + _BURST_WAIT
    else:
        error, default = errors.RateLimited, now + _UNKNOWN_LIMIT_WAIT
    named: datetime | None = facts["retry_after"]
    return error(message, **facts | {"retry_after": named if named and named > now else default})


def _read_body(answer: HttpAnswer) -> dict[str, Any]:
    try:
        return answer.json_object()
    except MalformedAnswer:
        return {}


def _read_scopes(message: str) -> tuple[str, ...]:
    listed = re.search(r"\[([^\]]*)\]", message)
    return tuple(re.findall(r"[\w:]+", listed[1])) if listed else ()


def _read_fields(record: dict[str, Any]) -> tuple[errors.FieldError, ...]:
    rows = record.get("errors")
    return tuple(
        errors.FieldError(str(row.get("field") or ""), str(row.get("message") or ""))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    )
