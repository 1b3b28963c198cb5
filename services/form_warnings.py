"""What an organizer should think of before a form is published; nothing of it is forbidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from .questions import OTHER, ConsentKind, Question, QuestionKind
from .texts import LOCALES, Text

MOST_FIELDS = 10
"""With more to fill in, people leave: name and address count too, boxes to tick do not."""


class Concern(StrEnum):
    """What a warning is about."""

    MANY_FIELDS = "many_fields"
    NO_NOTICE = "no_notice"
    SENSITIVE_WORD = "sensitive_word"
    UNGUARDED_TEXT = "unguarded_text"
    ONE_LANGUAGE = "one_language"
    CUT_AT_ZOOM = "cut_at_zoom"
    NEVER_SHOWN = "never_shown"


@dataclass(frozen=True)
class Warned:
    """One warning: the question that it is about, and the word or number that brought it up."""

    concern: Concern
    question: Question | None = None
    about: str = ""


def list_warnings(questions: Iterable[Question], locale: str) -> list[Warned]:
    """List what is worth a second look in a form of an event whose own language is `locale`."""
    questions = tuple(questions)
    return [
        *_look_at_form(questions, locale),
        *(warned for question in questions for warned in _look_at_question(question, questions)),
    ]


def count_fields(questions: Iterable[Question]) -> int:
    """Count what there is to fill in: name, address, and every question but boxes to tick."""
    return 2 + sum(not question.is_consent for question in questions)


def find_sensitive_word(question: Question) -> str:
    """Return the first word that asks for what the law protects with special care, or nothing.

    Source: APPI 2(3) and its order 2 (race, belief, status, health, crime), GDPR 9 and 10.
    """
    texts: list[Text] = [question.label, *(choice.label for choice in question.choices)]
    for text in (part for each in texts for part in each.values()):
        if found := _SENSITIVE.search(text):
            return found.group()
    return ""


def _look_at_form(questions: tuple[Question, ...], locale: str) -> Iterator[Warned]:
    if (fields := count_fields(questions)) > MOST_FIELDS:
        yield Warned(Concern.MANY_FIELDS, about=str(fields))
    notices = [q for q in questions if q.consent is ConsentKind.PRIVACY]
    if not any(question.notice.get(locale, "").strip() for question in notices):
        yield Warned(Concern.NO_NOTICE)


def _look_at_question(question: Question, questions: tuple[Question, ...]) -> Iterator[Warned]:
    if _is_never_shown(question, questions):
        yield Warned(Concern.NEVER_SHOWN, question)
    if question.is_consent:
        return
    if not question.is_sensitive and (word := find_sensitive_word(question)):
        yield Warned(Concern.SENSITIVE_WORD, question, word)
    if question.kind is QuestionKind.TEXTAREA:
        if not any(question.help.values()):
            yield Warned(Concern.UNGUARDED_TEXT, question)
        if question.goes_to_zoom:
            yield Warned(Concern.CUT_AT_ZOOM, question)
    if _speaks_both(questions) and not _is_in_both(question):
        yield Warned(Concern.ONE_LANGUAGE, question)


def _is_never_shown(question: Question, questions: Iterable[Question]) -> bool:
    """Tell whether a question waits for answers that nobody can give any more."""
    condition = question.condition
    if condition is None:
        return False
    for deciding in questions:
        if deciding.id == condition.question_id and deciding.choices:
            offered = {choice.value for choice in deciding.choices}
            offered |= {OTHER} if deciding.has_other else set()
            return offered.isdisjoint(condition.values)
    return False


def _speaks_both(questions: Iterable[Question]) -> bool:
    """Tell whether a form is meant for readers of both languages, as most of its labels say."""
    both = [all(question.label.get(each) for each in LOCALES) for question in questions]
    return sum(both) * 2 > len(both)


def _is_in_both(question: Question) -> bool:
    texts = [question.label, *(choice.label for choice in question.choices)]
    texts += [question.help] if any(question.help.values()) else []
    return all(text.get(locale) for text in texts for locale in LOCALES)


# Parts of words in Japanese; whole words or their beginnings in English.
_JA = (
    *(
        "病歴",
        "病気",
        "疾患",
        "疾病",
        "健康診断",
        "健康状態",
        "既往",
        "通院",
        "服薬",
        "投薬",
        "妊娠",
    ),
    *("障害者", "障がい", "障碍", "障害の有無", "配慮が必要", "アレルギー", "ワクチン", "体調"),
    *("信条", "信仰", "宗教", "支持政党", "政治", "思想", "労働組合", "人種", "民族", "社会的身分"),
    *("本籍", "犯罪", "前科", "逮捕", "刑罰", "性的", "遺伝"),
)
_EN = (
    *("health", "illness", "disease", "medical condition", "medication", "diagnos", "pregnan"),
    *("disab", "allerg", "vaccin", "handicap", "special needs", "religio", "belief", "faith"),
    *("politic", "trade union", "race", "racial", "ethnic", "crimin", "convict", "sexual"),
    *("sexuality", "gender identity", "genetic", "biometric"),
)
_SENSITIVE = re.compile("|".join(_JA) + r"|\b(?:" + "|".join(_EN) + r")\w*", re.IGNORECASE)
