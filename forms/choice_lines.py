"""The choices of a question as lines of its editor, each in both languages, moved and added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from services.form_editing import MOST_CHOICES
from services.question_documents import LONGEST_LABEL
from services.questions import Choice
from services.texts import LOCALES

from .organizer_fields import build_line

BLANK_LINES = 3
_LINE = re.compile(r"choice_([0-9]{1,3})_(?:ja|en|value)")
_ACT = re.compile(r"(up|down|drop):([0-9]{1,3})")


def name_line(number: int, locale: str) -> str:
    return f"choice_{number}_{locale}"


def write_lines(choices: Iterable[Choice]) -> dict[str, str]:
    """Return what stands in the lines of some choices, by the names of their fields."""
    values: dict[str, str] = {}
    for number, choice in enumerate(choices):
        values[f"choice_{number}_value"] = choice.value
        values |= {name_line(number, each): choice.label.get(each, "") for each in LOCALES}
    return values


def change_lines(typed: MultiDict[str, str], act: str) -> MultiDict[str, str] | None:
    """Return what was typed with one line moved or dropped, or with more to fill in.

    None if `act` is none of these.
    """
    lines = _read_all(typed)
    if found := _ACT.fullmatch(act):
        number = int(found[2])
        if number >= len(lines):
            return None
        line = lines.pop(number)
        if found[1] != "drop":
            lines.insert(max(number + (-1 if found[1] == "up" else 1), 0), line)
    elif act == "more":
        lines += [Choice("", {})] * BLANK_LINES
    else:
        return None
    kept = [(name, value) for name, value in typed.items(multi=True) if not _LINE.fullmatch(name)]
    return MultiDict([*kept, *write_lines(lines[:MOST_CHOICES]).items()])


def count_lines(values: Mapping[str, str]) -> int:
    """Return how many lines there are, filled in or not."""
    numbers = [int(found[1]) for name in values if (found := _LINE.fullmatch(name))]
    return min(max(numbers, default=-1) + 1, MOST_CHOICES)


def build_lines(count: int) -> dict[str, UnboundField]:
    names = {"ja": _("Japanese"), "en": _("English")}
    return {
        name_line(number, locale): build_line(
            name_line(number, locale),
            _("Choice %(number)s (%(language)s)", number=number + 1, language=names[locale]),
            longest=LONGEST_LABEL,
            width="full",
        )
        for number in range(count)
        for locale in LOCALES
    }


def _read_all(values: Mapping[str, str]) -> list[Choice]:
    lines = []
    for number in range(count_lines(values)):
        label = {each: values.get(name_line(number, each), "").strip() for each in LOCALES}
        label = {each: text for each, text in label.items() if text}
        lines.append(Choice(values.get(f"choice_{number}_value", "")[:100], label))
    return lines
