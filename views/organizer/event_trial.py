"""The registration page of an event as visitors will see it, for members; it stores nothing."""

from __future__ import annotations

from dataclasses import replace

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from forms.registration import build_registration_form
from services.events import EventState, read_current_form
from services.members import Member, Permission

from ..event_pages import draw_event
from ..locale import read_locale
from ..site import get_site
from .access import bp, need_event, needs


@bp.get("/events/<event>/trial", endpoint="show_trial")
@needs(Permission.SEE_EVENTS)
def show_trial(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        found = need_event(session, member, event)
        view = replace(draw_event(session, found, site.read_clock()), state=EventState.OPEN)
        form = build_registration_form(read_current_form(session, found), read_locale())()
        return render_template(
            "organizer/trial.html",
            event=view,
            form=form,
            form_token="",
            action=f"/organizer/events/{event}/trial",
            alert=None,
            back=f"/organizer/events/{event}/publishing",
            was_sent=request.args.get("sent") == "1",
        )


@bp.post("/events/<event>/trial", endpoint="send_trial")
@needs(Permission.SEE_EVENTS)
def send_trial(member: Member, event: str) -> ResponseReturnValue:
    """Take the form as the page's button promises, and store nothing of it."""
    with get_site().database.read() as session:
        need_event(session, member, event)
    return redirect(f"/organizer/events/{event}/trial?sent=1", code=303)
