"""Our WTForms fields and validators: what was typed, what is stored, what is wrong.

Templates draw `field.filled_row()`; WTForms' widgets and its own messages are never used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import wtforms
from flask_babel import gettext as _
from wtforms.validators import StopValidation

from services.questions import OTHER, Answer

from . import normalise
from .addresses import LONGEST_ADDRESS, AddressError, AddressTooLong, read_address
from .rows import Row

Validator = Callable[[wtforms.Form, wtforms.Field], None]

LONGEST_KEPT = 20_000
"""So many characters of one typed value are shown again after an error."""

LONGEST_OTHER = 200
"""So many characters may stand beside その他."""

TICKED = frozenset({"yes", "on", "1", "true"})


class InputField(wtforms.Field):
    """The base of our fields: reads its input once, knows neither defaults nor filters."""

    # WTForms' own way costs twice the time, for hooks that no field here has.
    def process(self, formdata: Any, data: Any = None, extra_filters: object = None) -> None:
        if formdata is None:
            self.process_data(data)
        else:
            self.raw_data = formdata.getlist(self.name)
            self.process_formdata(self.raw_data)


class RowField(InputField):
    """A field that fills one row. Its `row` is the same for everybody, `filled_row()` isn't."""

    def __init__(self, row: Row, validators: Sequence[Validator] = (), **binding: Any) -> None:
        super().__init__(row.label, validators, **binding)
        self.row = row

    def refuse_doubles(self) -> None:
        """Raise StopValidation if a field that takes one value was sent several times."""
        if self.raw_data and len(self.raw_data) > 1:
            raise StopValidation(
                _("%(label)s was sent more than once. Check it", label=self.row.error_label)
            )

    @property
    def shown_values(self) -> tuple[str, ...]:
        """Return what the row shows as typed, chosen or ticked."""
        raise NotImplementedError

    def filled_row(self) -> Row:
        return replace(self.row, values=self.shown_values, errors=tuple(self.errors))


class LineField(RowField):
    """One value: `typed` is shown again, `data` is stored."""

    def __init__(
        self,
        row: Row,
        clean: Callable[[str], str],
        validators: Sequence[Validator] = (),
        is_readable: Callable[[str], bool] = normalise.is_readable_line,
        **binding: Any,
    ) -> None:
        super().__init__(row, validators, **binding)
        self._clean = clean
        self._is_readable = is_readable

    def process_data(self, value: str | None) -> None:
        text = value or ""
        self.typed = text[: self.row.max_length] if self._is_readable(text) else ""
        self.data = self.typed

    def process_formdata(self, valuelist: list[str]) -> None:
        self.typed = valuelist[0][:LONGEST_KEPT] if valuelist else ""
        is_short = len(self.typed) <= normalise.LONGEST_CLEANED
        self.data = self._clean(self.typed) if is_short else self.typed

    def pre_validate(self, form: wtforms.Form) -> None:
        self.refuse_doubles()
        if not self._is_readable(self.typed):
            raise StopValidation(_unreadable(self.row.error_label))
        longest = self.row.max_length
        if longest and len(self.data) > longest:
            raise StopValidation(_too_long(self.row.error_label, longest))

    @property
    def shown_values(self) -> tuple[str, ...]:
        shown = normalise.drop_unreadable(self.typed)
        return (shown,) if shown else ()

    def to_answer(self) -> Answer | None:
        return Answer((self.data,)) if self.data else None

    def replace_typed(self, text: str) -> None:
        """Go on as if this had been typed."""
        self.typed = self.data = text


class EmailField(LineField):
    """An address, shown again as it was understood; once validated, `data` is what to store."""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self._is_readable(self.typed):
            self.typed = self.data

    def pre_validate(self, form: wtforms.Form) -> None:
        self.refuse_doubles()


