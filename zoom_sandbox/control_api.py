"""The strings behind the scenes: `/control/`, for tests and for people on this machine only."""

from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from zoom_sandbox.answers import Refused
from zoom_sandbox.clock import parse_time
from zoom_sandbox.faults import Fault, to_response
from zoom_sandbox.holding import hold
from zoom_sandbox.meetings import change_meeting, describe_meeting, make_meeting
from zoom_sandbox.operations import OPERATIONS, TOKEN
from zoom_sandbox.records import Meeting, User
from zoom_sandbox.registration import change_status, register
from zoom_sandbox.sandbox import current_sandbox
from zoom_sandbox.webhooks import DELIVERIES

bp = Blueprint("control", __name__, url_prefix="/control")

_DONE = ("", 204)
_NAMES_OF_CALLS = {"", *(name for o in (*OPERATIONS, TOKEN) for name in (o.action, o.name))}


@bp.before_request
def refuse_strangers() -> None:
    if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - compared only
        abort(404)


@bp.errorhandler(HTTPException)
def answer_http_error(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=error.description), error.code or 500


@bp.errorhandler(Refused)
def answer_refusal(refusal: Refused) -> Response:
    return to_response(refusal.answer)


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        abort(400, "Expected a JSON object.")
    return body


def _meeting(meeting_id: int) -> Meeting:
    meeting = current_sandbox().state.meetings.get(meeting_id)
    if meeting is None:
        abort(404, "No such meeting.")
    return meeting


@bp.get("/state")
def show_state() -> Response:
    sandbox = current_sandbox()
    with sandbox.lock:
        return jsonify(
            now=sandbox.clock.now().isoformat(),
            faults=[asdict(fault) for fault in sandbox.faults.waiting()],
            scopes=sorted(sandbox.credentials.scopes),
            used_today=sandbox.limits.used_today,
            **sandbox.state.as_json(),
        )


@bp.get("/journal")
def show_journal() -> Response:
    """List the journal, narrowed by any of its own keys in the query."""
    sandbox = current_sandbox()
    with sandbox.lock:
        entries = [
            entry
            for entry in sandbox.state.journal
            if all(str(entry.get(key)) == value for key, value in request.args.items())
        ]
    return jsonify(entries)


@bp.post("/reset")
def reset() -> tuple[str, int]:
    sandbox = current_sandbox()
    _body()
    with sandbox.lock:
        sandbox.reset()
    return _DONE


@bp.post("/faults")
def add_fault() -> tuple[str, int]:
    sandbox = current_sandbox()
    try:
        fault = Fault(**_body())
    except (TypeError, ValueError) as error:
        abort(400, str(error))
    if fault.operation not in _NAMES_OF_CALLS:
        abort(400, f"no call is named {fault.operation!r}")
    with sandbox.lock:
        sandbox.faults.add(fault)
    return _DONE


@bp.delete("/faults")
def clear_faults() -> tuple[str, int]:
    sandbox = current_sandbox()
    with sandbox.lock:
        sandbox.faults.clear()
    return _DONE


@bp.delete("/tokens")
def expire_tokens() -> tuple[str, int]:
    sandbox = current_sandbox()
    with sandbox.lock:
        sandbox.credentials.expire_tokens()
    return _DONE


@bp.put("/credentials")
def change_credentials() -> tuple[str, int]:
    """Take `revoked` (the secret is no longer accepted), `scopes` (all that is granted), or another
    `client_secret`, with which the tokens of the former one end.
    """
    sandbox = current_sandbox()
    body = _body()
    with sandbox.lock:
        credentials = sandbox.credentials
        credentials.is_revoked = bool(body.get("revoked", credentials.is_revoked))
        credentials.scopes = set(body.get("scopes", credentials.scopes))
        if "client_secret" in body:
            credentials.client_secret = body["client_secret"]
            credentials.expire_tokens()
    return _DONE


@bp.put("/clock")
def change_clock() -> tuple[str, int]:
    """Take `seconds` to move by, or `at`, the time it shall be now."""
    sandbox = current_sandbox()
    body = _body()
    with sandbox.lock:
        if "at" in body:
            sandbox.clock.set_to(parse_time(body["at"]))
        sandbox.clock.move(body.get("seconds", 0))
    return _DONE


@bp.put("/limits")
def change_limits() -> tuple[str, int]:
    """Take `enforced`, and `used_today`, counts by the keys that the state shows."""
    sandbox = current_sandbox()
    body = _body()
    with sandbox.lock:
        sandbox.limits.enforced = bool(body.get("enforced", sandbox.limits.enforced))
        for key, count in body.get("used_today", {}).items():
            sandbox.limits.used_today[key] = count
    return _DONE


