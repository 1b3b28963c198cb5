"""What a template needs to draw one row of a form: plain values, no markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Option(NamedTuple):
    """One choice. The control of the n-th one has the id `<row.name>-<n>`, counted from 1.

    `closed` says in words why nobody can change whether it is chosen.
    """

    value: str
    label: str
    closed: str = ""


class OptionGroup(NamedTuple):
    """Choices under one heading; an empty label means no heading."""

    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One label with its controls.

    `kind` is a `QuestionKind`, or `name` (two controls, in `parts`), or `email`. `label` is text,
    `error_label` the same inside a sentence. `width` is `narrow`, `medium`, `wide` or `full`.
    `is_switch`: one box that is on or off, where neither is left out. `are_dates`: its choices are.
    `condition` names the field that decides whether this row shows, and the values that show it.
    `values`, `other_text`, `errors` and `other_errors` are one person's; the rest is the same for
    everybody. `notice_summary` and `notice` (Markdown) belong to consents.
    """

    kind: str
    name: str
    label: str
    error_label: str
    help: str = ""
    required: bool = False
    input_type: str = "text"
    inputmode: str | None = None
    autocomplete: str | None = None
    max_length: int | None = None
    width: str = "wide"
    groups: tuple[OptionGroup, ...] = ()
    has_other: bool = False
    is_switch: bool = False
    are_dates: bool = False
    condition: tuple[str, tuple[str, ...]] | None = None
    consent: str | None = None
    notice_summary: str = ""
    notice: str = ""
    parts: tuple[Row, ...] = ()
    values: tuple[str, ...] = ()
    other_text: str = ""
    errors: tuple[str, ...] = ()
    other_errors: tuple[str, ...] = ()

    @property
    def control_id(self) -> str:
        """Return the id of the (first) control: where the label and an error's link lead."""
        return f"{self.name}-1" if self.kind in ("radio", "checkboxes") else self.name

    @property
    def other_name(self) -> str:
        """Return the name and id of the text box beside その他."""
        return f"{self.name}_other"

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def is_checked(self) -> bool:
        """Tell whether a consent's box is ticked."""
        return bool(self.values)

    @property
    def choices(self) -> tuple[Option, ...]:
        """Return the options of all groups."""
        return tuple(option for group in self.groups for option in group.options)

    def list_errors(self) -> list[tuple[str, str]]:
        """Return (control id, message) of all that is wrong in this row, in page order."""
        return [
            *((self.control_id, message) for message in self.errors),
            *((self.other_name, message) for message in self.other_errors),
            *(error for part in self.parts for error in part.list_errors()),
        ]
