"""One small builder per kind of question.

A new kind is a `_build_<kind>`, a line in `_BUILDERS` and a test.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext
from wtforms.fields.core import UnboundField

from services.questions import (
    OTHER,
    Choice,
    ConsentKind,
    DatesQuestion,
    Question,
    QuestionKind,
)
from services.texts import localize

from . import fields, normalise
from .countries import list_country_groups
from .prefectures import list_prefecture_groups
from .rows import Option, OptionGroup, Row

Builder = Callable[[Question, str], UnboundField]

_OTHER_CHOICE = Choice(OTHER, {"ja": "その他", "en": "Other"})
_CLOSED = {
    "past": {"ja": "終了", "en": "over"},
    "full": {"ja": "満席", "en": "full"},
    "gone": {"ja": "中止", "en": "not held"},
}
_LONGEST_LINE = 128  # Zoom cuts answers there
_LONGEST_TEXT = 2_000
_LONGEST_CODE = 40  # digits, however people space them

# Latin letters too: not everybody's name has a reading in katakana.
_KANA = r"[\u30a1-\u30ff A-Za-z\u00c0-\u024f.'\u2019-]+"
_PHONE = r"\+?[0-9]{6,15}"
_POSTAL_CODE = r"[0-9]{3}-[0-9]{4}"
_NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,6})?"


def get_field_name(question_id: str) -> str:
    """Return the name of a question's field and of its control."""
    return f"question_{question_id}"


def build_question_field(question: Question, locale: str) -> UnboundField:
    """Build the field of one question, with its texts in one locale."""
    if isinstance(question, DatesQuestion):
        return _build_dates(question, locale)
    return _BUILDERS[question.kind](question, locale)


def _build_text(question: Question, locale: str) -> UnboundField:
    row = _make_row(question, locale, max_length=_limit(question, _LONGEST_LINE))
    return fields.LineField(row, normalise.clean_line, [_enter(question, locale)])


def _build_textarea(question: Question, locale: str) -> UnboundField:
    row = _make_row(question, locale, max_length=_limit(question, _LONGEST_TEXT), width="full")
    return fields.LineField(
        row, normalise.clean_text, [_enter(question, locale)], normalise.is_readable_text
    )


def _build_kana(question: Question, locale: str) -> UnboundField:
    row = _make_row(question, locale, max_length=_limit(question, _LONGEST_LINE))
    checks = [_enter(question, locale), fields.Matches(_KANA, fields.say_kana)]
    return fields.LineField(row, normalise.clean_kana, checks)


def _build_select(question: Question, locale: str) -> UnboundField:
    return _build_choice(question, locale, (_list_choices(question, locale),), width="medium")


def _build_radio(question: Question, locale: str) -> UnboundField:
    return _build_choice(question, locale, (_list_choices(question, locale),))


def _build_prefecture(question: Question, locale: str) -> UnboundField:
    groups = list_prefecture_groups(locale)
    return _build_choice(question, locale, groups, width="medium", autocomplete="address-level1")


def _build_country(question: Question, locale: str) -> UnboundField:
    groups = list_country_groups(locale)
    return _build_choice(question, locale, groups, width="medium", autocomplete="country")


def _build_choice(
    question: Question, locale: str, groups: tuple[OptionGroup, ...], **drawing: Any
) -> UnboundField:
    row = _make_row(question, locale, groups=groups, **drawing)
    return fields.ChoiceField(row, _list_values(row), [_select(question, locale)])


def _build_checkboxes(question: Question, locale: str) -> UnboundField:
    row = _make_row(question, locale, groups=(_list_choices(question, locale),))
    return fields.ChoicesField(row, _list_values(row), [_select(question, locale)])


def _build_dates(question: DatesQuestion, locale: str) -> UnboundField:
    options = tuple(
        Option(
            choice.value,
            localize(choice.label, locale),
            localize(_CLOSED.get(question.closed.get(choice.value, ""), {}), locale),
        )
        for choice in question.choices
    )
    row = _make_row(question, locale, groups=(OptionGroup("", options),), are_dates=True)
    checks = [_select(question, locale)]
    return fields.DatesField(row, _list_values(row), checks, kept=question.kept)


def _build_phone(question: Question, locale: str) -> UnboundField:
    drawing = {"input_type": "tel", "inputmode": "tel", "autocomplete": "tel", "width": "medium"}
    row = _make_row(question, locale, max_length=_LONGEST_CODE, **drawing)
    checks = [_enter(question, locale), fields.Matches(_PHONE, fields.say_phone)]
    return fields.LineField(row, normalise.clean_phone, checks)


