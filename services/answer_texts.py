"""Writing answers for people: labels instead of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .questions import OTHER, Answer, FormDefinition, Question, QuestionKind
from .texts import localize

_OTHER = {"ja": "その他", "en": "Other"}

NamePlace = Callable[[QuestionKind, str, str], str]
"""Names a prefecture or country: (kind, code, locale) to text."""


def list_answer_texts(
    definition: FormDefinition, answers: Mapping[str, Answer], locale: str, name_place: NamePlace
) -> list[tuple[str, str]]:
    """Return (label, answer) for each answered question, in the form's order, a choice a line."""
    return [
        (
            localize(question.label, locale),
            "\n".join(_write_values(question, answer, locale, name_place)),
        )
        for question in definition.questions
        if (answer := answers.get(question.id)) is not None
    ]


def write_answer(question: Question, answer: Answer, locale: str, name_place: NamePlace) -> str:
    """Write one answer in a language; several choices are joined with that language's comma."""
    separator = "、" if locale == "ja" else ", "
    return separator.join(_write_values(question, answer, locale, name_place))


def _write_values(
    question: Question, answer: Answer, locale: str, name_place: NamePlace
) -> list[str]:
    return [
        _write_value(question, value, answer.other, locale, name_place) for value in answer.values
    ]


def _write_value(
    question: Question, value: str, other: str, locale: str, name_place: NamePlace
) -> str:
    if question.kind in (QuestionKind.PREFECTURE, QuestionKind.COUNTRY):
        return name_place(question.kind, value, locale)
    is_other = question.has_other and value == OTHER
    if is_other and other:
        return other
    for choice in question.choices:
        if choice.value == value:
            return localize(choice.label, locale)
    return localize(_OTHER, locale) if is_other else value
