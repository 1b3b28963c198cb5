"""Questions as tables of an event's file."""

from __future__ import annotations

from typing import Any

from .questions import (
    Choice,
    Condition,
    ConsentKind,
    Question,
    QuestionKind,
    check_questions,
    question_to_dict,
)
from .tables import DocumentError, Table

LONGEST_LABEL = 500
LONGEST_NOTICE = 30_000
LONGEST_ZOOM_TITLE = 128

ZOOM_FIELDS = (
    *("address", "city", "state", "zip", "country", "phone", "comments", "industry"),
    *("job_title", "org", "no_of_employees", "purchasing_time_frame", "role_in_purchase_process"),
)
"""Zoom's own fields for a registrant, besides name and address."""


def read_questions(table: Table) -> tuple[Question, ...] | None:
    """Return the questions, or None where the file has none.

    Raises:
        DocumentError: they make no form; the message names the key or the question.
    """
    if "questions" not in table:
        return None
    questions = tuple(_read_question(entry) for entry in table.take_tables("questions"))
    try:
        check_questions(questions)
    except ValueError as error:
        raise DocumentError(f"questions: {error}") from error
    return questions


def write_question(question: Question) -> dict[str, Any]:
    return {key: value for key, value in question_to_dict(question).items() if value is not None}


def _read_question(table: Table) -> Question:
    kind = table.take_choice("kind", list(QuestionKind), None)
    if kind is None:
        raise table.fault("kind", "is missing")
    consent = table.take_choice("consent", list(ConsentKind), None)
    if (kind == QuestionKind.CONSENT) != (consent is not None):
        raise table.fault("consent", f"belongs to questions of the kind {QuestionKind.CONSENT}")
    question = Question(
        id=table.need_text("id", 32),
        kind=QuestionKind(kind),
        label=table.take_localized("label", LONGEST_LABEL),
        help=table.take_localized("help", LONGEST_LABEL),
        required=table.take("required", bool, False),
        required_message=table.take_localized("required_message", LONGEST_LABEL),
        choices=tuple(_read_choice(choice) for choice in table.take_tables("choices")),
        has_other=table.take("has_other", bool, False),
        condition=_read_condition(table.take_table("condition")),
        max_length=table.take_number("max_length", least=1, most=10_000, default=None),
        minimum=table.take_text("minimum", 40) or None,
        maximum=table.take_text("maximum", 40) or None,
        autocomplete=table.take_text("autocomplete", 40) or None,
        consent=ConsentKind(consent) if consent else None,
        recipient=table.take_text("recipient", 200),
        notice_summary=table.take_localized("notice_summary", LONGEST_NOTICE),
        notice=table.take_markdown("notice", LONGEST_NOTICE),
        zoom_field=table.take_choice("zoom_field", ZOOM_FIELDS, None),
        zoom_title=table.take_text("zoom_title", LONGEST_ZOOM_TITLE) or None,
        is_sensitive=table.take("is_sensitive", bool, False),
    )
    table.close()
    if question.zoom_field and question.zoom_title:
        raise table.fault("zoom_title", "and zoom_field exclude each other")
    return question


def _read_choice(table: Table) -> Choice:
    choice = Choice(
        value=table.need_text("value", 100), label=table.take_localized("label", LONGEST_LABEL)
    )
    table.close()
    return choice


def _read_condition(table: Table | None) -> Condition | None:
    if table is None:
        return None
    condition = Condition(table.need_text("question_id", 32), table.take_texts("values", 100))
    table.close()
    return condition