class ChoicesField(RowField):
    """Any number of the given choices, in their order; `other_data` is the text beside その他."""

    def __init__(
        self,
        row: Row,
        allowed: Collection[str],
        validators: Sequence[Validator] = (),
        **binding: Any,
    ) -> None:
        super().__init__(row, validators, **binding)
        self._allowed = allowed
        self.other_typed = ""
        self.other_errors: tuple[str, ...] = ()

    # Two inputs make one answer, which is what WTForms keeps this hook for.
    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        super().process(formdata, data, extra_filters)
        if self.row.has_other and formdata is not None:
            self.other_typed = formdata.get(self.row.other_name, "")[:LONGEST_KEPT]

    def process_data(self, value: str | None) -> None:
        wanted = value.split(",") if value else ()
        self.data = tuple(choice for choice in self._allowed if choice in wanted)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = tuple(choice for choice in self._allowed if choice in valuelist)

    def pre_validate(self, form: wtforms.Form) -> None:
        if any(value and value not in self._allowed for value in self.raw_data or ()):
            raise StopValidation(_("Select %(label)s", label=self.row.error_label))

    def post_validate(self, form: wtforms.Form, validation_stopped: bool) -> None:
        """Check the text beside その他, which counts only while その他 is chosen."""
        self.other_errors = ()
        self.other_data = ""
        if OTHER not in self.data or not self.other_typed:
            return
        if not normalise.is_readable_line(self.other_typed):
            self.other_errors = (_unreadable(self.row.error_label),)
        elif len(other := normalise.clean_line(self.other_typed)) > LONGEST_OTHER:
            self.other_errors = (_too_long(self.row.error_label, LONGEST_OTHER),)
        else:
            self.other_data = other

    def validate(self, form: wtforms.Form, extra_validators: Sequence[Validator] = ()) -> bool:
        return super().validate(form, extra_validators) and not self.other_errors

    @property
    def shown_values(self) -> tuple[str, ...]:
        return self.data

    def filled_row(self) -> Row:
        return replace(
            super().filled_row(),
            other_text=normalise.drop_unreadable(self.other_typed),
            other_errors=self.other_errors,
        )

    def to_answer(self) -> Answer | None:
        return Answer(self.data, self.other_data) if self.data else None


