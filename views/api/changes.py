"""Changing a registration through the API: its content, its status, and erasing it."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from forms.details import DetailsForm, build_details_form
from forms.json_members import Members
from forms.registration_json import NAMES, note_details, type_answers
from services.answers import read_answers, write_answers
from services.api_keys import Caller, Scope
from services.audit import Action, Fact
from services.chosen_dates import ask_for_dates, read_chosen
from services.erasing import erase
from services.events import read_definition
from services.moves import NothingAhead
from services.people_acts import Act, ActResult, act_on_seen
from services.questions import FormDefinition
from services.registration_edits import EditedMeanwhile, edit_by_organizer, write_version
from services.registrations import ORGANIZER, DatesClosed
from services.reinstating import NothingKept
from storage.erasing import note_erased
from storage.models import Event, Registration

from ..retries import repeatable
from ..site import get_site
from .access import Problem, answer_json, bp, count_request, need_event, needs, read_query
from .bodies import read_object, refuse
from .registrations import list_hidden, need_registration, record, write_etag

_CHANGED = (
    412,
    "changed-meanwhile",
    "The registration has changed since it was read: read it again.",
)
_REFUSALS = {
    ActResult.CHANGED: _CHANGED,
    ActResult.FULL: (409, "event-full", "No seat is left."),
    ActResult.CANCELLED: (
        409,
        "cancelled",
        "The registration is cancelled. If the person wants to come after all, reinstate it.",
    ),
    ActResult.ERASED: (409, "erased", NothingKept.says),
    ActResult.PAST: (409, "event-over", NothingAhead.says),
}


@bp.patch("/events/<slug>/registrations/<registration>", endpoint="change_registration")
@needs(Scope.REGISTRATIONS_WRITE)
def change(caller: Caller, slug: str, registration: str) -> ResponseReturnValue:
    """Change names and answers, as long as they are what the program has read."""
    read_query()
    seen = _read_version()
    body = Members(read_object())
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        count_request(session, caller)
        event = need_event(session, caller, slug)
        person = need_registration(session, event, registration)
        kept = read_chosen(session, person)
        stored = read_definition(session, person.form_version_id)
        definition = ask_for_dates(session, event, stored, kept=kept, now=now)
        with force_locale(person.locale):
            form = _read_form(session, event, person, definition, body, caller)
        try:
            edit_by_organizer(
                session,
                event,
                person,
                seen_at=seen,
                family_name=form.family_name.data,
                given_name=form.given_name.data,
                answers=form.answers,
                form_version_id=definition.version_id,
                now=now,
            )
        except EditedMeanwhile:
            raise Problem(*_CHANGED) from None
        except DatesClosed:
            detail = "A date that was chosen takes nobody now."
            raise Problem(409, "dates-closed", detail) from None
        facts: dict[str, Fact] = {"act": "edit", "fields": " ".join(sorted(body.values))}
        record(session, caller, Action.PERSON_CHANGED, f"registration:{registration}", facts)
        return _answer(person, ActResult.DONE)


@bp.post(
    "/events/<slug>/registrations/<registration>/<any(approve, deny, cancel, reinstate):act>",
    endpoint="act_on_registration",
)
@needs(Scope.REGISTRATIONS_WRITE)
@repeatable
def act(caller: Caller, slug: str, registration: str, act: str) -> ResponseReturnValue:
    """Approve, deny, cancel or reinstate; done twice it changes nothing the second time.

    Who stands so already stays so, whatever state `If-Match` names: perhaps this very request has
    come before, and its answer was lost.
    """
    read_query()
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        count_request(session, caller)
        event = need_event(session, caller, slug)
        person = need_registration(session, event, registration)
        result = act_on_seen(session, event, person, Act(act), has_changed=_has_changed, now=now)
        facts: dict[str, Fact] = {"act": act, "result": str(result)}
        record(session, caller, Action.PERSON_CHANGED, f"registration:{registration}", facts)
        response = _answer(person, result)
    if result in _REFUSALS:
        raise Problem(*_REFUSALS[result])
    return response


@bp.delete("/events/<slug>/registrations/<registration>", endpoint="erase_registration")
@needs(Scope.REGISTRATIONS_ERASE)
def erase_person(caller: Caller, slug: str, registration: str) -> ResponseReturnValue:
    """Erase somebody: at once if Zoom does not have them, else when Zoom has let go."""
    read_query()
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        count_request(session, caller)
        event = need_event(session, caller, slug)
        person = need_registration(session, event, registration)
        note = partial(note_erased, site.settings.instance)
        is_done = erase(session, event, person, actor=ORGANIZER, note=note, now=now)
        facts: dict[str, Fact] = {"act": "erase", "result": "done" if is_done else "under_way"}
        record(session, caller, Action.PERSON_CHANGED, f"registration:{registration}", facts)
    result = {"id": registration, "result": facts["result"]}
    return answer_json(result, 200 if is_done else 202)


def _read_version() -> str:
    """Return the version that the program has read; without one it could overwrite others' work."""
    tags = request.if_match
    if "If-Match" not in request.headers:
        detail = "Send If-Match with the ETag of what you have read."
        raise Problem(428, "version-missing", detail)
    [*found] = tags.as_set()
    return found[0] if len(found) == 1 else ""


def _has_changed(person: Registration) -> bool:
    """Tell whether somebody is in another state than `If-Match` names, which may be left out."""
    return "If-Match" in request.headers and write_version(person) not in request.if_match


def _read_form(
    session: Session,
    event: Event,
    person: Registration,
    definition: FormDefinition,
    body: Members,
    caller: Caller,
) -> DetailsForm:
    """Return the form with the stored values, and those of the body in their place."""
    body.refuse_unknown(*NAMES, "answers")
    answers = body.take_members("answers")
    hidden = list_hidden(session, caller, event)
    for name in answers.values:
        if name.removesuffix("_other") in hidden:
            answers.refuse(name, "hidden", _("This key does not read this answer"))
    stored = read_answers(session, person)
    # What this form does not ask stays as it is.
    given = {name: found for name, found in stored.items() if definition.get_question(name)}
    before = write_answers(definition, given)
    removed = {name for name, value in answers.values.items() if value is None}
    for name in removed & (stored.keys() - given.keys()):
        answers.refuse(name, "unknown", _("This is not known here"))
    after = {k: v for k, v in {**before, **answers.values}.items() if k not in removed}
    typed = MultiDict((name, body.take_text(name, getattr(person, name))) for name in NAMES)
    whole = Members(after, answers.point_at("")[:-1], body.faults)
    type_answers(typed, definition, whole)
    form = build_details_form(definition, person.locale)(typed)
    form.validate()
    note_details(form, body, whole)
    for name in (given.keys() & hidden) - form.answers.keys():
        detail = _("This change would remove an answer that this key does not read")
        answers.refuse(name, "hidden", detail)
    if body.faults:
        refuse(body.faults)
    return form


def _answer(person: Registration, result: ActResult) -> Response:
    """Say how a registration stands now, and nothing of the person."""
    value: dict[str, Any] = {
        "id": person.public_id,
        "status": person.status,
        "result": str(result),
    }
    return answer_json(value, headers={"ETag": write_etag(person)})
