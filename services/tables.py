"""Reading a table that a person wrote, key by key, and saying in words what is wrong with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from .markdown import MOST_CELLS, MOST_COLUMNS, are_tables_small
from .texts import LOCALES, Text

T = TypeVar("T")
D = TypeVar("D")

_KINDS = {
    str: "a text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list in [ ]",
    dict: "a table",
    datetime: "a date and time such as 2026-12-10 14:00:00",
}


class DocumentError(ValueError):
    """A document cannot be used; the message names the key and says what is expected."""


class Table:
    """One table of a document. What nobody has taken when it is closed is an unknown key."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = dict(values)
        self._path = path

    def take(self, key: str, kind: type[T], default: D) -> T | D:
        """Return a value of one kind, or the default where the key is absent."""
        if key not in self._values:
            return default
        value = self._values.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.fault(key, f"must be {_KINDS[kind]}")
        return value

    def need(self, key: str, kind: type[T]) -> T:
        value = self.take(key, kind, None)
        if value is None:
            raise self.fault(key, "is missing")
        return value

    def take_text(self, key: str, longest: int, default: str = "") -> str:
        return self._check_text(key, self.take(key, str, default), longest)

    def need_text(self, key: str, longest: int) -> str:
        text = self._check_text(key, self.need(key, str), longest)
        if not text.strip():
            raise self.fault(key, "is empty")
        return text

    def take_choice(self, key: str, choices: Collection[str], default: D) -> str | D:
        value = self.take(key, str, None)
        if value is None:
            return default
        if value not in choices:
            raise self.fault(key, f"must be one of {', '.join(choices)}, not {value!r}")
        return value

    def take_number(self, key: str, *, least: int, most: int, default: D) -> int | D:
        value = self.take(key, int, None)
        if value is None:
            return default
        if not least <= value <= most:
            raise self.fault(key, f"must be {least} to {most}, not {value}")
        return value

    def take_localized(self, key: str, longest: int) -> Text:
        """Return a text in several languages: a table with a text for each."""
        table = self.take_table(key)
        if table is None:
            return {}
        texts = {locale: table.take_text(locale, longest) for locale in LOCALES}
        table.close()
        return {locale: text for locale, text in texts.items() if text}

    def take_markdown(self, key: str, longest: int) -> Text:
        """As `take_localized`, of texts that are drawn as Markdown."""
        texts = self.take_localized(key, longest)
        if not all(are_tables_small(text) for text in texts.values()):
            raise self.fault(
                key, f"has tables of more than {MOST_COLUMNS} columns, or {MOST_CELLS} cells in all"
            )
        return texts

    def take_table(self, key: str) -> Table | None:
        values = self.take(key, dict, None)
        return None if values is None else Table(values, f"{self._path}{key}.")

    def take_tables(self, key: str) -> Iterator[Table]:
        for number, values in enumerate(self.take(key, list, []), start=1):
            if not isinstance(values, dict):
                raise self.fault(key, "must be a list of tables")
            yield Table(values, f"{self._path}{key}[{number}].")

    def take_texts(self, key: str, longest: int) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.fault(key, "must be a list of texts in quotes")
        return tuple(self._check_text(key, value, longest) for value in values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def close(self) -> None:
        """Refuse what is left: a misspelt key would be lost without a word."""
        for key in self._values:
            raise self.fault(key, "is not a key that is known here")

    def fault(self, key: str, reason: str) -> DocumentError:
        return DocumentError(f"{self._path}{key} {reason}")

    def _check_text(self, key: str, text: str, longest: int) -> str:
        text = text.replace("\r\n", "\n")
        if len(text) > longest:
            raise self.fault(key, f"has more than {longest} characters")
        if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text):
            raise self.fault(key, "has a control character")
        return text
