"""Writing one question of an event's form: a new one, or one that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from forms.choice_lines import change_lines, count_lines, name_line
from forms.question_editor import QuestionForm, build_question_form
from forms.question_fields import Surroundings, list_condition_values
from forms.question_words import name_question
from services.form_differences import compare_questions
from services.form_drafts import (
    edit_form,
    list_answered_ids,
    list_former_questions,
    list_taken_ids,
    list_undoable,
    mark_questions,
    read_edited_form,
)
from services.form_editing import (
    ActRefused,
    add_question,
    choose_id,
    list_deciding,
    list_kinds,
    replace_question,
)
from services.form_history import read_history
from services.form_templates import NOTHING_PRIVATE
from services.members import Member, Permission
from services.questions import ConsentKind, Question, QuestionKind
from services.texts import LOCALES
from storage import events
from storage.models import Event

from ..locale import read_locale
from ..site import get_site
from . import form_words as words
from .access import bp, need_event, needs
from .event_headings import view_event
from .form_editor import record_edit

NEW = ""


class _Differs(Exception):
    """Somebody else has changed or removed the question since its page was opened."""


@bp.get("/events/<event>/form/new", endpoint="ask_new_question")
@needs(Permission.EDIT_EVENTS)
def ask_new(member: Member, event: str) -> ResponseReturnValue:
    return _show(member, event, NEW)


@bp.post("/events/<event>/form/new", endpoint="add_question")
@needs(Permission.EDIT_EVENTS)
def add(member: Member, event: str) -> ResponseReturnValue:
    return _take(member, event, NEW)


@bp.get("/events/<event>/form/questions/<question>", endpoint="show_question")
@needs(Permission.EDIT_EVENTS)
def show_question(member: Member, event: str, question: str) -> ResponseReturnValue:
    return _show(member, event, question)


@bp.post("/events/<event>/form/questions/<question>", endpoint="change_question")
@needs(Permission.EDIT_EVENTS)
def change_question(member: Member, event: str, question: str) -> ResponseReturnValue:
    return _take(member, event, question)


def _show(member: Member, event: str, question_id: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        stored = _find(session, found, question_id)
        if stored is None and question_id:
            return redirect(f"/organizer/events/{event}/form", code=303)
        form = _build(session, found, stored, None)
        return _draw(session, found, form, stored)


def _take(member: Member, event: str, question_id: str) -> ResponseReturnValue:
    """Keep what was typed, or show it again: with lines moved, with errors, beside theirs."""
    typed = request.form
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        stored = _find(session, found, question_id)
        lost = None if stored or not question_id else _find_lost(session, found, question_id)
        if question_id and not (stored or lost):
            return redirect(f"/organizer/events/{event}/form", code=303)
        changed = change_lines(MultiDict(typed), typed.get("act", ""))
        form = _build(session, found, stored or lost, changed or typed)
        if changed is not None:
            return _draw(session, found, form, stored, seen=typed.get("seen", ""))
        if not form.validate():
            return _draw(session, found, form, stored, seen=typed.get("seen", ""), status=422)
    try:
        kept = _keep(member, event, form, question_id)
    except _Differs:
        return _show_both(member, event, form, question_id)
    except ActRefused as error:
        alert = words.describe_refusal(error, read_locale())
        with get_site().database.read() as session:
            found = need_event(session, member, event)
            return _draw(session, found, form, stored, alert=alert, status=422)
    target = f"?done={'saved' if question_id else 'add'}#question-{kept}"
    return redirect(f"/organizer/events/{event}/form{target}", code=303)


def _keep(member: Member, event: str, form: QuestionForm, question_id: str) -> str:
    """Store the question and return its id."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        questions = read_edited_form(session, found).questions
        stored = _find(session, found, question_id)
        if question_id and _mark(stored) != request.form.get("seen"):
            raise _Differs
        written = form.to_question()
        if stored is None:
            written = _name(written, question_id, list_taken_ids(session, found))
            changed = add_question(questions, written)
        else:
            changed = replace_question(questions, written)
        edit_form(session, found, changed, author=member.public_id, now=now)
        record_edit(session, member, event, "saved" if question_id else "added", written.id)
        return written.id


def _name(question: Question, question_id: str, taken: set[str]) -> Question:
    """Give a new question its id; one that was removed meanwhile comes back under its own."""
    stem = question.label.get("en") or str(question.kind)
    return replace(question, id=question_id or choose_id(stem, taken))


