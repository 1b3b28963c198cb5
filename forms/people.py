"""The form in which an organizer enters somebody who has told them otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from services.people_columns import (
    EMAIL,
    FAMILY_NAME,
    FULL_NAME,
    GIVEN_NAME,
    LANGUAGE,
    QUESTION,
    split_name,
)
from services.people_imports import RowRefused
from services.questions import DatesQuestion, FormDefinition, Question, QuestionKind
from services.submissions import Submission, Surface
from services.texts import LOCALES

from .addresses import email_key
from .countries import list_country_groups
from .details import DetailsForm, build_name_members, build_question_members
from .email_fields import build_email_field
from .fields import Answered, LineField
from .normalise import clean_line
from .prefectures import list_prefecture_groups
from .questions import get_field_name
from .rows import Row

LONGEST_BASIS = 200


class AddedPersonForm(DetailsForm):
    """Name, address, answers, and how the person agreed; no boxes, as nobody ticks for others."""

    def validate(self, extra_validators: object = None) -> bool:
        is_valid = super().validate()
        is_valid &= self.email.validate(self)
        return self.basis.validate(self) and is_valid

    @property
    def rows(self) -> list[Row]:
        return [
            self._fill_name_row(),
            self.email.filled_row(),
            *self._fill_question_rows(),
            self.basis.filled_row(),
        ]

    def to_submission(self, *, nonce: str) -> Submission:
        """Return what was entered, as a value. Only a form that `validate()` accepted has one."""
        return Submission(
            email=self.email.data,
            email_key=email_key(self.email.data),
            family_name=self.family_name.data,
            given_name=self.given_name.data,
            answers=self.answers,
            consents=(),
            locale=self.locale,
            form_version_id=self.definition.version_id,
            nonce=nonce,
            surface=Surface.BY_HAND,
        )


@lru_cache(maxsize=256)
def build_added_person_form(definition: FormDefinition, locale: str) -> type[AddedPersonForm]:
    """Make the form class of one version of an event's form in one language, and keep it."""
    with force_locale(locale):
        members: dict[str, Any] = build_name_members(locale) | {
            "email": build_email_field(_("The mails go there, and the join link with them.")),
            "basis": LineField(
                Row(
                    kind="text",
                    name="basis",
                    label=_("How the person agreed"),
                    error_label=_("How the person agreed"),
                    help=_("For example “by phone on April 1, was told the privacy notice”."),
                    required=True,
                    max_length=LONGEST_BASIS,
                    width="wide",
                ),
                clean_line,
                [Answered(lazy_gettext("Enter how the person agreed to being registered"))],
            ),
        }
    questions = tuple(q for q in definition.questions if not q.is_consent)
    members |= build_question_members(definition, questions, locale)
    return type("EventAddedPersonForm", (AddedPersonForm,), members)


def read_person(
    definition: FormDefinition,
    columns: Mapping[int, str],
    row: Sequence[str],
    *,
    basis: str,
    locale: str,
    words_locale: str,
) -> Submission:
    """Make a submission of a row of a table, in which choices are words.

    `locale` is the person's unless a column says theirs; what is wrong is said in `words_locale`.

    Raises:
        RowRefused: something is missing or wrong.
    """
    cells = {name: row[place] for place, name in columns.items() if place < len(row)}
    locale = _LANGUAGES.get(cells.get(LANGUAGE, "").casefold(), locale)
    with force_locale(words_locale):
        form = build_added_person_form(definition, words_locale)(
            _type_in(definition, cells, basis, locale)
        )
        if not form.validate():
            raise RowRefused(" ".join(text for _, text in form.error_list))
    return replace(form.to_submission(nonce=""), locale=locale)


def _type_in(
    definition: FormDefinition, cells: Mapping[str, str], basis: str, locale: str
) -> MultiDict[str, str]:
    family_name, given_name = split_name(cells.get(FULL_NAME, ""), locale)
    typed = MultiDict(
        {
            "family_name": cells.get(FAMILY_NAME) or family_name,
            "given_name": cells.get(GIVEN_NAME) or given_name,
            "email": cells.get(EMAIL, ""),
            "basis": basis,
        }
    )
    for question in definition.questions:
        if cell := cells.get(QUESTION + question.id):
            typed.setlist(get_field_name(question.id), _read_values(question, cell))
    return typed


def _read_values(question: Question, cell: str) -> list[str]:
    """Turn words into the values of a choice, in either language; other words stay as they are."""
    if isinstance(question, DatesQuestion):
        return _read_dates(question, cell)
    values = {label: choice.value for choice in question.choices for label in choice.label.values()}
    if question.kind in (QuestionKind.PREFECTURE, QuestionKind.COUNTRY):
        list_groups = _PLACES[question.kind]
        values |= {
            option.label: option.value
            for locale in LOCALES
            for group in list_groups(locale)
            for option in group.options
        }
    many = question.kind is QuestionKind.CHECKBOXES and cell not in values
    parts = re.split(r"、|, ?", cell) if many else [cell]
    return [values.get(part, part) for part in parts]


_LANGUAGES = {
    "ja": "ja",
    "日本語": "ja",
    "japanese": "ja",
    "en": "en",
    "英語": "en",
    "english": "en",
}


def _read_dates(question: DatesQuestion, cell: str) -> list[str]:
    """Read dates as tables have them (2026-12-10 14:00); a day is enough where it has one."""
    dates = {plain: value for value, plain in question.plain.items()}
    for plain, value in list(dates.items()):
        day, same_day = (
            plain[:10],
            [text for text in question.plain.values() if text[:10] == plain[:10]],
        )
        if len(same_day) == 1:
            dates[day] = value
    parts = (part.strip().replace("/", "-") for part in re.split(r"[、,;\n]", cell))
    return [dates.get(part, part) for part in parts if part]


_PLACES = {
    QuestionKind.PREFECTURE: list_prefecture_groups,
    QuestionKind.COUNTRY: list_country_groups,
}
