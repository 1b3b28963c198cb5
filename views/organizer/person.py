"""One person at an event: all that is known, and what can be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services import audit
from services.answer_texts import list_answer_texts
from services.answers import ANSWERS, gather_answers
from services.attendance_verdicts import read_attendance
from services.audit import Action
from services.chosen_dates import with_dates
from services.dates import format_moment
from services.erasing_waits import find_wait
from services.event_dates import write_date
from services.events import read_definition
from services.form_history import read_answered_form
from services.invitation_links import read_names, resolve
from services.mail_limits import MAILBOX_FULL
from services.mails import DROPPED_AFTER_RESTORE
from services.members import Member, Permission
from services.overview import name_problem
from services.people_acts import Act, ActResult, act_on_seen, find_word, list_acts
from services.people_adding import ADDED
from services.questions import DatesQuestion, FormDefinition, Question
from services.registrations import Status, sync_key
from services.reinstating import can_be_reinstated
from services.sources import KEY, REF, write_click_ids
from services.texts import localize
from storage import (
    api_keys,
    attendance,
    job_lists,
    mails,
    people,
    provisions,
    registrations,
    zoom_registrants,
)
from storage.invitation_links import get_link_of
from storage.models import Event, JobState, Mail, Registration, RegistrationChange
from storage.registration_lists import FullRow, read_full_rows

from ..locale import read_locale
from ..places import name_place
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .attendance_words import describe_verdict
from .event_headings import view_event
from .people import read_act, stands_otherwise, view_row
from .people_filters import list_hidden


@bp.get("/events/<event>/people/<person>", endpoint="show_person")
@needs(Permission.SEE_PEOPLE)
def show_person(member: Member, event: str, person: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        registration = need_person(session, found, person)
        view = _view(session, member, found, registration)
        object_ = f"registration:{person}"
        audit.record(session, member, Action.PERSON_SEEN, object_, now=now)
        shown = view_event(found)
    return render_template("organizer/person.html", event=shown, here="people", **view)


@bp.post("/events/<event>/people/<person>", endpoint="act_on_person")
@needs(Permission.CHANGE_PEOPLE)
def act_on_person(member: Member, event: str, person: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    act = read_act()
    with site.database.write() as session:
        found = need_event(session, member, event)
        registration = need_person(session, found, person)
        if act is None:
            abort(422)
        has_changed = partial(stands_otherwise, request.form.get("status"))
        result = act_on_seen(session, found, registration, act, has_changed=has_changed, now=now)
        facts = {"act": str(act), "result": str(result)}
        object_ = f"registration:{person}"
        audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/people/{person}?done={result}", code=303)


def need_person(session: Session, event: Event, public_id: str) -> Registration:
    registration = people.get_person(session, event.id, public_id)
    if registration is None:
        abort(404)
    return registration


def _view(
    session: Session, member: Member, event: Event, registration: Registration
) -> dict[str, Any]:
    locale = read_locale()
    [full] = read_full_rows(session, [registration.id])
    hidden = list_hidden(session, member, event)
    given = gather_answers(full.answers)
    form = read_answered_form(session, event, registration.form_version_id, given)
    definition = with_dates(event, form)
    answers = {name: answer for name, answer in given.items() if name not in hidden}
    job = job_lists.get_job(session, sync_key(registration.id))
    is_parked = job is not None and job.state == JobState.PARKED
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    acts = _list_acts(session, event, registration, is_parked=is_parked)
    return {
        "person": view_row(event, full),
        "answers": list_answer_texts(definition, answers, locale, name_place),
        "is_hidden": len(answers) < len(given),
        "consents": _list_consents(session, event, full),
        "given": [
            (_write(given.made_at, event), given.recipient)
            for given in provisions.list_provisions_of(session, registration.id)
        ],
        "mails": _list_mails(session, event, registration),
        "changes": [
            _view_change(change, event, definition, hidden)
            for change in registrations.list_changes(session, registration.id)
        ],
        "proven": _write(registration.proven_at, event),
        "clicked": _write(registration.last_clicked_at, event),
        "attendance": _list_attendance(session, event, registration),
        "source": _list_source(session, event, registration.source),
        "link": get_link_of(session, registration.id),
        "language": words.LOCALE.get(registration.locale, registration.locale),
        "registrant_id": registrant.registrant_id if registrant else None,
        "problem": name_problem(job.reason) if job is not None and is_parked else "",
        "reason": job.reason if job is not None and is_parked else "",
        "is_leaving": registration.status in (Status.CANCELLED, Status.DENIED),
        "is_being_erased": find_wait(session, registration) is not None,
        "status": registration.status,
        "acts": [(act, words.ACT[act], words.ACT_WARNING.get(act, "")) for act in acts],
        "results": _list_results(registration),
    }


def _list_acts(
    session: Session, event: Event, registration: Registration, *, is_parked: bool
) -> list[Act]:
    now = get_site().read_clock()
    return list_acts(
        Status(registration.status),
        is_parked=is_parked,
        has_word=find_word(session, event, registration, now=now) is not None,
        can_return=can_be_reinstated(session, event, registration, now=now),
    )


def _list_results(registration: Registration) -> dict[str, Any]:
    status = words.STATUS[registration.status]
    return {
        "saved": gettext("Your changes are saved."),
        **{str(result): text for result, text in words.RESULT.items()},
        str(ActResult.CHANGED): gettext(
            "Not done: meanwhile the status has become “%(status)s”", status=status
        ),
    }


def _list_mails(session: Session, event: Event, registration: Registration) -> list[dict[str, Any]]:
    return [
        {
            "name": words.MAIL.get(mail.name, mail.name),
            "state": _describe_state(mail, event),
            "asked": _write(mail.created_at, event),
            "sent": _write(mail.sent_at, event),
            "is_failed": mail.state == "failed",
        }
        for mail in mails.list_mails(session, registration.id)
    ]


def _describe_state(mail: Mail, event: Event) -> str:
    if mail.error == MAILBOX_FULL:
        return gettext("Not sent: the mailbox had enough mails for now")
    if mail.error == DROPPED_AFTER_RESTORE:
        return gettext("Dropped after a restore; perhaps sent before it")
    if mail.state == "queued" and mail.due_at is not None:
        time = _write(mail.due_at, event)
        return gettext("Put off to %(time)s: the mailbox had enough mails for a day", time=time)
    return str(words.MAIL_STATE.get(mail.state, mail.state))


def _list_attendance(
    session: Session, event: Event, registration: Registration
) -> list[tuple[str, str]]:
    """Say whether somebody came, by date; nothing where it is not recorded and never was."""
    if not event.records_attendance and not attendance.list_rows(session, [registration.id]):
        return []
    known = read_attendance(session, event, [registration.id], now=get_site().read_clock())
    locale, zone = read_locale(), event.timezone
    return [
        (write_date(date, zone, locale) if date.id else "", describe_verdict(verdict, zone))
        for date, verdict in known[registration.id].dates
    ]


def _list_source(
    session: Session, event: Event, source: Mapping[str, str]
) -> list[tuple[str, str]]:
    codes = [source[REF]] if REF in source else []
    source = resolve(source, read_names(session, event.id, codes))
    tags = [(str(label), source[name]) for name, label in words.SOURCE.items() if name in source]
    if clicks := write_click_ids(source):
        tags.append((gettext("Number of an ad's click"), clicks))
    if key := source.get(KEY):
        tags.append((gettext("API key"), api_keys.list_names(session, [key]).get(key, key)))
    return tags


def _list_consents(session: Session, event: Event, full: FullRow) -> list[dict[str, Any]]:
    shown = []
    for consent in full.consents:
        question = read_definition(session, consent.form_version_id).get_question(
            consent.question_id
        )
        notice = {} if question is None else question.whole_notice
        shown.append(
            {
                "label": consent.label,
                "is_given": consent.is_given,
                "at": _write(consent.recorded_at, event),
                "language": words.LOCALE.get(consent.locale, consent.locale),
                "hash": consent.notice_hash,
                "notice": localize(notice, consent.locale),
            }
        )
    return shown


def _view_change(
    change: RegistrationChange, event: Event, definition: FormDefinition, hidden: Collection[str]
) -> dict[str, Any]:
    if change.action == ANSWERS:
        lines = _list_differences(change, definition, hidden)
    elif change.action == ADDED:
        lines = [(gettext("How the person agreed"), "", str(change.after.get("basis", "")))]
    else:
        before, after = (side.get("status", "") for side in (change.before, change.after))
        lines = [("", str(words.STATUS.get(before, before)), str(words.STATUS.get(after, after)))]
    return {
        "at": _write(change.changed_at, event),
        "by": words.ACTOR.get(change.actor, change.actor),
        "lines": lines,
    }


def _list_differences(
    change: RegistrationChange, definition: FormDefinition, hidden: Collection[str]
) -> list[tuple[str, str, str]]:
    def flatten(side: dict[str, Any]) -> dict[str, str]:
        names = f"{side.get('family_name', '')} {side.get('given_name', '')}".strip()
        answers = {
            key: _write_stored(definition.get_question(key), value)
            for key, value in side.get("answers", {}).items()
            if key not in hidden
        }
        return {"": names, **answers}

    before, after = flatten(change.before), flatten(change.after)
    return [
        (_name_question(definition, key), before.get(key, ""), after.get(key, ""))
        for key in {**before, **after}
        if before.get(key, "") != after.get(key, "")
    ]


def _name_question(definition: FormDefinition, key: str) -> str:
    question = definition.get_question(key)
    return localize(question.label, read_locale()) if question else key


def _write_stored(question: Question | None, answer: Any) -> str:
    """Write an answer as the history keeps it: values, and the text beside その他."""
    plain = question.plain if isinstance(question, DatesQuestion) else {}
    values = (plain.get(value, value) for value in answer.get("values", ()))
    texts = (*values, answer.get("other", ""))
    return ", ".join(str(text) for text in texts if text)


def _write(moment: datetime | None, event: Event) -> str:
    return "" if moment is None else format_moment(moment, event.timezone, read_locale())
