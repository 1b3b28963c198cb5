"""The registration page of an event as visitors will see it, for members; it stores nothing.

With `?frame=1` it is shown beside the editor of its form, with `?frame=embed` as on other sites.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

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
from ..framing import enter_frame
from ..headers import FRAMED
from ..locale import read_locale
from ..site import get_site
from .access import bp, need_event, needs

FRAMES = ("1", "embed")


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
        frame = request.args.get("frame", "")
        if frame == "embed":
            enter_frame(found.slug)
        page = render_template(
            "organizer/trial.html",
            event=view,
            form=form,
            form_token="",
            action=_write_address(event),
            alert=None,
            back=f"/organizer/events/{event}{_choose_way_back(member, found)}",
            was_sent=request.args.get("sent") == "1",
            is_beside_editor=frame == "1",
        )
    response = make_response(page)
    if frame in FRAMES:
        response.headers["Content-Security-Policy"] = FRAMED
    return response


@bp.post("/events/<event>/trial", endpoint="send_trial")
@needs(Permission.SEE_EVENTS)
def send_trial(member: Member, event: str) -> ResponseReturnValue:
    """Take the form as the page's button promises, and store nothing of it."""
    with get_site().database.read() as session:
        need_event(session, member, event)
    return redirect(_write_address(event, sent="1"), code=303)


def _write_address(event: str, **more: str) -> str:
    carried = {name: request.args[name] for name in ("frame", "theme") if name in request.args}
    return f"/organizer/events/{event}/trial?{urlencode(carried | more)}"


def _choose_way_back(member: Member, event: Event) -> str:
    if not member.may(Permission.EDIT_EVENTS):
        return ""
    return "/form" if event.published_at else "/publishing"
