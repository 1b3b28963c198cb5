"""Fields of the dashboard's forms: lines, texts, choices, moments, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import wtforms
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.dates import YEARS, load_zone

from . import fields, normalise
from .rows import Option, OptionGroup, Row

LOCAL_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")


class OrganizerForm(wtforms.Form):
    """The base: `rows` and `error_list` speak of the outcome of `validate()`."""

    def __init__(self, formdata: MultiDict[str, str] | None = None) -> None:
        super().__init__(formdata)

    def process(
        self, formdata: MultiDict[str, str] | None = None, *_: object, **__: object
    ) -> None:
        for field in self:
            field.process(formdata)

    @property
    def rows(self) -> dict[str, Row]:
        """Return what to draw by the field's name, in the order of declaration."""
        return {
            field.name: field.filled_row() for field in self if isinstance(field, fields.RowField)
        }

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return [error for row in self.rows.values() for error in row.list_errors()]


def build_line(
    name: str,
    label: str,
    *,
    longest: int,
    missing: object = None,
    checks: Sequence[fields.Validator] = (),
    clean: Callable[[str], str] = normalise.clean_line,
    **drawing: Any,
) -> UnboundField:
    """Make one line; `missing` is said where it is empty and must not be."""
    drawing.setdefault("width", "full")
    row = _make_row(
        "text", name, label, required=missing is not None, max_length=longest, **drawing
    )
    return fields.LineField(row, clean, [fields.Answered(missing), *checks])


def build_text(
    name: str,
    label: str,
    *,
    longest: int,
    checks: Sequence[fields.Validator] = (),
    **drawing: Any,
) -> UnboundField:
    row = _make_row("textarea", name, label, max_length=longest, width="full", **drawing)
    return fields.LineField(
        row, normalise.clean_text, [fields.Answered(None), *checks], normalise.is_readable_text
    )


def build_choice(
    name: str,
    label: str,
    options: Sequence[tuple[str, str]],
    *,
    kind: str = "radio",
    is_needed: bool = True,
    **drawing: Any,
) -> UnboundField:
    group = OptionGroup("", tuple(Option(*option) for option in options))
    row = _make_row(kind, name, label, required=is_needed, groups=(group,), **drawing)
    missing = lazy_gettext("Select %(label)s", label=label) if is_needed else None
    return fields.ChoiceField(row, dict.fromkeys(v for v, _ in options), [fields.Answered(missing)])


def build_switch(name: str, label: str, text: str, **drawing: Any) -> UnboundField:
    """Make one box to tick, whose text says what it does; `data` is empty where it is off."""
    group = OptionGroup("", (Option("yes", text),))
    row = _make_row("checkboxes", name, label, groups=(group,), **drawing)
    return fields.ChoicesField(row, {"yes": None}, [fields.Answered(None)])


def build_moment(name: str, label: str, *, missing: object = None, help: str = "") -> UnboundField:
    """Make a date with a time of day, in a zone that another field names."""
    row = _make_row(
        "text",
        name,
        label,
        required=missing is not None,
        input_type="datetime-local",
        max_length=40,
        width="medium",
        help=help,
    )
    return fields.LineField(row, str.strip, [fields.Answered(missing), _check_moment])


def build_number(
    name: str, label: str, *, least: int, most: int, missing: object = None, **drawing: Any
) -> UnboundField:
    row = _make_row(
        "text",
        name,
        label,
        required=missing is not None,
        inputmode="numeric",
        max_length=12,
        width="narrow",
        **drawing,
    )
    digits = fields.Matches(r"[0-9]{1,9}", fields.say_number)
    bounds = fields.Between(int, (str(least), str(most)), fields.say_small, fields.say_large)
    checks = [fields.Answered(missing), digits, bounds]
    return fields.LineField(row, normalise.clean_number, checks)


def read_moment(text: str, timezone: str) -> datetime | None:
    """Read what `build_moment` accepted, as local to a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=load_zone(timezone)) if text else None


def write_moment(at: datetime | None, timezone: str) -> str:
    return f"{at.astimezone(load_zone(timezone)):%Y-%m-%dT%H:%M}" if at else ""


def _make_row(kind: str, name: str, label: str, **drawing: Any) -> Row:
    return Row(kind=kind, name=name, label=label, error_label=label, **drawing)


def _check_moment(form: wtforms.Form, field: fields.RowField) -> None:
    try:
        moment = datetime.fromisoformat(field.data)
    except ValueError:
        moment = None
    if moment is None or not LOCAL_MOMENT.fullmatch(field.data):
        raise StopValidation(
            _("Enter %(label)s as date and time, like 2026-12-10T14:00", label=field.row.label)
        )
    if moment.year not in YEARS:
        raise StopValidation(_("Check the year of %(label)s", label=field.row.label))
