"""Who may register for a meeting, and what a registration becomes: the rules of Zoom's form too."""

import secrets
from collections.abc import Sequence
from typing import Any

from zoom_sandbox.answers import (
    FieldError,
    at_capacity,
    host_cannot_register,
    is_over,
    needs_zoom_account,
    paid_users_only,
    registration_off,
    stays_denied,
    validation_failed,
    webinar_plan_missing,
)
from zoom_sandbox.clock import format_time
from zoom_sandbox.notifications import tell_registered, tell_status
from zoom_sandbox.records import Meeting, Registrant, email_key
from zoom_sandbox.sandbox import Sandbox

# Two ranges come back under other names than they were sent with.
_RANGES_WHEN_READ = {"101-500": "101-250", "500-1,000": "501-1,000"}
_ENDS_AS = {"approve": "approved", "cancel": "denied", "deny": "denied"}


def check_registration_open(sandbox: Sandbox, meeting: Meeting, action: str) -> None:
    """Refuse where nobody at all can register for this meeting."""
    host = sandbox.state.users[meeting.host_id]
    if meeting.kind == "webinar" and not host.has_webinars:
        raise webinar_plan_missing()
    if host.type != 2:
        raise paid_users_only(host.id)
    if not meeting.has_registration:
        raise registration_off(meeting.kind, meeting.id, action)
    if meeting.ends_at is not None and meeting.ends_at < sandbox.clock.now():
        raise is_over(meeting.kind)


def check_answers(meeting: Meeting, profile: dict[str, Any]) -> None:
    """Refuse a registration that leaves a required question of Zoom's form unanswered."""
    titles = {answer["title"] for answer in profile.get("custom_questions", [])}
    errors = [
        FieldError(question["field_name"], "Required.")
        for question in meeting.questions.get("questions", [])
        if question.get("required") and not profile.get(question["field_name"])
    ]
    errors += [
        FieldError("custom_questions", f"Required: {question['title']}")
        for question in meeting.questions.get("custom_questions", [])
        if question.get("required") and question["title"] not in titles
    ]
    if errors:
        raise validation_failed(errors)


def register(
    sandbox: Sandbox,
    meeting: Meeting,
    email: str,
    profile: dict[str, Any],
    *,
    auto_approve: bool,
    occurrence_ids: Sequence[str] = (),
    source_id: str = "",
) -> tuple[Registrant, str]:
    """Add a person to an open meeting; return the registrant and what happened.

    `repeat`: the address was there already, approved or pending; it keeps its id, link and
    status, and takes the new name. `add`: it is new. Whoever was denied or cancelled is refused.
    Whether `auto_approve` lifts somebody pending is not known, nor whether a repeat adds dates;
    here neither does. Whose dates have all been deleted is new.
    """
    _check_person(sandbox, meeting, email)
    known = sandbox.state.find_registrant(meeting, email)
    if known and known.occurrence_ids and not meeting.list_dates(known):
        sandbox.state.delete_registrant(known)
        known = None
    if known:
        if known.status == "denied":
            raise stays_denied()
        known.profile |= {k: profile[k] for k in ("first_name", "last_name") if k in profile}
        sandbox.state.save_registrant(known)
        return known, "repeat"
    if _is_full(sandbox, meeting, occurrence_ids):
        raise at_capacity(meeting.kind, "add_registrant")
    is_approved = meeting.settings["approval_type"] == 0 or auto_approve
    registrant = Registrant(
        id=secrets.token_urlsafe(16),
        meeting_id=meeting.id,
        email=email,
        profile=_as_kept(meeting, profile),
        status="approved" if is_approved else "pending",
        token=secrets.token_urlsafe(32),
        pin_code=100_000 + secrets.randbelow(900_000),
        created_at=format_time(sandbox.clock.now()),
        occurrence_ids=list(occurrence_ids),
        source_id=source_id,
    )
    sandbox.state.save_registrant(registrant)
    tell_registered(sandbox, meeting, registrant, join_url_of(sandbox, meeting, registrant))
    return registrant, "add"


def _is_full(sandbox: Sandbox, meeting: Meeting, dates: Sequence[str]) -> bool:
    """Tell whether one of some dates takes nobody more: Zoom's limit is one of each date."""
    count = sandbox.state.count_approved
    return any(count(meeting, date) >= meeting.seats for date in dates or [""])


def _check_person(sandbox: Sandbox, meeting: Meeting, email: str) -> None:
    host = sandbox.state.users[meeting.host_id]
    if email_key(email) in {email_key(host.email), *meeting.alternative_hosts}:
        raise host_cannot_register()
    if meeting.settings["meeting_authentication"] and not sandbox.state.get_user(email):
        raise needs_zoom_account()


def _as_kept(meeting: Meeting, profile: dict[str, Any]) -> dict[str, Any]:
    """Drop answers to questions the form does not have: Zoom matches them by title."""
    kept = dict(profile)
    if "custom_questions" in kept:
        titles = {question["title"] for question in meeting.questions.get("custom_questions", [])}
        kept["custom_questions"] = [a for a in kept["custom_questions"] if a["title"] in titles]
    if kept.get("no_of_employees") in _RANGES_WHEN_READ:
        kept["no_of_employees"] = _RANGES_WHEN_READ[kept["no_of_employees"]]
    return kept


def change_status(
    sandbox: Sandbox,
    meeting: Meeting,
    registrant: Registrant,
    action: str,
    *,
    occurrence_id: str = "",
) -> str | None:
    """Approve, cancel or deny, for one date or all; return the action, None if nothing changed."""
    status = _ENDS_AS[action]
    if registrant.on_date(occurrence_id).status == status:
        return None
    dates = [occurrence_id] if occurrence_id else registrant.occurrence_ids
    if status == "approved" and _is_full(sandbox, meeting, dates):
        raise at_capacity(meeting.kind, "set_status")
    if occurrence_id:
        registrant.statuses[occurrence_id] = status
    else:
        registrant.status = status
        registrant.statuses.clear()
    sandbox.state.save_registrant(registrant)
    tell_status(sandbox, meeting, registrant, action, join_url_of(sandbox, meeting, registrant))
    return action


def join_url_of(sandbox: Sandbox, meeting: Meeting, registrant: Registrant) -> str:
    """Build the personal link; empty for whoever is not approved."""
    if registrant.status != "approved":
        return ""
    link = (
        f"{sandbox.base_url}/w/{meeting.id}?tk={registrant.token}&pwd={meeting.embedded_passcode}"
    )
    return link if meeting.kind == "meeting" else f"{link}&uuid=WN_{registrant.id}"
