"""Erasing a person who asks for it, for good."""

from __future__ import annotations

from functools import partial

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from services import audit
from services.audit import Action
from services.erasing import erase, is_erased
from services.erasing_waits import find_wait
from services.members import Member, Permission
from services.overview import name_problem
from services.registrations import ORGANIZER
from storage.erasing import note_erased

from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event
from .person import need_person


@bp.get("/events/<event>/people/<person>/erase", endpoint="show_person_erasing")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def show_erasing(member: Member, event: str, person: str) -> ResponseReturnValue:
    """Say what it means, and ask."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        registration = need_person(session, found, person)
        wait = find_wait(session, registration)
        return render_template(
            "organizer/person_erase.html",
            event=view_event(found),
            here="people",
            person={"public_id": person, "name": words.write_name(registration)},
            is_erased=is_erased(registration),
            wait=wait,
            problem=words.PROBLEM.get(name_problem(wait.reason), "") if wait else "",
        )


@bp.post("/events/<event>/people/<person>/erase", endpoint="erase_person")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def erase_person(member: Member, event: str, person: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        registration = need_person(session, found, person)
        result = "done"
        if not is_erased(registration):
            note = partial(note_erased, site.settings.instance)
            is_done = erase(session, found, registration, actor=ORGANIZER, note=note, now=now)
            result = "done" if is_done else "under_way"
            facts: dict[str, audit.Fact] = {"act": "erase", "result": result}
            object_ = f"registration:{person}"
            audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/people/{person}/erase?done={result}", code=303)
