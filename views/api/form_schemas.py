"""The form of an event: what a program has to send to register somebody."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from services.api_keys import Scope
from services.chosen_dates import ask_for_dates
from services.events import read_current_form
from services.questions import OTHER, DatesQuestion, FormDefinition, Question
from services.texts import LOCALES
from storage.models import Event

from ..site import get_site
from .access import answer_json, bp, find_caller, read_query
from .cross_origin import let_pages_read
from .events import find_event


@bp.get("/events/<slug>/form", endpoint="read_form")
def read_form(slug: str) -> ResponseReturnValue:
    read_query()
    site = get_site()
    caller = find_caller(Scope.EVENTS_READ)
    with site.database.read() as session:
        event = find_event(session, slug, caller)
        form = read_current_form(session, event)
        form = ask_for_dates(session, event, form, now=site.read_clock())
        return let_pages_read(session, answer_json(_write_form(event, form)), event, caller)


def _write_form(event: Event, form: FormDefinition) -> dict[str, Any]:
    return {
        "form_version": form.number,
        "languages": list(LOCALES),
        "least_age": event.least_age,
        "questions": [_write_question(q) for q in form.questions if not q.is_consent],
        "consents": [_write_consent(q) for q in form.questions if q.is_consent],
    }


def _write_question(question: Question) -> dict[str, Any]:
    closed = question.closed if isinstance(question, DatesQuestion) else {}
    condition = question.condition
    choices = [
        {"value": c.value, "label": c.label, "closed": closed.get(c.value)}
        for c in question.choices
    ]
    if question.has_other and all(choice.value != OTHER for choice in question.choices):
        choices.append({"value": OTHER, "label": {}, "closed": None})
    return {
        "id": question.id,
        "kind": question.kind,
        "label": question.label,
        "help": question.help,
        "required": question.is_needed,
        "choices": choices,
        "has_other": question.has_other,
        "minimum": question.minimum,
        "maximum": question.maximum,
        "max_length": question.max_length,
        "is_sensitive": question.is_sensitive,
        "condition": condition
        and {"question": condition.question_id, "values": list(condition.values)},
    }


def _write_consent(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "kind": question.consent,
        "label": question.label,
        "notice": question.whole_notice,
        "required": question.is_needed,
        "recipient": question.recipient or None,
    }
