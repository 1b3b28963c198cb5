"""What was kept aside as suspicious: the organizer says whether it is a person."""

from __future__ import annotations

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from services import audit
from services.audit import Action
from services.dates import format_short
from services.events import read_link_policy
from services.members import Member, Permission
from services.registrations import NotHeld, RegistrationNotOpen, drop, release
from services.submissions import Doubt
from services.texts import write_full_name
from storage import submissions

from ..locale import read_locale
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event

MOST = 200


@bp.get("/events/<event>/held", endpoint="list_held")
@needs(Permission.SEE_PEOPLE)
def list_held(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        found = need_event(session, member, event)
        held = submissions.list_held(session, found.id, limit=MOST + 1)
        rows = [
            {
                "public_id": row.public_id,
                "name": write_full_name(row.family_name, row.given_name, row.locale),
                "email": row.email,
                "reason": words.DOUBT.get(row.held_for, words.DOUBT[Doubt.TRAP]),
                "received": format_short(row.created_at, found.timezone, read_locale()),
            }
            for row in held[:MOST]
        ]
        view = view_event(found)
        facts: dict[str, audit.Fact] = {"count": len(rows), "is_held": True}
        object_ = f"event:{event}"
        now = site.read_clock()
        audit.record(session, member, Action.PEOPLE_LISTED, object_, facts=facts, now=now)
    return render_template(
        "organizer/held.html", event=view, here="people", rows=rows, is_more=len(held) > MOST
    )


@bp.post("/events/<event>/held", endpoint="decide_held")
@needs(Permission.CHANGE_PEOPLE)
def decide_held(member: Member, event: str) -> ResponseReturnValue:
    """Register who was kept aside, or decide that it is nobody."""
    site = get_site()
    now = site.read_clock()
    is_person = request.form.get("act") == "release"
    result = "released" if is_person else "dropped"
    try:
        with site.database.write() as session:
            found = need_event(session, member, event)
            public_id = request.form.get("submission", "")
            held = submissions.get_submission_by_public_id(session, public_id)
            if held is None or held.event_id != found.id:
                abort(422)
            if is_person:
                release(session, found, held, policy=read_link_policy(session, found), now=now)
            else:
                drop(session, held)
            object_ = f"submission:{held.public_id}"
            facts: dict[str, audit.Fact] = {"result": result}
            audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
    except RegistrationNotOpen:
        result = "not_open"
    except NotHeld:
        result = "decided"
    return redirect(f"/organizer/events/{event}/held?done={result}", code=303)
