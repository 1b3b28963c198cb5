"""Answer Zoom's API: one path for all calls, from token to journal."""

import json
import re
import secrets
import time
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from zoom_sandbox.answers import (
    Answer,
    Refused,
    meeting_missing,
    missing_scopes,
    validation_failed,
)
from zoom_sandbox.calls import Call, Operation
from zoom_sandbox.faults import NO_FAULT, to_response
from zoom_sandbox.journal import record_call
from zoom_sandbox.operations import OPERATIONS, TOKEN
from zoom_sandbox.sandbox import current_sandbox
from zoom_sandbox.schemas import BODIES, QUERIES
from zoom_sandbox.validation import record

bp = Blueprint("api", __name__)


def answer_call(operation: Operation, **path: str) -> Response:
    """Play one call: its fault and delays, then limits, checks and effect, then the journal."""
    sandbox = current_sandbox()
    call = Call(
        sandbox=sandbox,
        operation=operation,
        path=path,
        query=request.args.to_dict(),
        body=_read_body(),
        fault=NO_FAULT,
    )
    with sandbox.lock:
        call.fault = sandbox.faults.pick(call)
    time.sleep(sandbox.settings.latency_seconds + call.fault.delay_before)
    with sandbox.lock:
        answer = Answer(502) if call.fault.when == "before" else _perform(call)
        answer = call.fault.spoil(answer)
        answer.headers["x-zm-trackingid"] = f"v=2.0;clid=sandbox;rid=WEB_{secrets.token_hex(16)}"
        record_call(call, answer, was_heard=call.fault.does != "close")
    time.sleep(call.fault.delay_after)
    return call.fault.send(answer)


def _perform(call: Call) -> Answer:
    headers: dict[str, str] = {}
    try:
        if call.operation is not TOKEN:
            headers = _authorise(call)
            _check(call)
        answer = call.operation.handler(call)
    except Refused as refusal:
        answer = refusal.answer
    # A refusal by a limit brings its own headers, and the caps leave some out.
    answer.headers = answer.headers or headers
    return answer


def _authorise(call: Call) -> dict[str, str]:
    scopes = call.sandbox.credentials.read_bearer(request.headers.get("Authorization", ""))
    if scopes.isdisjoint(call.operation.accepted_scopes):
        raise missing_scopes(call.operation.scope)
    return call.sandbox.limits.count_call(call.operation.label)


def _check(call: Call) -> None:
    check_query = QUERIES.get((call.kind, call.action), record({}))
    errors = list(check_query(call.query, ""))
    check_body = BODIES.get((call.kind, call.action))
    if check_body:
        if not isinstance(call.body, dict):
            raise Refused(400, 300, "Request Body should be a valid JSON object.")
        errors += check_body(call.body, "")
    if errors:
        raise validation_failed(errors)


def _read_body() -> Any:
    """Return what was sent, or None where it is no JSON, or text that nobody can write again."""
    try:
        body = request.get_json(silent=True) if request.is_json else None
        json.dumps(body, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return None
    return body


@bp.route("/v2/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def answer_unknown(path: str) -> Response:
    """Answer what no operation matches; a UUID that had to be encoded twice ends up here."""
    try:
        current_sandbox().credentials.read_bearer(request.headers.get("Authorization", ""))
    except Refused as refusal:
        return to_response(refusal.answer)
    of_a_meeting = re.match("(?:past_|report/)?(meeting|webinar)s/(.*)", path)
    if of_a_meeting:
        return to_response(meeting_missing(*of_a_meeting.groups()).answer)
    return to_response(
        Answer(404, {"code": 2300, "message": "This API endpoint is not recognized."})
    )


for operation in (*OPERATIONS, TOKEN):
    bp.add_url_rule(
        operation.path,
        operation.name,
        partial(answer_call, operation),
        methods=[operation.method],
    )
