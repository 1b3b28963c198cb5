"""What an organizer does to the questions of a form, one act at a time, on plain values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from .questions import (
    LONGEST_ID,
    Choice,
    ConsentKind,
    Question,
    QuestionKind,
    check_questions,
)

Questions = tuple[Question, ...]

MOST_QUESTIONS = 100
MOST_CHOICES = 100
_LONGEST_STEM = LONGEST_ID - 5


class Refusal(StrEnum):
    """Why an act on a form is not done."""

    UNKNOWN = "unknown"
    NEEDS_ITS_QUESTION = "needs_its_question"
    OTHERS_NEED_IT = "others_need_it"
    ONE_OF_ITS_KIND = "one_of_its_kind"
    TOO_MANY = "too_many"


class ActRefused(Exception):
    """An act would leave no form; `about` are the questions that stand in the way."""

    def __init__(self, refusal: Refusal, *about: Question) -> None:
        super().__init__(f"{refusal}: {', '.join(question.id for question in about)}")
        self.refusal = refusal
        self.about = about


# Between these the answers that were given stay answers: of one text, of one choice, of several.
_CHOICES = {QuestionKind.SELECT, QuestionKind.RADIO, QuestionKind.CHECKBOXES}
_BECOMES: dict[QuestionKind, set[QuestionKind]] = {
    QuestionKind.TEXT: {QuestionKind.TEXTAREA},
    QuestionKind.KANA: {QuestionKind.TEXT},
    QuestionKind.SELECT: _CHOICES,
    QuestionKind.RADIO: _CHOICES,
}


def order_questions(questions: Iterable[Question]) -> Questions:
    """Bring questions into the order of the page, which has consents last."""
    return tuple(sorted(questions, key=lambda question: question.is_consent))


def find_question(questions: Iterable[Question], question_id: str) -> Question:
    """Return the question of an id.

    Raises:
        ActRefused: there is none, perhaps any more.
    """
    found = next((question for question in questions if question.id == question_id), None)
    if found is None:
        raise ActRefused(Refusal.UNKNOWN)
    return found


def add_question(questions: Questions, question: Question) -> Questions:
    """Put a question at the end, consents after all others."""
    _check_alone(questions, question)
    if len(questions) >= MOST_QUESTIONS:
        raise ActRefused(Refusal.TOO_MANY)
    return _check(order_questions((*questions, question)))


def replace_question(questions: Questions, question: Question) -> Questions:
    """Put a question in the place of the one that has its id."""
    find_question(questions, question.id)
    return _check(tuple(question if q.id == question.id else q for q in questions))


def move_question(questions: Questions, question_id: str, position: int) -> Questions:
    """Put a question at a position, counted from 0, or as near to it as the page has it.

    Raises:
        ActRefused: it would stand before the question that decides whether it is shown.
    """
    question = find_question(questions, question_id)
    others = [other for other in questions if other.id != question_id]
    others.insert(max(position, 0), question)
    return _check(order_questions(others))


def shift_question(questions: Questions, question_id: str, steps: int) -> Questions:
    """Move a question up (negative) or down by so many places."""
    place = questions.index(find_question(questions, question_id))
    return move_question(questions, question_id, place + steps)


def remove_question(questions: Questions, question_id: str) -> Questions:
    """Take a question out.

    Raises:
        ActRefused: others are shown only where it was answered so.
    """
    find_question(questions, question_id)
    if dependents := list_dependents(questions, question_id):
        raise ActRefused(Refusal.OTHERS_NEED_IT, *dependents)
    return tuple(question for question in questions if question.id != question_id)


def duplicate_question(questions: Questions, question_id: str, taken: Collection[str]) -> Questions:
    """Put a copy of a question below it; what the original sends to Zoom the copy does not."""
    question = find_question(questions, question_id)
    copy = replace(question, id=choose_id(question.id, taken), zoom_field=None, zoom_title=None)
    _check_alone(questions, copy)
    place = questions.index(question) + 1
    if len(questions) >= MOST_QUESTIONS:
        raise ActRefused(Refusal.TOO_MANY)
    return _check((*questions[:place], copy, *questions[place:]))


def list_dependents(questions: Iterable[Question], question_id: str) -> list[Question]:
    """List the questions that are shown only for some answers to this one."""
    return [q for q in questions if q.condition and q.condition.question_id == question_id]


def list_deciding(questions: Iterable[Question], question_id: str) -> list[Question]:
    """List the questions on whose answers one may depend: choices that stand before it."""
    deciding = []
    for question in questions:
        if question.id == question_id:
            break
        if question.kind in DECIDING:
            deciding.append(question)
    return deciding


DECIDING = {*_CHOICES, QuestionKind.PREFECTURE, QuestionKind.COUNTRY}


def list_kinds(kind: QuestionKind, *, is_answered: bool) -> list[QuestionKind]:
    """List what a question of a kind can become; less where people have answered it already."""
    if kind is QuestionKind.CONSENT:
        return [kind]
    if is_answered:
        return [kind, *sorted(_BECOMES.get(kind, set()) - {kind}, key=list(QuestionKind).index)]
    return [other for other in QuestionKind if other is not QuestionKind.CONSENT]


def choose_id(stem: str, taken: Collection[str]) -> str:
    """Return an id that no question has or had: answers are known by it over all versions."""
    stem = re.sub(r"[^a-z0-9_]+", "_", stem.lower())[:_LONGEST_STEM].strip("_")
    if not re.match(r"[a-z]", stem) or stem.endswith("_other"):
        stem = "question"
    if stem in taken:
        stem = re.sub(r"_[0-9]+$", "", stem)
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name


def give_free_ids(questions: Iterable[Question], former: Iterable[Question]) -> Questions:
    """Rename questions whose id belonged to another kind, so that their answers do not mix."""
    questions = tuple(questions)
    kinds = {question.id: question.kind for question in former}
    taken = {*kinds, *(question.id for question in questions)}
    names: dict[str, str] = {}
    for question in questions:
        if kinds.get(question.id, question.kind) != question.kind:
            names[question.id] = choose_id(question.id, taken)
            taken.add(names[question.id])
    return tuple(_rename(question, names) for question in questions)


def _rename(question: Question, names: Mapping[str, str]) -> Question:
    condition = question.condition
    if condition:
        deciding = names.get(condition.question_id, condition.question_id)
        condition = replace(condition, question_id=deciding)
    return replace(question, id=names.get(question.id, question.id), condition=condition)


def choose_value(taken: Collection[str]) -> str:
    """Return the stored value of a new choice, which none has or had."""
    number = len(taken) + 1
    while f"choice{number}" in taken:
        number += 1
    return f"choice{number}"


def name_choices(choices: Iterable[Choice], taken: Collection[str]) -> tuple[Choice, ...]:
    """Give a value to choices without one; a renamed choice keeps its value and its answers."""
    choices = tuple(choices)
    known = {*taken, *(choice.value for choice in choices if choice.value)}
    named = []
    for choice in choices:
        value = choice.value or choose_value(known)
        known.add(value)
        named.append(replace(choice, value=value))
    return tuple(named)


def _check(questions: Sequence[Question]) -> Questions:
    """Refuse an order in which a question stands before the one that it depends on."""
    earlier: set[str] = set()
    for question in questions:
        condition = question.condition
        if condition and condition.question_id not in earlier:
            deciding = (q for q in questions if q.id == condition.question_id)
            raise ActRefused(Refusal.NEEDS_ITS_QUESTION, question, *deciding)
        earlier.add(question.id)
    check_questions(questions)
    return tuple(questions)


def _check_alone(questions: Iterable[Question], question: Question) -> None:
    """Allow one privacy notice and one box for advertising mail in a form."""
    if question.consent not in (ConsentKind.PRIVACY, ConsentKind.MARKETING):
        return
    for other in questions:
        if other.consent is question.consent:
            raise ActRefused(Refusal.ONE_OF_ITS_KIND, other)
