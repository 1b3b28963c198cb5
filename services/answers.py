"""Storing, reading and changing the answers of a registration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import registrations
from storage.models import Answer as AnswerRow
from storage.models import Registration

from .events import read_definition
from .questions import DATES, Answer, FormDefinition, QuestionKind, answers_to_json

ANSWERS = "answers"
"""The action of a change of names and answers."""


def answer_rows(answers: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """Lay answers out as rows; the text beside その他 goes with the last value."""
    return [
        {
            "question_id": question_id,
            "position": position,
            "value": value,
            "other": answer.other if position == len(answer.values) - 1 else "",
        }
        for question_id, answer in answers.items()
        for position, value in enumerate(answer.values)
    ]


def read_answers(session: Session, registration: Registration) -> dict[str, Answer]:
    return gather_answers(registrations.list_answers(session, registration.id))


def gather_answers(rows: Iterable[AnswerRow]) -> dict[str, Answer]:
    """Put the stored rows of one registration together again."""
    values: dict[str, list[str]] = {}
    other: dict[str, str] = {}
    for row in rows:
        values.setdefault(row.question_id, []).append(row.value)
        if row.other:
            other[row.question_id] = row.other
    return {key: Answer(tuple(found), other.get(key, "")) for key, found in values.items()}


def keep_unasked(
    definition: FormDefinition, answers: Mapping[str, Answer], stored: Mapping[str, Answer]
) -> dict[str, Answer]:
    """Add to the answers of a form those stored ones for which it has no question.

    Who changes something else has not taken them back. Dates follow what was sent.
    """
    asked = {DATES, *(question.id for question in definition.questions)}
    return {**answers, **{name: found for name, found in stored.items() if name not in asked}}


def change_answers(
    session: Session,
    registration: Registration,
    *,
    family_name: str,
    given_name: str,
    answers: Mapping[str, Answer],
    form_version_id: int,
    actor: str = "person",
    now: datetime,
) -> None:
    """Replace names and answers, keeping what stood before in the history.

    Answers to questions that the form does not have stay as they are. What changes nothing leaves
    no trace. The caller holds the registration's lock: a double click must not store rows twice.
    """
    stored = read_answers(session, registration)
    answers = keep_unasked(read_definition(session, form_version_id), answers, stored)
    before = _describe(registration, stored)
    registration.family_name = family_name
    registration.given_name = given_name
    registration.form_version_id = form_version_id
    after = _describe(registration, answers)
    if after == before:
        return
    registration.updated_at = now
    registrations.replace_answers(session, registration.id, answer_rows(answers))
    registrations.add_change(
        session,
        registration.id,
        actor=actor,
        action=ANSWERS,
        before=before,
        after=after,
        now=now,
    )


def would_change(
    session: Session,
    registration: Registration,
    *,
    family_name: str,
    given_name: str,
    answers: Mapping[str, Answer],
    form_version_id: int,
) -> bool:
    """Tell whether `change_answers` would change anything."""
    stored = read_answers(session, registration)
    answers = keep_unasked(read_definition(session, form_version_id), answers, stored)
    names = (registration.family_name, registration.given_name)
    return names != (family_name, given_name) or dict(answers) != stored


def erase_answers(session: Session, registration: Registration, *, now: datetime) -> None:
    """Forget names and answers, past ones too: they belong to somebody else than the address."""
    registration.family_name = ""
    registration.given_name = ""
    registration.updated_at = now
    registrations.replace_answers(session, registration.id, [])
    registrations.erase_changes(session, registration.id, action=ANSWERS)


def write_answers(
    definition: FormDefinition, answers: Mapping[str, Answer]
) -> dict[str, str | list[str]]:
    """Write answers as they are sent: a text, or an array of the boxes that were ticked."""
    written: dict[str, str | list[str]] = {}
    for name, given in answers.items():
        question = definition.get_question(name)
        has_many = question is not None and question.kind is QuestionKind.CHECKBOXES
        is_one = len(given.values) == 1 and not has_many
        written[name] = given.values[0] if is_one else list(given.values)
        if given.other:
            written[f"{name}_other"] = given.other
    return written


def _describe(registration: Registration, answers: Mapping[str, Answer]) -> dict[str, Any]:
    return {
        "family_name": registration.family_name,
        "given_name": registration.given_name,
        "answers": answers_to_json(answers),
    }
