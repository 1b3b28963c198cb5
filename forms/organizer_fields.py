"""The dashboard's forms: their base, and their fields, each made in one language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import wtforms
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.dates import YEARS, load_zone
from services.texts import LOCALES

from . import fields, normalise
from .rows import Option, OptionGroup, Row

LONGEST_SECRET = 1_000
LOCAL_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")


class OrganizerForm(wtforms.Form):
    """The base of the dashboard's forms; errors speak of the outcome of `validate()`."""

    @property
    def rows(self) -> list[Row]:
        """Return what to draw, in the order of declaration."""
        return [field.filled_row() for field in self]

    @property
    def rows_by_name(self) -> dict[str, Row]:
        return {row.name: row for row in self.rows}

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return (control id, message) of all that is wrong, in page order."""
        return [error for row in self.rows for error in row.list_errors()]

    def read_text(self, name: str) -> dict[str, str]:
        """Return a text by language, without those that are empty."""
        texts = {locale: self[f"{name}_{locale}"].data for locale in LOCALES}
        return {locale: text for locale, text in texts.items() if text}

    def refuse(self, name: str, message: str) -> None:
        """Add an error that only the services could find."""
        self[name].errors = [*self[name].errors, message]


class SecretField(fields.RowField):
    """A password or a code: never shown again."""

    def process_data(self, value: str | None) -> None:
        self.data = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0][:LONGEST_SECRET] if valuelist else ""

    @property
    def shown_values(self) -> tuple[str, ...]:
        return ()


def build_form(
    made_of: Mapping[str, UnboundField], formdata: MultiDict[str, str] | None, **data: Any
) -> OrganizerForm:
    """Make a form of fields for one request; `data` are what stands in them at first."""
    return type("PageForm", (OrganizerForm,), dict(made_of))(formdata, data=data)  # type: ignore[no-any-return]


def build_line(
    name: str,
    label: str,
    *,
    longest: int,
    missing: object = "",
    checks: Sequence[fields.Validator] = (),
    clean: Callable[[str], str] = normalise.clean_line,
    **drawing: Any,
) -> UnboundField:
    """Make one line; `missing` is said where it is empty and must not be."""
    row = _make_row("text", name, label, required=bool(missing), max_length=longest, **drawing)
    return fields.LineField(row, clean, [fields.Answered(missing), *checks])


def build_text(
    name: str,
    label: str,
    *,
    longest: int,
    checks: Sequence[fields.Validator] = (),
    **drawing: Any,
) -> UnboundField:
    """Make several lines; where they are `required`, the caller says what an empty one is told."""
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
    missing: object = "",
    **drawing: Any,
) -> UnboundField:
    """Make radio buttons, or with `kind="select"` a list to pull down."""
    row = _make_row(kind, name, label, required=is_needed, groups=_group(options), **drawing)
    missing = (missing or lazy_gettext("Select %(label)s", label=label)) if is_needed else None
    return fields.ChoiceField(row, dict.fromkeys(v for v, _ in options), [fields.Answered(missing)])


def build_choices(
    name: str,
    label: str,
    options: Sequence[tuple[str, str]],
    *,
    missing: object = None,
    **drawing: Any,
) -> UnboundField:
    """Make boxes of which any number may be ticked; `missing` is said where one has to be."""
    row = _make_row(
        "checkboxes", name, label, required=bool(missing), groups=_group(options), **drawing
    )
    allowed = dict.fromkeys(v for v, _ in options)
    return fields.ChoicesField(row, allowed, [fields.Answered(missing)])


def build_both(
    name: str, label: str, build: Callable[..., UnboundField], **drawing: Any
) -> dict[str, UnboundField]:
    """Make one text in each language, named after it: `title_ja`, `title_en`."""
    names = {"ja": _("Japanese"), "en": _("English")}
    return {
        f"{name}_{locale}": build(
            f"{name}_{locale}",
            _("%(label)s (%(language)s)", label=label, language=names[locale]),
            **drawing,
        )
        for locale in LOCALES
    }


def build_switch(name: str, label: str, text: str, **drawing: Any) -> UnboundField:
    """Make one box to tick, whose text says what it does; `data` is empty where it is off."""
    return build_choices(name, label, [("yes", text)], is_switch=True, **drawing)


def build_secret(
    name: str,
    label: str,
    *,
    missing: object = "",
    check: fields.Validator | None = None,
    **drawing: Any,
) -> UnboundField:
    """Make a field of which nothing is ever shown again; `check` also says that it is empty."""
    drawing = {"input_type": "password", "autocomplete": "off"} | drawing
    row = _make_row("text", name, label, required=bool(missing or check), **drawing)
    return SecretField(row, [check or fields.Answered(missing)])


def build_client_secret(*, is_stored: bool) -> UnboundField:
    """Make the field of another service's secret, which may stay empty where one is stored."""
    return build_secret(
        "client_secret",
        _("Client secret"),
        help=_("Stored and never shown again. Leave this empty to keep it.")
        if is_stored
        else _("It is encrypted when it is stored, and never shown again."),
        missing="" if is_stored else _("Enter the client secret"),
    )


def build_moment(name: str, label: str, *, missing: object = "", help: str = "") -> UnboundField:
    """Make a date with a time of day, in a zone that another field names."""
    row = _make_row(
        "text",
        name,
        label,
        required=bool(missing),
        input_type="datetime-local",
        max_length=40,
        width="medium",
        help=help,
    )
    return fields.LineField(row, str.strip, [fields.Answered(missing), _check_moment])


def build_number(
    name: str, label: str, *, least: int, most: int, missing: object = "", **drawing: Any
) -> UnboundField:
    row = _make_row(
        "text",
        name,
        label,
        required=bool(missing),
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


def _group(options: Sequence[tuple[str, str]]) -> tuple[OptionGroup, ...]:
    return (OptionGroup("", tuple(Option(*option) for option in options)),)


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