class DatesField(ChoicesField):
    """Dates of a series: those that are closed by now stay chosen, but nobody can choose them."""

    def __init__(
        self,
        row: Row,
        allowed: Collection[str],
        validators: Sequence[Validator] = (),
        *,
        kept: Collection[str] = (),
        **binding: Any,
    ) -> None:
        super().__init__(row, allowed, validators, **binding)
        self._closed = {option.value for option in row.choices if option.closed}
        self._kept = frozenset(kept) & self._closed

    def process_data(self, value: str | None) -> None:
        super().process_data(value)
        self.data = self._settle(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = self._settle(valuelist)

    def _settle(self, chosen: Collection[str]) -> tuple[str, ...]:
        return tuple(
            date
            for date in self._allowed
            if date in self._kept or (date in chosen and date not in self._closed)
        )

    def pre_validate(self, form: wtforms.Form) -> None:
        super().pre_validate(form)
        if (self._closed - self._kept).intersection(self.raw_data or ()):
            raise StopValidation(_("A date that you chose is not free any more. Check the dates"))


class ChoiceField(ChoicesField):
    """One of the given choices."""

    def process_data(self, value: str | None) -> None:
        self.data = (value,) if value in self._allowed else ()

    def process_formdata(self, valuelist: list[str]) -> None:
        self.process_data(valuelist[0] if valuelist else None)

    def pre_validate(self, form: wtforms.Form) -> None:
        self.refuse_doubles()
        super().pre_validate(form)


class ConsentField(RowField):
    """A box that only a click ticks: no prefilling, no default."""

    def process_data(self, value: object) -> None:
        self.data = False

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = bool(valuelist) and valuelist[0] in TICKED

    def pre_validate(self, form: wtforms.Form) -> None:
        self.refuse_doubles()

    @property
    def shown_values(self) -> tuple[str, ...]:
        return ("yes",) if self.data else ()


class UnseenField(InputField):
    """A value that the page carries for itself. Missing, sent twice or endless, it is empty."""

    def process_data(self, value: object) -> None:
        self.data = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        is_single = len(valuelist) == 1 and len(valuelist[0]) <= normalise.LONGEST_CLEANED
        self.data = valuelist[0] if is_single else ""


class TrapField(InputField):
    """A field that people don't see and programs fill: `data` tells whether anything came."""

    def process_data(self, value: object) -> None:
        self.data = False

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = any(value.strip() for value in valuelist)


class Answered:
    """Stop at an empty field: with a message where an answer is needed, else quietly."""

    def __init__(self, message: object | None) -> None:
        self._message = message

    def __call__(self, form: wtforms.Form, field: wtforms.Field) -> None:
        if not field.data:
            raise StopValidation(str(self._message) if self._message else None)


class Matches:
    """Refuse a value that a pattern doesn't describe, in the words that `say` returns."""

    def __init__(self, pattern: str, say: Callable[[str], str]) -> None:
        self._pattern = re.compile(pattern)
        self._say = say

    def __call__(self, form: wtforms.Form, field: RowField) -> None:
        if not self._pattern.fullmatch(field.data):
            raise StopValidation(self._say(field.row.error_label))


class RealAddress:
    """Refuse what mail can't be sent to, and put the address to store in place of the text."""

    def __call__(self, form: wtforms.Form, field: EmailField) -> None:
        try:
            field.data = read_address(field.data)
        except AddressTooLong as error:
            raise StopValidation(_too_long(field.row.error_label, LONGEST_ADDRESS)) from error
        except AddressError as error:
            raise StopValidation(_("Enter an email address like name@example.com")) from error


class Between:
    """Refuse a number or a date outside its bounds; either bound may be missing.

    `say_low` and `say_high` word the refusal from the label and the bound.
    """

    def __init__(
        self,
        read: Callable[[str], Any],
        bounds: tuple[str | None, str | None],
        say_low: Callable[[str, Any], str],
        say_high: Callable[[str, Any], str],
    ) -> None:
        self._read = read
        self._minimum, self._maximum = (read(bound) if bound else None for bound in bounds)
        self._say_low = say_low
        self._say_high = say_high

    def __call__(self, form: wtforms.Form, field: RowField) -> None:
        value, label = self._read(field.data), field.row.error_label
        if self._minimum is not None and value < self._minimum:
            raise StopValidation(self._say_low(label, self._minimum))
        if self._maximum is not None and value > self._maximum:
            raise StopValidation(self._say_high(label, self._maximum))


class RealDate:
    """Refuse what isn't `YYYY-MM-DD` or what the calendar doesn't have, such as 30 February."""

    def __call__(self, form: wtforms.Form, field: RowField) -> None:
        try:
            is_real = date.fromisoformat(field.data).isoformat() == field.data
        except ValueError:
            is_real = False
        if not is_real:
            raise StopValidation(say_date(field.row.error_label))


def say_kana(label: str) -> str:
    return _("Enter %(label)s in katakana", label=label)


def say_phone(label: str) -> str:
    return _("Enter %(label)s in digits, like 03-1234-5678", label=label)


def say_postal_code(label: str) -> str:
    return _("Enter %(label)s in seven digits, like 100-0001", label=label)


def say_number(label: str) -> str:
    return _("Enter %(label)s in digits, like 10", label=label)


def say_date(label: str) -> str:
    return _("Enter %(label)s as a date, like 2026-12-10", label=label)


def say_small(label: str, bound: Any) -> str:
    return _("%(label)s must be %(bound)s or more", label=label, bound=bound)


def say_large(label: str, bound: Any) -> str:
    return _("%(label)s must be %(bound)s or less", label=label, bound=bound)


def say_early(label: str, bound: Any) -> str:
    return _("%(label)s must be %(bound)s or later", label=label, bound=bound)


def say_late(label: str, bound: Any) -> str:
    return _("%(label)s must be %(bound)s or earlier", label=label, bound=bound)


def _unreadable(label: str) -> str:
    return _("%(label)s has a character that cannot be read. Type it again", label=label)


def _too_long(label: str, longest: int) -> str:
    return _("%(label)s must be %(max)s characters or fewer", label=label, max=longest)
