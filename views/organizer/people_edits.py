"""Entering and changing people by hand."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from forms.details import DetailsForm, build_details_form
from forms.people import build_added_person_form
from forms.questions import get_field_name
from services import audit
from services.answer_texts import list_answer_texts
from services.answers import read_answers
from services.audit import Action
from services.chosen_dates import ask_for_dates, read_chosen, with_dates
from services.events import read_current_form, read_link_policy
from services.form_history import read_answered_form
from services.members import Member, Permission
from services.people_adding import AlreadyRegistered, add_by_hand
from services.questions import DATES, FormDefinition
from services.registration_edits import EditedMeanwhile, edit_by_organizer, write_version
from services.registrations import DatesClosed, RegistrationNotOpen
from services.texts import LOCALES
from storage.models import Event, Registration

from ..locale import read_locale
from ..places import name_place
from ..site import get_site
from .access import bp, need_event, needs
from .event_headings import view_event
from .people_words import KNOWN_AS, write_name
from .person import need_person


@bp.get("/events/<event>/people/<person>/edit", endpoint="show_person_form")
@needs(Permission.CHANGE_PEOPLE)
def show_person_form(member: Member, event: str, person: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        found = need_event(session, member, event)
        registration = need_person(session, found, person)
        now = site.read_clock()
        definition = _read_form(session, found, registration, now=now)
        form = build_details_form(definition, registration.locale).from_answers(
            registration.family_name, registration.given_name, read_answers(session, registration)
        )
        audit.record(session, member, Action.PERSON_SEEN, f"registration:{person}", now=now)
        return _draw_edit(found, registration, form)


@bp.post("/events/<event>/people/<person>/edit", endpoint="save_person")
@needs(Permission.CHANGE_PEOPLE)
def save_person(member: Member, event: str, person: str) -> ResponseReturnValue:
    """Save what was changed; who was slower than somebody else sees both versions first."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        registration = need_person(session, found, person)
        definition = _read_form(session, found, registration, now=now)
        form = build_details_form(definition, registration.locale)(request.form)
        if not form.validate():
            return _draw_edit(found, registration, form, seen=request.form.get("seen")), 422
        try:
            edit_by_organizer(
                session,
                found,
                registration,
                seen_at=request.form.get("seen", ""),
                family_name=form.family_name.data,
                given_name=form.given_name.data,
                answers=form.answers,
                form_version_id=definition.version_id,
                now=now,
            )
        except EditedMeanwhile:
            stored = _list_stored(session, found, registration)
            return _draw_edit(found, registration, form, stored=stored), 409
        except DatesClosed:
            form[get_field_name(DATES)].errors = [
                gettext("A date that you chose is not free any more. Check the dates")
            ]
            return _draw_edit(found, registration, form, seen=request.form.get("seen")), 409
        facts: dict[str, audit.Fact] = {"act": "edit"}
        object_ = f"registration:{person}"
        audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/people/{person}?done=saved", code=303)


@bp.get("/events/<event>/people/new", endpoint="show_new_person")
@needs(Permission.CHANGE_PEOPLE)
def show_new_person(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        now = get_site().read_clock()
        form = build_added_person_form(_read_form(session, found, now=now), _read_language())()
        return _draw_new(found, form)


@bp.post("/events/<event>/people/new", endpoint="add_person")
@needs(Permission.CHANGE_PEOPLE)
def add_person(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        found = need_event(session, member, event)
        definition = _read_form(session, found, now=now)
        form = build_added_person_form(definition, _read_language())(request.form)
    if not form.validate():
        return _draw_new(found, form), 422
    submission = form.to_submission(nonce=secrets.token_urlsafe(16))
    try:
        with site.database.write() as session:
            here = need_event(session, member, event)
            policy = read_link_policy(session, here)
            basis = form.basis.data
            added = add_by_hand(session, here, submission, basis=basis, policy=policy, now=now)
            public_id = added.public_id
            facts: dict[str, audit.Fact] = {"act": "add"}
            object_ = f"registration:{public_id}"
            audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
    except AlreadyRegistered as known:
        problem = str(KNOWN_AS[known.known_as])
        return _draw_new(found, form, problem, known=known.public_id), 409
    except RegistrationNotOpen:
        return _draw_new(found, form, gettext("The event takes nobody now.")), 409
    return redirect(f"/organizer/events/{event}/people/{public_id}?done=done", code=303)


def _draw_edit(
    event: Event,
    registration: Registration,
    form: DetailsForm,
    *,
    seen: str | None = None,
    stored: list[tuple[str, str]] | None = None,
) -> str:
    return render_template(
        "organizer/person_edit.html",
        event=view_event(event),
        here="people",
        person={"public_id": registration.public_id, "name": write_name(registration)},
        form=form,
        seen=seen or write_version(registration),
        stored=stored,
    )


def _draw_new(event: Event, form: DetailsForm, problem: str = "", *, known: str = "") -> str:
    return render_template(
        "organizer/person_new.html",
        event=view_event(event),
        here="people",
        form=form,
        language=_read_language(),
        problem=problem,
        known=known,
    )


def _list_stored(
    session: Session, event: Event, registration: Registration
) -> list[tuple[str, str]]:
    answers = read_answers(session, registration)
    form = read_answered_form(session, event, registration.form_version_id, answers)
    texts = list_answer_texts(with_dates(event, form), answers, read_locale(), name_place)
    return [(gettext("Name"), write_name(registration)), *texts]


def _read_form(
    session: Session, event: Event, registration: Registration | None = None, *, now: datetime
) -> FormDefinition:
    """Read what is asked of somebody now, who may keep dates that nobody else gets."""
    definition = read_current_form(session, event)
    kept = read_chosen(session, registration) if registration is not None else ()
    return ask_for_dates(session, event, definition, kept=kept, now=now)


def _read_language() -> Any:
    asked = request.values.get("language", "")
    return asked if asked in LOCALES else read_locale()
