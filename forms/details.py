"""The part of a form that can be changed later: names and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, Self

import wtforms
from flask_babel import force_locale, lazy_gettext, pgettext
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from services.questions import Answer, FormDefinition, Question

from .fields import Answered, LineField
from .normalise import clean_line
from .questions import build_question_field, get_field_name
from .rows import Row

LONGEST_NAME = 64
"""Zoom's limit for each part of a name (its REST description, read 2026-11-22)."""


class _CopyingMeta:
    """Binds each field once per form class and copies it: measured, binding cost half a POST.

    No field knows its form: none needs it, and so what was typed is gone as soon as the form is.
    """

    def bind_field(
        self, form: DetailsForm, unbound_field: UnboundField, options: dict[str, Any]
    ) -> wtforms.Field:
        name = options["name"]
        bound = form.bound_fields.get(name)
        if bound is None:
            bound = form.bound_fields[name] = unbound_field.bind(form=None, _meta=self, **options)
        field = object.__new__(type(bound))
        field.__dict__ = vars(bound).copy()
        return field


# Not FlaskForm: that keeps its CSRF token in a session, and the public pages set no cookie.
class DetailsForm(wtforms.Form):
    """Names and answers; `build_details_form` makes the subclass of a form version.

    Call `validate()` first; `error_list`, `rows` and `answers` speak of its outcome.
    """

    Meta = _CopyingMeta
    bound_fields: ClassVar[dict[str, wtforms.Field]] = {}
    definition: ClassVar[FormDefinition]
    locale: ClassVar[str]
    name_row: ClassVar[Row]
    name_order: ClassVar[tuple[str, str]]
    page_order: ClassVar[tuple[Question, ...]]

    def __init__(self, formdata: MultiDict[str, str] | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.shown: list[Question] = []
        super().__init__(formdata)

    @classmethod
    def from_answers(cls, family_name: str, given_name: str, answers: Mapping[str, Answer]) -> Self:
        """Fill the form with what is stored."""
        typed = MultiDict({"family_name": family_name, "given_name": given_name})
        for question_id, answer in answers.items():
            name = get_field_name(question_id)
            typed.setlist(name, list(answer.values))
            if answer.other:
                typed[f"{name}_other"] = answer.other
        return cls(typed)

    def process(
        self, formdata: MultiDict[str, str] | None = None, *_: object, **__: object
    ) -> None:
        for field in self:
            field.process(formdata)

    def validate(self, extra_validators: object = None) -> bool:
        """Check everything that was shown; questions whose condition isn't met are left out."""
        is_valid = True
        for name in self.name_order:
            is_valid &= self[name].validate(self)
        self.shown, self.answers = [], {}
        for question in self.page_order:
            if question.condition and not question.condition.is_met(self.answers):
                continue
            self.shown.append(question)
            field = self[get_field_name(question.id)]
            is_valid &= field.validate(self)
            if not field.errors and not question.is_consent and (answer := field.to_answer()):
                self.answers[question.id] = answer
        return is_valid

    @property
    def rows(self) -> list[Row]:
        """Return what to draw, in page order."""
        return [self._fill_name_row(), *self._fill_question_rows()]

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return (control id, message) in page order, in the words that stand at the fields."""
        return [error for row in self.rows for error in row.list_errors()]

    def _fill_name_row(self) -> Row:
        return replace(
            self.name_row, parts=tuple(self[name].filled_row() for name in self.name_order)
        )

    def _fill_question_rows(self) -> list[Row]:
        return [self[get_field_name(question.id)].filled_row() for question in self.page_order]


@lru_cache(maxsize=256)
def build_details_form(definition: FormDefinition, locale: str) -> type[DetailsForm]:
    """Make the form in which a person changes names and answers, and keep it."""
    with force_locale(locale):
        members = build_name_members(locale)
    questions = tuple(q for q in definition.questions if not q.is_consent)
    members |= build_question_members(definition, questions, locale)
    return type("EventDetailsForm", (DetailsForm,), members)


def build_question_members(
    definition: FormDefinition, page_order: tuple[Question, ...], locale: str
) -> dict[str, Any]:
    """Make the class members of a form's questions."""
    fields = {
        get_field_name(question.id): build_question_field(question, locale)
        for question in page_order
    }
    return fields | {
        "definition": definition,
        "locale": locale,
        "page_order": page_order,
        "bound_fields": {},
    }


def build_name_members(locale: str) -> dict[str, Any]:
    """Make the class members for the two parts of a name, in the order of the language."""
    is_family_first = locale == "ja"
    return {
        "name_row": Row(
            kind="name",
            name="name",
            label=_("Name (First name, Last name)"),
            error_label=_("Name"),
            required=True,
        ),
        "name_order": (
            ("family_name", "given_name") if is_family_first else ("given_name", "family_name")
        ),
        "family_name": _build_name_field(
            "family_name",
            _("Last name"),
            pgettext("in a sentence", "Last name"),
            lazy_gettext("Enter your last name"),
        ),
        "given_name": _build_name_field(
            "given_name",
            _("First name"),
            pgettext("in a sentence", "First name"),
            lazy_gettext("Enter your first name"),
        ),
    }


def _build_name_field(name: str, label: str, error_label: str, missing: object) -> UnboundField:
    row = Row(
        kind="text",
        name=name,
        label=label,
        error_label=error_label,
        required=True,
        autocomplete=name.replace("_", "-"),
        max_length=LONGEST_NAME,
        width="medium",
    )
    return LineField(row, clean_line, [Answered(missing)])
