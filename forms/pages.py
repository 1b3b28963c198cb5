"""Fields of the dashboard's pages of settings, in the language of the request."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from wtforms.fields.core import UnboundField

from .accounts import SecretField
from .fields import Answered, ChoiceField, LineField, Validator
from .normalise import clean_line, clean_text, is_readable_text
from .rows import Option, OptionGroup, Row


def build_line(
    name: str,
    label: str,
    *,
    longest: int,
    help_text: str = "",
    needed: str = "",
    width: str = "wide",
    checks: tuple[Validator, ...] = (),
    **drawing: Any,
) -> UnboundField:
    """Make a field of one line; `needed` is what an empty one is told, else it may be empty."""
    row = _make_row(name, label, help_text, bool(needed), longest, width=width, **drawing)
    return LineField(row, clean_line, [Answered(needed or None), *checks])


def build_text(
    name: str,
    label: str,
    *,
    longest: int,
    help_text: str = "",
    required: bool = False,
    condition: tuple[str, tuple[str, ...]] | None = None,
    checks: tuple[Validator, ...] = (),
) -> UnboundField:
    """Make a field of several lines; the caller says what an empty one is told."""
    row = _make_row(
        name,
        label,
        help_text,
        required,
        longest,
        kind="textarea",
        width="full",
        condition=condition,
    )
    return LineField(row, clean_text, [Answered(None), *checks], is_readable_text)


def build_secret(name: str, label: str, *, help_text: str = "", needed: str = "") -> UnboundField:
    """Make a field of which nothing is ever shown again."""
    drawing = {"input_type": "password", "autocomplete": "off"}
    row = _make_row(name, label, help_text, bool(needed), None, **drawing)
    return SecretField(row, [Answered(needed or None)])


def build_choice(
    name: str,
    label: str,
    choices: list[tuple[str, str]],
    *,
    help_text: str = "",
    kind: str = "radio",
    required: bool = True,
) -> UnboundField:
    """Make a field of radio buttons, or with `kind="select"` a list to pull down."""
    options = tuple(Option(value, text) for value, text in choices)
    row = _make_row(
        name, label, help_text, required, None, kind=kind, groups=(OptionGroup("", options),)
    )
    needed = _("Select %(label)s", label=label) if required else None
    return ChoiceField(row, [value for value, _text in choices], [Answered(needed)])


def _make_row(
    name: str,
    label: str,
    help_text: str,
    required: bool,
    longest: int | None,
    *,
    kind: str = "text",
    **drawing: Any,
) -> Row:
    return Row(
        kind=kind,
        name=name,
        label=label,
        error_label=label,
        help=help_text,
        required=required,
        max_length=longest,
        **drawing,
    )
