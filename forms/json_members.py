"""Reading the members of a JSON object, and noting each one that is not what it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

_MOST_FAULTS = 100


@dataclass(frozen=True)
class Fault:
    """What is wrong with one part of a body: `pointer` says where (RFC 6901).

    `code` is for programs, `detail` for people, `suggestion` what was probably meant.
    """

    pointer: str
    code: str
    detail: str
    suggestion: str = ""


class Members:
    """The members of one object; all that are part of a body share their list of faults."""

    def __init__(
        self, values: Mapping[str, Any], pointer: str = "", faults: list[Fault] | None = None
    ) -> None:
        self.values = values
        self.faults: list[Fault] = [] if faults is None else faults
        self._pointer = pointer

    def point_at(self, name: str) -> str:
        return f"{self._pointer}/{name.replace('~', '~0').replace('/', '~1')}"

    def refuse(self, name: str, code: str, detail: str, suggestion: str = "") -> None:
        """Note a fault, the first one of each place."""
        pointer = self.point_at(name)
        if len(self.faults) < _MOST_FAULTS and all(f.pointer != pointer for f in self.faults):
            self.faults.append(Fault(pointer, code, detail, suggestion))

    def refuse_unknown(self, *known: str) -> None:
        for name in self.values:
            if name not in known:
                self.refuse(name[:100], "unknown", _("This is not known here"))

    def take_text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        if isinstance(value, str):
            return value
        self.refuse(name, "type", _("Send a text"))
        return default

    def take_number(self, name: str) -> int | None:
        value = self.values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if name in self.values:
            self.refuse(name, "type", _("Send a whole number"))
        else:
            self.refuse(name, "required", _("This is missing"))
        return None

    def take_flag(self, name: str) -> bool | None:
        """Return None for what is not there."""
        value = self.values.get(name)
        if name not in self.values or isinstance(value, bool):
            return value
        self.refuse(name, "type", _("Send true or false"))
        return None

    def take_texts(self, name: str) -> list[str]:
        """Return what is one text, or an array of some."""
        value = self.values[name]
        texts = value if isinstance(value, list) else [value]
        if all(isinstance(text, str) for text in texts):
            return texts
        self.refuse(name, "type", _("Send a text, or an array of texts"))
        return []

    def take_members(self, name: str) -> Members:
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            self.refuse(name, "type", _("Send an object"))
            value = {}
        return Members(value, self.point_at(name), self.faults)
