"""The form of an event as plain values: questions, choices, conditions, consents.

A definition is immutable once saved: each change of an event's form makes a new version, so that
every answer and every consent can be shown with the wording that the person saw.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .texts import Text


class QuestionKind(StrEnum):
    """What a question asks for; each has one builder in `forms.questions`."""

    TEXT = "text"
    TEXTAREA = "textarea"
    KANA = "kana"
    SELECT = "select"
    RADIO = "radio"
    CHECKBOXES = "checkboxes"
    PREFECTURE = "prefecture"
    COUNTRY = "country"
    PHONE = "phone"
    POSTAL_CODE = "postal_code"
    DATE = "date"
    NUMBER = "number"
    CONSENT = "consent"


class ConsentKind(StrEnum):
    """What a box is about: PRIVACY is needed to register, OTHER is as the organizer says.

    The others never are: MARKETING is advertising by the organizer, COHOST by one co-host, and
    PROVISION gives data to one third party, which the question names as its `recipient`.
    """

    PRIVACY = "privacy"
    MARKETING = "marketing"
    COHOST = "cohost"
    PROVISION = "provision"
    OTHER = "other"


OPTIONAL = frozenset({ConsentKind.MARKETING, ConsentKind.COHOST, ConsentKind.PROVISION})
"""What people agree to freely, beside the registration, and take back when they like."""


OTHER = "other"
"""The value of the その他 choice; the typed text travels beside it."""


@dataclass(frozen=True)
class Choice:
    value: str
    label: Text


@dataclass(frozen=True)
class Condition:
    """Show a question only when another one has one of these values."""

    question_id: str
    values: tuple[str, ...]

    def is_met(self, answers: Mapping[str, Answer]) -> bool:
        answer = answers.get(self.question_id)
        return answer is not None and not set(answer.values).isdisjoint(self.values)


@dataclass(frozen=True)
class Question:
    """One question. `id` is `[a-z][a-z0-9_]{0,31}`, stable over versions, unique in its form.

    `max_length` counts characters; `minimum` and `maximum` bound a number, or a date as ISO text.
    `required_message` replaces "Enter {label}" where nothing was answered. `notice_summary` and
    `notice` (Markdown) belong to consents, and `attendance` is what their notice says where the
    event records who came. `zoom_field` names the field of Zoom's registrant that gets the answer
    (`org`, `job_title`, …) or, with `zoom_title`, a custom question; both empty means that the
    answer stays here, as one that `is_sensitive` has to.
    `recipient` is the official name of whom a consent of the kind `cohost` or `provision` is for.
    """

    id: str
    kind: QuestionKind
    label: Text
    help: Text = field(default_factory=dict)
    required: bool = False
    required_message: Text = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    has_other: bool = False
    condition: Condition | None = None
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    autocomplete: str | None = None
    consent: ConsentKind | None = None
    notice_summary: Text = field(default_factory=dict)
    notice: Text = field(default_factory=dict)
    attendance: Text = field(default_factory=dict)
    zoom_field: str | None = None
    zoom_title: str | None = None
    is_sensitive: bool = False
    recipient: str = ""

    @property
    def goes_to_zoom(self) -> bool:
        return bool(self.zoom_field or self.zoom_title)

    @property
    def is_consent(self) -> bool:
        return self.kind is QuestionKind.CONSENT

    @property
    def whole_notice(self) -> Text:
        """The notice with what the event adds to it."""
        return _append("\n\n", self.notice, self.attendance)

    @property
    def whole_summary(self) -> Text:
        return _append("\n", self.notice_summary, self.attendance)

    @property
    def is_needed(self) -> bool:
        """Tell whether nobody registers without it: a privacy consent always, a free one never."""
        if self.consent in (ConsentKind.PRIVACY, *OPTIONAL):
            return self.consent is ConsentKind.PRIVACY
        return self.required

    # Texts are dicts; a question is known by its id within one immutable definition.
    def __hash__(self) -> int:
        return hash((self.id, self.kind))


def _append(space: str, text: Text, addition: Text) -> Text:
    """Add to a text in each language that it has; where there is none, the addition is all."""
    if not addition or not text:
        return text or addition
    return {
        locale: f"{written}{space}{addition.get(locale, '')}" for locale, written in text.items()
    }


DATES = "event_dates"
"""The id of the question for the dates of a series; no other question has it."""


@dataclass(frozen=True)
class DatesQuestion(Question):
    """The dates of a series as choices, made from the event when a form is drawn, never stored.

    `closed` says of dates why nobody can choose them any more, `kept` which of them stay chosen,
    `plain` how tables write each.
    """

    closed: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    plain: Mapping[str, str] = field(default_factory=dict)

    __hash__ = Question.__hash__


@dataclass(frozen=True)
class FormDefinition:
    """One immutable version of an event's form. `version_id` is the key of its row.

    Raises:
        ValueError: the questions make no form; the message says which and why.
    """

    version_id: int
    number: int
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        check_questions(self.questions)

    def __hash__(self) -> int:
        return hash(self.version_id)

    def get_question(self, question_id: str) -> Question | None:
        return next((question for question in self.questions if question.id == question_id), None)

    def list_consents(self) -> list[Question]:
        return [question for question in self.questions if question.is_consent]


@dataclass(frozen=True)
class Answer:
    """What one person answered to one question.

    `values` has one entry for every kind but checkboxes: the text as stored, a choice's value, an
    ISO date, the digits of a phone number, `JP-13`, `JP`. `other` is the text typed beside その他.
    """

    values: tuple[str, ...]
    other: str = ""


LONGEST_ID = 32
_QUESTION_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")
_NEEDS_CHOICES = (QuestionKind.SELECT, QuestionKind.RADIO, QuestionKind.CHECKBOXES)
_READ_BOUND: dict[QuestionKind, Callable[[str], object]] = {
    QuestionKind.DATE: date.fromisoformat,
    QuestionKind.NUMBER: Decimal,
}


def check_questions(questions: Sequence[Question]) -> None:
    """Raise ValueError, naming the question, where a list of questions makes no form."""
    earlier: dict[str, Question] = {}
    for question in questions:
        if reason := _find_fault(question, earlier):
            raise ValueError(f"question {question.id!r} {reason}")
        earlier[question.id] = question


def _find_fault(question: Question, earlier: Mapping[str, Question]) -> str | None:
    if not _QUESTION_ID.fullmatch(question.id):
        return "needs an id of small letters, digits and _, at most 32, a letter first"
    if question.id == DATES and not isinstance(question, DatesQuestion):
        return "has the id that the dates of a series have"
    if question.id in earlier:
        return "is there twice"
    # The text beside その他 travels as `question_<id>_other`.
    if question.id.endswith("_other"):
        return "must not have an id that ends in _other"
    if not any(question.label.values()):
        return "has no label"
    if question.kind in _NEEDS_CHOICES and not question.choices:
        return "has no choices"
    values = [choice.value for choice in question.choices]
    if "" in values or len(set(values)) < len(values):
        return "has choices that are empty or there twice"
    if question.condition and not _can_decide(earlier.get(question.condition.question_id)):
        return "has a condition on something that isn't an earlier question"
    if question.is_sensitive and question.goes_to_zoom:
        return "is sensitive, so its answers must not go to Zoom"
    return _find_faulty_bound(question)


def _can_decide(controlling: Question | None) -> bool:
    return controlling is not None and not controlling.is_consent


def _find_faulty_bound(question: Question) -> str | None:
    read = _READ_BOUND.get(question.kind)
    for bound in (question.minimum, question.maximum):
        try:
            if bound and read:
                read(bound)
        except (ValueError, ArithmeticError):
            return f"has the bound {bound!r}, which can't be read"
    return None


def question_to_dict(question: Question) -> dict[str, Any]:
    """Turn a question into JSON values, leaving out what equals the default."""
    empty = Question(id="", kind=question.kind, label={})
    values = asdict(question)
    defaults = asdict(empty)
    return {
        key: value
        for key, value in values.items()
        if key in ("id", "kind", "label") or value != defaults[key]
    }


def question_from_dict(values: Mapping[str, Any]) -> Question:
    """Read what `question_to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: a member is missing, unknown or of another type.
    """
    members = dict(values)
    condition = members.pop("condition", None)
    choices = members.pop("choices", ())
    consent = members.pop("consent", None)
    return Question(
        kind=QuestionKind(members.pop("kind")),
        choices=tuple(Choice(value=c["value"], label=c["label"]) for c in choices),
        condition=(
            Condition(condition["question_id"], tuple(condition["values"])) if condition else None
        ),
        consent=ConsentKind(consent) if consent else None,
        **members,
    )


def questions_to_rows(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """Write questions as a database gives them back: lists and plain texts."""
    rows: list[dict[str, Any]] = json.loads(json.dumps([question_to_dict(q) for q in questions]))
    return rows


def questions_from_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    return tuple(question_from_dict(row) for row in rows)


def definition_from_rows(
    version_id: int, number: int, questions: Sequence[Mapping[str, Any]]
) -> FormDefinition:
    return FormDefinition(version_id, number, questions_from_rows(questions))


def answers_to_json(answers: Mapping[str, Answer]) -> dict[str, Any]:
    return {
        question_id: {"values": list(answer.values)}
        | ({"other": answer.other} if answer.other else {})
        for question_id, answer in answers.items()
    }


def answers_from_json(values: Mapping[str, Any]) -> dict[str, Answer]:
    return {
        question_id: Answer(tuple(answer["values"]), answer.get("other", ""))
        for question_id, answer in values.items()
    }