def _build_postal_code(question: Question, locale: str) -> UnboundField:
    drawing = {"inputmode": "numeric", "autocomplete": "postal-code", "width": "narrow"}
    row = _make_row(question, locale, max_length=_LONGEST_CODE, **drawing)
    checks = [_enter(question, locale), fields.Matches(_POSTAL_CODE, fields.say_postal_code)]
    return fields.LineField(row, normalise.clean_postal_code, checks)


def _build_date(question: Question, locale: str) -> UnboundField:
    row = _make_row(question, locale, max_length=_LONGEST_CODE, input_type="date", width="medium")
    bounds = fields.Between(
        date.fromisoformat,
        (question.minimum, question.maximum),
        fields.say_early,
        fields.say_late,
    )
    checks = [_enter(question, locale), fields.RealDate(), bounds]
    return fields.LineField(row, normalise.clean_date, checks)


def _build_number(question: Question, locale: str) -> UnboundField:
    row = _make_row(question, locale, max_length=_LONGEST_CODE, inputmode="decimal", width="narrow")
    bounds = fields.Between(
        Decimal, (question.minimum, question.maximum), fields.say_small, fields.say_large
    )
    digits = fields.Matches(_NUMBER, fields.say_number)
    return fields.LineField(row, normalise.clean_number, [_enter(question, locale), digits, bounds])


def _build_consent(question: Question, locale: str) -> UnboundField:
    kind = question.consent or ConsentKind.OTHER
    row = _make_row(
        question,
        locale,
        required=question.is_needed,
        consent=kind.value,
        notice_summary=localize(question.whole_summary, locale),
        notice=localize(question.whole_notice, locale),
    )
    if kind is ConsentKind.PRIVACY:
        message = lazy_gettext("Agree to the privacy notice to register")
    else:
        message = lazy_gettext("Tick “%(label)s” to register", label=row.label)
    return fields.ConsentField(row, [_answered(question, locale, message)])


_BUILDERS: dict[QuestionKind, Builder] = {
    QuestionKind.TEXT: _build_text,
    QuestionKind.TEXTAREA: _build_textarea,
    QuestionKind.KANA: _build_kana,
    QuestionKind.SELECT: _build_select,
    QuestionKind.RADIO: _build_radio,
    QuestionKind.CHECKBOXES: _build_checkboxes,
    QuestionKind.PREFECTURE: _build_prefecture,
    QuestionKind.COUNTRY: _build_country,
    QuestionKind.PHONE: _build_phone,
    QuestionKind.POSTAL_CODE: _build_postal_code,
    QuestionKind.DATE: _build_date,
    QuestionKind.NUMBER: _build_number,
    QuestionKind.CONSENT: _build_consent,
}


def _make_row(question: Question, locale: str, **drawing: Any) -> Row:
    """Fill a row from a question; `drawing` has what its kind adds."""
    label = localize(question.label, locale)
    condition = question.condition
    members: dict[str, Any] = {
        "required": question.required,
        "has_other": question.has_other,
        "condition": condition and (get_field_name(condition.question_id), condition.values),
    }
    members |= drawing
    members["autocomplete"] = question.autocomplete or drawing.get("autocomplete")
    return Row(
        kind=question.kind.value,
        name=get_field_name(question.id),
        label=label,
        error_label=label,
        help=localize(question.help, locale),
        **members,
    )


def _limit(question: Question, usual: int) -> int:
    return min(question.max_length or usual, normalise.LONGEST_CLEANED)


def _list_choices(question: Question, locale: str) -> OptionGroup:
    choices = question.choices
    if question.has_other and all(choice.value != OTHER for choice in choices):
        choices = (*choices, _OTHER_CHOICE)
    options = (Option(choice.value, localize(choice.label, locale)) for choice in choices)
    return OptionGroup("", tuple(options))


def _list_values(row: Row) -> dict[str, None]:
    """Return the values in their order, quick to look one up."""
    return dict.fromkeys(option.value for option in row.choices)


def _enter(question: Question, locale: str) -> fields.Answered:
    label = localize(question.label, locale)
    return _answered(question, locale, lazy_gettext("Enter %(label)s", label=label))


def _select(question: Question, locale: str) -> fields.Answered:
    label = localize(question.label, locale)
    return _answered(question, locale, lazy_gettext("Select %(label)s", label=label))


def _answered(question: Question, locale: str, message: object) -> fields.Answered:
    own_words = localize(question.required_message, locale)
    return fields.Answered((own_words or message) if question.is_needed else None)