@bp.post("/users")
def add_user() -> tuple[str, int]:
    sandbox = current_sandbox()
    try:
        user = User(**_body())
    except TypeError as error:
        abort(400, str(error))
    with sandbox.lock:
        sandbox.state.save_user(user)
    return _DONE


@bp.post("/meetings")
def add_meeting() -> tuple[Response, int]:
    """Take Zoom's body for creating, and beside it `kind` and `host`; settings apply in full."""
    sandbox = current_sandbox()
    body = _body()
    kind = body.pop("kind", "meeting")
    with sandbox.lock:
        host = sandbox.state.get_user(body.pop("host", sandbox.settings.host_email))
        if host is None:
            abort(404, "No such host.")
        meeting = make_meeting(sandbox, kind, host, body)
        meeting.settings.update(body.get("settings", {}))
        sandbox.state.save_meeting(meeting)
        return jsonify(describe_meeting(sandbox, meeting)), 201


@bp.patch("/meetings/<int:meeting_id>")
def update_meeting(meeting_id: int) -> tuple[str, int]:
    """Change what a host would change in Zoom's own pages: any detail, settings, and `capacity`,
    `kind` (converted to the other one) or `uuid`."""
    sandbox = current_sandbox()
    body = _body()
    with sandbox.lock:
        meeting = _meeting(meeting_id)
        for name in {"capacity", "kind", "uuid"} & body.keys():
            setattr(meeting, name, body.pop(name))
        change_meeting(sandbox, meeting, body)
    return _DONE


@bp.post("/meetings/<int:meeting_id>/registrants")
def add_registrant(meeting_id: int) -> tuple[Response, int]:
    """Register somebody behind the API's back, with the `status` given."""
    sandbox = current_sandbox()
    profile = _body()
    email = profile.pop("email")
    status = profile.pop("status", "approved")
    with sandbox.lock:
        meeting = _meeting(meeting_id)
        registrant, _ = register(
            sandbox, meeting, email, {"first_name": email, **profile}, auto_approve=True
        )
        registrant.status = status
        sandbox.state.save_registrant(registrant)
    return jsonify(asdict(registrant)), 201


@bp.put("/meetings/<int:meeting_id>/registrants/status")
def change_registrant(meeting_id: int) -> tuple[str, int]:
    """Take `email` and `action`, as the host would act in Zoom's own pages."""
    sandbox = current_sandbox()
    body = _body()
    with sandbox.lock:
        meeting = _meeting(meeting_id)
        registrant = sandbox.state.find_registrant(meeting, body["email"])
        if registrant is None:
            abort(404, "No such registrant.")
        change_status(sandbox, meeting, registrant, body["action"])
    return _DONE


@bp.post("/meetings/<int:meeting_id>/instances")
def hold_meeting(meeting_id: int) -> tuple[Response, int]:
    """Let a meeting have been held, as `holding.hold` describes."""
    sandbox = current_sandbox()
    body = _body()
    with sandbox.lock:
        meeting = _meeting(meeting_id)
        try:
            instance = hold(sandbox, meeting, body)
        except (KeyError, TypeError, ValueError) as error:
            abort(400, f"{type(error).__name__}: {error}")
    return jsonify(asdict(instance)), 201


@bp.get("/webhooks")
def show_webhooks() -> Response:
    """List what was posted, once everything queued has been."""
    sandbox = current_sandbox()
    sandbox.webhooks.wait()
    return jsonify(sandbox.webhooks.sent)


@bp.put("/webhooks")
def change_webhooks() -> tuple[str, int]:
    """Take `url`, `secret`, and `delivery`: send, drop, twice or hold."""
    sandbox = current_sandbox()
    body = _body()
    if body.get("delivery", "send") not in DELIVERIES:
        abort(400, f"delivery is one of {', '.join(DELIVERIES)}")
    if not all(isinstance(value, str) for value in body.values()):
        abort(400, "url, secret and delivery are texts")
    with sandbox.lock:
        for name in {"url", "secret", "delivery"} & body.keys():
            setattr(sandbox.webhooks, name, body[name])
    return _DONE


@bp.post("/webhooks/release")
def release_webhooks() -> tuple[str, int]:
    sandbox = current_sandbox()
    _body()
    with sandbox.lock:
        sandbox.webhooks.release()
    return _DONE


@bp.post("/webhooks/challenge")
def challenge_webhook() -> Response:
    return jsonify(current_sandbox().webhooks.challenge(_body()["plain_token"]))
