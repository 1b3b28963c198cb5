"""Pages as bytes: drawn once, then only what differs from visitor to visitor is put in.

A page is drawn with marks in the places of those values, and kept by everything else that it was
drawn from. What is kept therefore holds nobody's data, and two pages with the same key are equal.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from markupsafe import escape

MAX_KEPT = 200

# Nobody's text can hold it, and neither HTML nor an address changes it.
_SECRET = secrets.token_hex(12)
_MARK = re.compile(rf"{_SECRET}([a-z_]+)-")

Value = TypeVar("Value")


def mark(name: str) -> str:
    """Return a placeholder for the value of this name."""
    return f"{_SECRET}{name}-"


class Kept(Generic[Value]):
    """The values made last, by key."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def find(self, key: Hashable) -> Value | None:
        return self._values.get(key)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        value = self._values.get(key)
        if value is None:
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
        return value


class KeptPages:
    """Pages, each split at its marks."""

    def __init__(self) -> None:
        self._pages: Kept[list[bytes | str]] = Kept()

    def fill(self, key: Hashable, values: Mapping[str, str], draw: Callable[[], str]) -> bytes:
        """Return the page of this key, drawing it if need be, with values in place of its marks.

        Values are escaped, but for Markup.
        """
        return _join(self._pages.get(key, lambda: _split(draw())), values)


def fill(page: str, values: Mapping[str, str]) -> bytes:
    """Put values in the places of a page's marks, of a page that is not worth keeping."""
    return _join(_split(page), values)


def _split(page: str) -> list[bytes | str]:
    """Return bytes and, between them, the names of marks."""
    parts = _MARK.split(page)
    return [part if number % 2 else part.encode() for number, part in enumerate(parts)]


def _join(parts: list[bytes | str], values: Mapping[str, str]) -> bytes:
    written = {name: escape(value).encode() for name, value in values.items()}
    return b"".join([part if isinstance(part, bytes) else written[part] for part in parts])
