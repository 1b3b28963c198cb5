"""The registration page of an event as visitors will see it, for members; it stores nothing.

With `?frame=1` it is shown beside the editor of its form.
"""

from __future__ import annotations

from dataclasses import replace

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from forms.registration import make_registration_form
from services.chosen_dates import ask_for_dates
from services.events import EventState
from services.form_drafts import read_edited_form
from services.members import Member, Permission
from services.questions import FormDefinition
from storage.models import Event

from ..event_pages import draw_event
from ..headers import FRAMED
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
        now = site.read_clock()
        edited = FormDefinition(0, 0, read_edited_form(session, found).questions)
        asked = ask_for_dates(session, found, edited, now=now)
        form = make_registration_form(asked, read_locale(), found.least_age)()
        is_beside_editor = request.args.get("frame") == "1"
        page = render_template(
            "organizer/trial.html",
            event=view,
            form=form,
            form_token="",
            action=f"/organizer/events/{event}/trial{'?frame=1' if is_beside_editor else ''}",
            alert=None,
            back=f"/organizer/events/{event}{_choose_way_back(member, found)}",
            was_sent=request.args.get("sent") == "1",
            is_beside_editor=is_beside_editor,
        )
    response = make_response(page)
    if is_beside_editor:
        response.headers["Content-Security-Policy"] = FRAMED
    return response


@bp.post("/events/<event>/trial", endpoint="send_trial")
@needs(Permission.SEE_EVENTS)
def send_trial(member: Member, event: str) -> ResponseReturnValue:
    """Take the form as the page's button promises, and store nothing of it."""
    with get_site().database.read() as session:
        need_event(session, member, event)
    frame = "&frame=1" if request.args.get("frame") == "1" else ""
    return redirect(f"/organizer/events/{event}/trial?sent=1{frame}", code=303)


def _choose_way_back(member: Member, event: Event) -> str:
    if not member.may(Permission.EDIT_EVENTS):
        return ""
    return "/form" if event.published_at else "/publishing"