def _find(session: Session, event: Event, question_id: str) -> Question | None:
    questions = read_edited_form(session, event).questions
    return next((question for question in questions if question.id == question_id), None)


def _find_lost(session: Session, event: Event, question_id: str) -> Question | None:
    """Return a question that is in the form no more, as it was last."""
    former = [*list_undoable(session, event), *list_former_questions(session, event)]
    return next((question for question in former if question.id == question_id), None)


def _mark(question: Question | None) -> str:
    return mark_questions(question) if question else NEW


def _build(
    session: Session,
    event: Event,
    stored: Question | None,
    typed: MultiDict[str, str] | None,
) -> QuestionForm:
    questions = read_edited_form(session, event).questions
    question = stored or _make_blank()
    past = read_history(session, event).get(question.id)
    known = [*([past.whole] if past else ()), *questions]
    answered = list_answered_ids(session, event)
    values = {c.value for q in known if q.id == question.id for c in q.choices}
    return build_question_form(
        typed,
        question,
        Surroundings(
            locale=read_locale(),
            default_locale=event.default_locale,
            kinds=list_kinds(question.kind, is_answered=question.id in answered),
            deciding=_list_deciding(questions, question),
            others=[other for other in questions if other.id != question.id],
            taken_values=values,
        ),
    )


def _list_deciding(
    questions: tuple[Question, ...], question: Question
) -> list[tuple[Question, list[tuple[str, str]]]]:
    condition, locale = question.condition, read_locale()
    deciding = list_deciding(questions, question.id)
    if condition and condition.question_id not in {q.id for q in deciding}:
        deciding += [other for other in questions if other.id == condition.question_id]
    return [
        (
            other,
            list_condition_values(
                other,
                locale,
                words.write_value,
                condition.values if condition and condition.question_id == other.id else (),
            ),
        )
        for other in deciding
    ]


def _make_blank() -> Question:
    """Return what a new question of the kind that was asked for starts with."""
    asked = request.args.get("kind", "")
    kind = QuestionKind(asked) if asked in list(QuestionKind) else QuestionKind.TEXT
    return Question(
        id=NEW,
        kind=kind,
        label={},
        help=NOTHING_PRIVATE if kind is QuestionKind.TEXTAREA else {},
        consent=ConsentKind.OTHER if kind is QuestionKind.CONSENT else None,
    )


def _show_both(
    member: Member, event: str, form: QuestionForm, question_id: str
) -> ResponseReturnValue:
    """Show what was typed beside what somebody else has stored meanwhile; nothing is stored."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        stored = _find(session, found, question_id)
        differences: list[str] = []
        if stored is None:
            alert = _("Somebody else has removed this question meanwhile. Saving brings it back.")
        else:
            alert = _("Somebody else has changed this question meanwhile")
            differences = [
                words.describe_difference(each)
                for each in compare_questions(stored, form.to_question())
            ]
        return _draw(session, found, form, stored, alert=alert, differences=differences, status=409)


def _draw(
    session: Session,
    event: Event,
    form: QuestionForm,
    stored: Question | None,
    *,
    seen: str | None = None,
    alert: str = "",
    differences: list[str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    rows = form.rows_by_name
    question = form.stored
    page = render_template(
        "organizer/question.html",
        event=view_event(event),
        here="form",
        name=name_question(stored, read_locale()) if stored else "",
        question=question,
        kind=str(form.chosen_kind),
        kind_name=words.name_kind_of(question),
        rows=rows,
        lines=_view_lines(form, rows),
        values=[rows[n] for n in rows if n.startswith("values_")],
        kinds=form.around.kinds,
        is_answered=question.id in list_answered_ids(session, event),
        errors=form.error_list,
        seen=_mark(stored) if seen is None else seen,
        version=read_edited_form(session, event).mark,
        alert=alert,
        differences=differences or [],
        address=request.full_path.rstrip("?"),
    )
    return page, status


def _view_lines(form: QuestionForm, rows: dict[str, Any]) -> list[dict[str, Any]]:
    if form.stored.is_consent:
        return []
    return [
        {
            "number": number,
            "value": form.typed.get(f"choice_{number}_value", ""),
            "rows": [rows[name_line(number, locale)] for locale in LOCALES],
        }
        for number in range(count_lines(form.typed))
    ]
