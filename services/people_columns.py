"""What the columns of a table of people hold, told by their headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
QUESTION = "?"
"""Begins the name of a column that answers a question; the rest is the question's id."""


def guess_columns(headings: Sequence[str], questions: Iterable[Question]) -> dict[int, str]:
    """Say by place what each column seems to hold; nothing of it twice, the first one counts."""
    names = {fold(word): name for name, words in _KNOWN.items() for word in words}
    for question in questions:
        if not question.is_consent:
            names |= {fold(label): QUESTION + question.id for label in question.label.values()}
    columns: dict[int, str] = {}
    for place, heading in enumerate(headings):
        name = names.get(fold(heading))
        if name is not None and name not in columns.values():
            columns[place] = name
    return columns


def list_missing(columns: Mapping[int, str]) -> list[str]:
    """List the columns without which nobody can be registered."""
    found = set(columns.values())
    names = () if FULL_NAME in found else (FAMILY_NAME, GIVEN_NAME)
    return [name for name in (*names, EMAIL) if name not in found]


def split_name(text: str, locale: str) -> tuple[str, str]:
    """Split a name at white space into (family name, given name); one word is a family's."""
    first, *rest = text.split() or [""]
    if not rest:
        return first, ""
    if locale == "ja":
        return first, " ".join(rest)
    return rest[-1], " ".join([first, *rest[:-1]])
