"""What the columns of a table of people hold, told by their headings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .questions import Question
from .registration_index import fold

FAMILY_NAME, GIVEN_NAME, FULL_NAME = "family_name", "given_name", "full_name"
EMAIL, LANGUAGE = "email", "language"
FIXED = (FAMILY_NAME, GIVEN_NAME, FULL_NAME, EMAIL, LANGUAGE)

_KNOWN = {
    FAMILY_NAME: (
        "姓",
        "苗字",
        "お名前（姓）",
        "氏名（姓）",
        "Family name",
        "Last name",
        "Surname",
    ),
    GIVEN_NAME: ("名", "お名前（名）", "氏名（名）", "Given name", "First name"),
    FULL_NAME: ("氏名", "お名前", "名前", "参加者名", "Name", "Full name"),
    EMAIL: ("メールアドレス", "メール", "Eメール", "Email", "E-mail", "Email address", "Mail"),
    LANGUAGE: ("言語", "Language"),
}
# What a question may be called where its label is longer, by what browsers fill in there.
_ALSO = {
    "organization": ("会社", "会社名", "企業名", "団体名", "所属", "Company", "Organization"),
    "organization-title": ("役職", "肩書", "Job title", "Title", "Position"),
    "tel": ("電話番号", "電話", "TEL", "Phone"),
    "postal-code": ("郵便番号", "Postal code", "ZIP"),
}
_PARTS = re.compile(r"[・/／、（）()]")

QUESTION = "?"
"""Begins the name of a column that answers a question; the rest is the question's id."""


def guess_columns(headings: Sequence[str], questions: Iterable[Question]) -> dict[int, str]:
    """Say by place what each column seems to hold; nothing of it twice, the first one counts."""
    names = {fold(word): name for name, words in _KNOWN.items() for word in words}
    asked = [question for question in questions if not question.is_consent]
    # A whole label says more than a part of one, and that more than what is usual.
    for read in (_list_usual, _list_parts, _list_labels):
        for question in asked[::-1]:
            names |= {fold(word): QUESTION + question.id for word in read(question) if fold(word)}
    columns: dict[int, str] = {}
    for place, heading in enumerate(headings):
        name = names.get(fold(heading))
        if name is not None and name not in columns.values():
            columns[place] = name
    return columns


def list_missing(columns: Mapping[int, str], questions: Iterable[Question] = ()) -> list[str]:
    """List the columns without which nobody can be registered."""
    found = set(columns.values())
    names = () if FULL_NAME in found else (FAMILY_NAME, GIVEN_NAME)
    needed = (
        QUESTION + question.id
        for question in questions
        if question.required and not question.is_consent and question.condition is None
    )
    return [name for name in (*names, EMAIL, *needed) if name not in found]


def _list_labels(question: Question) -> Iterator[str]:
    yield from question.label.values()


def _list_parts(question: Question) -> Iterator[str]:
    for label in question.label.values():
        yield from _PARTS.split(label)


def _list_usual(question: Question) -> Iterator[str]:
    yield from _ALSO.get(question.autocomplete or "", ())


def split_name(text: str, locale: str) -> tuple[str, str]:
    """Split a name at white space into (family name, given name); one word is a family's."""
    first, *rest = text.split() or [""]
    if not rest:
        return first, ""
    if locale == "ja":
        return first, " ".join(rest)
    return rest[-1], " ".join([first, *rest[:-1]])
