"""The pages people see: what "Zoom" knows, its own registration form, and where a link leads."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request

from zoom_sandbox.answers import FieldError, Refused
from zoom_sandbox.clock import parse_time
from zoom_sandbox.journal import record_visit
from zoom_sandbox.records import Meeting, Registrant
from zoom_sandbox.registration import (
    check_answers,
    check_registration_open,
    join_url_of,
    register,
)
from zoom_sandbox.sandbox import Sandbox, current_sandbox
from zoom_sandbox.schemas import BODIES

bp = Blueprint("pages", __name__)

_ROWS_SHOWN = 50
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"


@bp.after_request
def protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.app_template_filter("local")
def write_local(moment: str | None, timezone: str) -> str:
    """Write one of Zoom's times for people, in the meeting's own zone: 2026-12-10 14:00 JST."""
    if not moment:
        return "no fixed time"
    return f"{parse_time(moment).astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M %Z}"


@bp.get("/")
def show_overview() -> str:
    sandbox = current_sandbox()
    with sandbox.lock:
        meetings = [
            {
                "meeting": meeting,
                "registrants": [
                    (person, join_url_of(sandbox, meeting, person))
                    for person in sandbox.state.list_registrants(meeting)[:_ROWS_SHOWN]
                ],
                "count": len(sandbox.state.list_registrants(meeting)),
                "held": sandbox.state.list_instances(meeting.id),
            }
            for meeting in sandbox.state.meetings.values()
        ]
        return render_template(
            "overview.html",
            meetings=meetings,
            entries=sandbox.state.journal[: -_ROWS_SHOWN - 1 : -1],
            sandbox=sandbox,
        )


@bp.get("/w/<int:meeting_id>")
def enter_by_personal_link(meeting_id: int) -> tuple[str, int]:
    """Say who would enter which room, or why not."""
    sandbox = current_sandbox()
    with sandbox.lock:
        meeting = sandbox.state.meetings.get(meeting_id)
        token = request.args.get("tk", "")
        person = _find_by_token(sandbox, meeting, token) if meeting else None
        if meeting is None or person is None:
            return _explain("This link is not valid", "Zoom does not know it, or no longer."), 404
        if person.status != "approved":
            text = f"{person.email} is {person.status} and cannot enter this room."
            return _explain("Not approved", text), 403
        if request.args.get("pwd") != meeting.embedded_passcode:
            text = "The passcode was changed after this link was made. Ask for the new link."
            return _explain("This link is out of date", text), 403
        record_visit(sandbox, "enter", meeting, person, None)
        return render_template("room.html", meeting=meeting, person=person), 200


def _find_by_token(sandbox: Sandbox, meeting: Meeting, token: str) -> Registrant | None:
    people = sandbox.state.list_registrants(meeting)
    return next((person for person in people if person.token == token), None)


@bp.get("/j/<int:meeting_id>")
def enter_by_shared_link(meeting_id: int) -> tuple[str, int]:
    sandbox = current_sandbox()
    with sandbox.lock:
        meeting = sandbox.state.meetings.get(meeting_id)
    if meeting is None:
        return _explain("This link is not valid", "Zoom does not know this meeting."), 404
    if meeting.has_registration:
        return _explain("Registration required", "This link alone does not open the room."), 403
    return render_template("room.html", meeting=meeting, person=None), 200


@bp.route("/meeting/register/<int:meeting_id>", methods=["GET", "POST"])
@bp.route("/webinar/register/<int:meeting_id>", methods=["GET", "POST"])
def show_registration_form(meeting_id: int) -> tuple[str, int]:
    """Play Zoom's own public form, which stays open to anybody who has its address."""
    sandbox = current_sandbox()
    with sandbox.lock:
        meeting = sandbox.state.meetings.get(meeting_id)
        if meeting is None:
            return _explain("This page is not valid", "Zoom does not know this meeting."), 404
        try:
            check_registration_open(sandbox, meeting, "add_registrant")
        except Refused as refusal:
            return _explain("Registration is closed", str(refusal)), 403
        if request.method == "GET":
            return render_template("register.html", meeting=meeting, given={}, problem=""), 200
        return _register(sandbox, meeting)


def _register(sandbox: Sandbox, meeting: Meeting) -> tuple[str, int]:
    given = {name: value.strip() for name, value in request.form.items()}
    body = _read_form(meeting, given)
    errors = list(BODIES[(meeting.kind, "add_registrant")](body, ""))
    problem = _name(errors)
    if not problem:
        profile = {name: value for name, value in body.items() if name != "email"}
        try:
            check_answers(meeting, profile)
            person, effect = register(sandbox, meeting, body["email"], profile, auto_approve=False)
        except Refused as refusal:
            problem = _name(refusal.errors) or str(refusal)
    if problem:
        page = render_template("register.html", meeting=meeting, given=given, problem=problem)
        return page, 400
    record_visit(sandbox, "public_form", meeting, person, effect)
    if person.status == "approved":
        return _explain("Registered", "Zoom would now mail the link to join."), 200
    return _explain("Registration pending", "The host has to approve it first."), 200


def _read_form(meeting: Meeting, given: dict[str, str]) -> dict[str, Any]:
    """Make of the form's fields what an app would send; what was left empty is left out."""
    asked = {question["field_name"] for question in meeting.questions.get("questions", [])}
    body: dict[str, Any] = {name: given.get(name, "") for name in ("first_name", "email")}
    body |= {name: given[name] for name in {"last_name", *asked} if given.get(name)}
    answers = [
        {"title": question["title"], "value": given[f"custom:{question['title']}"]}
        for question in meeting.questions.get("custom_questions", [])
        if given.get(f"custom:{question['title']}")
    ]
    return body | ({"custom_questions": answers} if answers else {})


def _name(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{error.field}: {error.message}" for error in errors)


def _explain(title: str, text: str) -> str:
    return render_template("message.html", title=title, text=text)
