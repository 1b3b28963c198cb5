"""Reading a table of people that was pasted or read from a file: columns by their headings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .questions import Question
from .registration_exports import defuse
from .registration_index import fold

MOST_ROWS = 1_000

FAMILY_NAME, GIVEN_NAME, EMAIL = "family_name", "given_name", "email"
_KNOWN = {
    FAMILY_NAME: ("姓", "お名前（姓）", "Family name", "Last name", "Surname"),
    GIVEN_NAME: ("名", "お名前（名）", "Given name", "First name"),
    EMAIL: ("メールアドレス", "メール", "Email", "E-mail", "Email address", "Mail"),
}


@dataclass(frozen=True)
class PeopleTable:
    """The rows below the headings; `columns` says what each place holds, `ignored` what nothing.

    A column is `family_name`, `given_name`, `email` or the id of a question with `?` before it.
    """

    columns: Mapping[int, str]
    ignored: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def missing(self) -> list[str]:
        """The columns without which nobody can be registered."""
        found = set(self.columns.values())
        return [name for name in (FAMILY_NAME, GIVEN_NAME, EMAIL) if name not in found]


def read_table(text: str, questions: Iterable[Question]) -> PeopleTable:
    """Read tab-separated text, as spreadsheets copy it, or CSV; apostrophes of exports go."""
    first = text.lstrip("\ufeff\r\n").split("\n", 1)[0]
    delimiter = max("\t,;", key=first.count)
    rows = [
        [_undo_defusing(cell.strip()) for cell in row]
        for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        return PeopleTable({}, (), ())
    names = {fold(word): name for name, words in _KNOWN.items() for word in words}
    for question in questions:
        if not question.is_consent:
            names |= {fold(label): f"?{question.id}" for label in question.label.values()}
    columns = {place: name for place, word in enumerate(rows[0]) if (name := names.get(fold(word)))}
    ignored = [word for place, word in enumerate(rows[0]) if word and place not in columns]
    return PeopleTable(columns, ignored, rows[1 : MOST_ROWS + 1])


def _undo_defusing(cell: str) -> str:
    is_defused = cell.startswith("'") and defuse(cell[1:]) == cell
    return cell[1:] if is_defused else cell
