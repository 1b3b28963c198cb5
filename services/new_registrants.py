"""Translating a registration into Zoom's words for somebody to register."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from storage.models import Event, Registration
from zoom_client import NewRegistrant, ValidationFailed

from .answer_texts import write_answer
from .answers import read_answers
from .events import read_current_form, read_definition
from .questions import Answer, FormDefinition, QuestionKind


def make_new_registrant(
    session: Session, event: Event, registration: Registration
) -> NewRegistrant:
    """Translate a registration into Zoom's words: name, address, and marked answers only.

    What the form of now keeps here, as what was found to be sensitive, goes nowhere any more.
    """
    definition = read_definition(session, registration.form_version_id)
    first, last = registration.given_name, registration.family_name
    if event.zoom_name_order == "family_first":
        first, last = last, first
    asks = asks_for_answers(session, registration.form_version_id)
    answers = read_answers(session, registration) if asks else {}
    kept_here = {q.id for q in read_current_form(session, event).questions if not q.goes_to_zoom}
    answers = {name: answer for name, answer in answers.items() if name not in kept_here}
    standard, custom = _marked_answers(definition, registration, answers, event)
    return NewRegistrant(
        email=registration.email,
        first_name=first,
        last_name=last,
        custom_questions=custom,
        **standard,
    )


def asks_for_answers(session: Session, form_version_id: int) -> bool:
    """Tell whether a form has questions whose answers Zoom gets."""
    questions = read_definition(session, form_version_id).questions
    return any(question.goes_to_zoom for question in questions)


def make_bare_registrant(person: NewRegistrant) -> NewRegistrant:
    """Leave the answers out: they are kept here, and a seat must not depend on them."""
    return NewRegistrant(
        email=person.email, first_name=person.first_name, last_name=person.last_name
    )


def may_be_about_answers(error: ValidationFailed, person: NewRegistrant) -> bool:
    """Tell whether Zoom perhaps refused only answers that were sent, as it names nothing else.

    It may name no value at all: whether it refuses an unknown question, and how, nobody says.
    """
    fields = {field.field for field in error.fields}
    names_person = not fields.isdisjoint({"email", "first_name", "last_name"})
    return not names_person and person != make_bare_registrant(person)


def _marked_answers(
    definition: FormDefinition,
    registration: Registration,
    answers: Mapping[str, Answer],
    event: Event,
) -> tuple[dict[str, str], dict[str, str]]:
    standard: dict[str, str] = {}
    custom: dict[str, str] = {}
    for question in definition.questions:
        answer = answers.get(question.id)
        if answer is None or not question.goes_to_zoom:
            continue
        text = write_answer(question, answer, registration.locale, _keep_code)
        if question.zoom_field:
            standard[question.zoom_field] = text
        elif question.zoom_title in event.zoom_titles:
            custom[str(question.zoom_title)] = text[:128]
    return standard, custom


def _keep_code(_kind: QuestionKind, code: str, _locale: str) -> str:
    """Send places as codes: Zoom takes a country in two letters alone."""
    return code
