"""The form of an event: its questions in order, changed step by step, with warnings and preview."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.question_words import list_kinds_offered, name_question
from services import audit
from services.audit import Action
from services.dates import format_moment
from services.event_dates import takes_choice
from services.event_editing import ChangedMeanwhile
from services.events import read_current_form
from services.form_acts import AskedAct, FormAct, do_act
from services.form_differences import list_differences
from services.form_drafts import EditedForm, list_answered_ids, read_edited_form
from services.form_editing import ActRefused, Refusal, order_questions
from services.form_templates import Template, list_ready_made
from services.form_warnings import list_warnings
from services.members import Member, Permission
from services.organizations import make_operator
from storage import events, organizations, organizers
from storage.models import Event

from ..headers import FRAMING
from ..locale import read_locale
from ..site import get_site
from . import form_words as words
from .access import bp, need_event, needs
from .event_headings import view_event

PREVIEWS = ("phone", "desktop")


@dataclass(frozen=True)
class Told:
    """What a page says above the form, and the question that it is about."""

    refusal: str = ""
    status: int = 200
    question_id: str = ""


@bp.get("/events/<event>/form", endpoint="show_form")
@needs(Permission.EDIT_EVENTS)
def show_form(member: Member, event: str) -> ResponseReturnValue:
    return draw_form(member, event)


@bp.post("/events/<event>/form", endpoint="change_form")
@needs(Permission.EDIT_EVENTS)
def change(member: Member, event: str) -> ResponseReturnValue:
    """Do one act on the form as it was seen."""
    asked, site = _read_act(), get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            found = events.lock_event(session, need_event(session, member, event).id)
            if asked is None:
                return redirect(f"/organizer/events/{event}/form", code=303)
            about = do_act(session, found, asked, author=member.public_id, now=now)
            record_edit(session, member, event, asked.act, about)
    except ChangedMeanwhile:
        return draw_form(member, event, Told(say_changed(), 409))
    except ActRefused as error:
        place = asked.question_id if asked and error.refusal is not Refusal.UNKNOWN else ""
        told = Told(words.describe_refusal(error, read_locale()), 422, place)
        return draw_form(member, event, told)
    place = f"#question-{about}" if about and asked.act is not FormAct.REMOVE else ""
    return redirect(f"/organizer/events/{event}/form?done={asked.act}{place}", code=303)


def _read_act() -> AskedAct | None:
    typed = request.form
    act, position = typed.get("act", ""), typed.get("position", "")
    if act not in list(FormAct):
        return None
    return AskedAct(
        FormAct(act),
        typed.get("version", ""),
        typed.get("question", ""),
        int(position) if re.fullmatch("[0-9]{1,3}", position) else 0,
        typed.get("what", ""),
    )


def record_edit(
    session: Session, member: Member, event: str, step: str, question_id: str = ""
) -> None:
    facts: dict[str, audit.Fact] = {"change": "form", "step": step}
    if question_id:
        facts["question"] = question_id
    now = get_site().read_clock()
    audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)


def say_changed() -> str:
    return _(
        "Somebody else has changed the form meanwhile. Nothing of yours was done: look at it as it "
        "is now, then do it again."
    )


def draw_form(member: Member, event: str, told: Told = Told()) -> ResponseReturnValue:
    """Show the editor; with what was refused, at the question that it is about."""
    locale = read_locale()
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        edited = read_edited_form(session, found)
        organization = organizations.need_organization(session, found.organization_id)
        ready = list_ready_made(make_operator(organization))
        page = render_template(
            "organizer/form.html",
            event=view_event(found),
            here="form",
            questions=_view_questions(found, edited, locale),
            warnings=_view_warnings(edited, found.default_locale, locale),
            changes=_view_changes(session, found, edited, locale),
            last_edit=_view_last_edit(session, found, edited, locale),
            version=edited.mark,
            can_undo=edited.can_undo,
            is_draft=found.status == "draft",
            asks_dates=takes_choice(found),
            is_answered=bool(list_answered_ids(session, found)),
            told=told,
            done=words.describe_done(request.args.get("done", "")) if not told.refusal else "",
            act=request.args.get("done", ""),
            lost=request.args.get("lost") == "1",
            kinds=list_kinds_offered(),
            ready=[(name, name_question(q, locale)) for name, q in ready.items()],
            templates=[(str(each), *words.name_template(each)) for each in Template],
            preview=_choose_preview(),
        )
    response = make_response(page, told.status)
    response.headers["Content-Security-Policy"] = FRAMING
    return response


def _choose_preview() -> str:
    asked = request.args.get("preview", "")
    return asked if asked in PREVIEWS else PREVIEWS[0]


def _view_questions(event: Event, edited: EditedForm, locale: str) -> list[dict[str, Any]]:
    questions = edited.questions
    asked = sum(not question.is_consent for question in questions)
    return [
        {
            "id": question.id,
            "name": name_question(question, locale),
            "label": question.label,
            "kind": words.name_kind_of(question),
            "is_needed": question.is_needed,
            "is_consent": question.is_consent,
            "condition": words.describe_condition(question, questions, locale),
            "way": words.describe_way(
                question, event.zoom_titles, is_published=event.published_at is not None
            ),
            "goes_to_zoom": question.goes_to_zoom,
            "is_sensitive": question.is_sensitive,
            "choices": [choice.label for choice in question.choices],
            "is_first": place in (0, asked),
            "is_last": place in (asked - 1, len(questions) - 1),
            "can_be_copied": question.consent is None or question.consent == "other",
        }
        for place, question in enumerate(questions)
    ]


def _view_warnings(edited: EditedForm, own_locale: str, locale: str) -> list[tuple[str, str]]:
    """Return each warning with the id of its question, if it is about one."""
    return [
        (words.describe_warning(warned, locale), warned.question.id if warned.question else "")
        for warned in list_warnings(edited.questions, own_locale)
    ]


def _view_last_edit(session: Session, event: Event, edited: EditedForm, locale: str) -> str:
    """Say who has changed the form last and when, where that is not public yet."""
    if not edited.has_changes or edited.updated_at is None:
        return ""
    when = format_moment(edited.updated_at, event.timezone, locale)
    author = organizers.get_organizer_by_public_id(session, edited.author)
    name = words.quote(author.name or author.email) if author else _("somebody")
    return _("Last changed by %(name)s, %(when)s.", name=name, when=when)


def _view_changes(
    session: Session, event: Event, edited: EditedForm, locale: str
) -> list[tuple[str, str]]:
    """Return what is edited and not published, each with its question's name."""
    if not edited.has_changes:
        return []
    current = order_questions(read_current_form(session, event).questions)
    return [
        (name_question(each.question, locale), words.describe_difference(each))
        for each in list_differences(current, edited.questions)
    ]
