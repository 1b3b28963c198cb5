"""The form that a person registers with, made from an event's questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import wtforms
from flask_babel import force_locale, lazy_gettext, pgettext
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from services.questions import Answer, ConsentKind, FormDefinition, Question
from services.submissions import ConsentGiven, Submission, Surface
from services.texts import localize

from .addresses import email_key, suggest_address
from .fields import Answered, EmailField, LineField, RealAddress, TrapField, UnseenField
from .normalise import clean_email, clean_line
from .questions import build_question_field, get_field_name
from .rows import Row

LONGEST_NAME = 64
"""Zoom's limit for each part of a name (its REST description, read 2026-11-22)."""


class _CopyingMeta:
    """Binds each field once per form class and copies it: measured, binding cost half a POST."""

    def bind_field(
        self, form: RegistrationForm, unbound_field: UnboundField, options: dict[str, Any]
    ) -> wtforms.Field:
        name = options["name"]
        if name not in form.bound_fields:
            # Bound to no form, lest the first person's stays in memory.
            form.bound_fields[name] = unbound_field.bind(form=None, _meta=self, **options)
        bound = form.bound_fields[name]
        field = object.__new__(type(bound))
        vars(field).update(vars(bound), _form=form)
        return field


# Not FlaskForm: that keeps its CSRF token in a session, and the public page sets no cookie.
# `form_token`, signed and checked by the view, plays that part.
class RegistrationForm(wtforms.Form):
    """The base of every event's form; `build_registration_form` makes the subclasses.

    Call `validate()` first; `error_list`, `rows`, `suggestion` and `to_submission()` speak of its
    outcome.
    """

    Meta = _CopyingMeta
    bound_fields: ClassVar[dict[str, wtforms.Field]] = {}
    definition: ClassVar[FormDefinition]
    locale: ClassVar[str]
    name_row: ClassVar[Row]
    name_order: ClassVar[tuple[str, str]]
    page_order: ClassVar[tuple[Question, ...]]

    def __init__(
        self, formdata: MultiDict[str, str] | None = None, prefill: Mapping[str, str] | None = None
    ) -> None:
        self.suggestion: str | None = None
        self.prefilled_labels: list[str] = []
        self._answers: dict[str, Answer] = {}
        self._shown: list[Question] = []
        super().__init__(formdata)
        if formdata is None and prefill:
            self._prefill(prefill)

    def process(
        self, formdata: MultiDict[str, str] | None = None, *_: object, **__: object
    ) -> None:
        for field in self:
            field.process(formdata)

    def _prefill(self, values: Mapping[str, str]) -> None:
        """Fill in what a link may fill: no consent, nothing unseen, no conditional question."""
        open_questions = (
            get_field_name(question.id)
            for question in self.page_order
            if not question.is_consent and question.condition is None
        )
        for name in (*self.name_order, "email", *open_questions):
            if name in values:
                self[name].process(None, values[name])
            if self[name].data:
                self.prefilled_labels.append(self[name].row.error_label)

    def validate(self, extra_validators: object = None) -> bool:
        """Check everything that was shown; questions whose condition isn't met are left out."""
        is_valid = True
        for name in (*self.name_order, "email"):
            is_valid &= self[name].validate(self)
        self._shown, self._answers = [], {}
        for question in self.page_order:
            if question.condition and not question.condition.is_met(self._answers):
                continue
            self._shown.append(question)
            field = self[get_field_name(question.id)]
            is_valid &= field.validate(self)
            if not field.errors and not question.is_consent and (answer := field.to_answer()):
                self._answers[question.id] = answer
        return self._settle_address() and is_valid

    def _settle_address(self) -> bool:
        """Offer what was probably meant, unless the person has said which address it is."""
        email = self.email
        if email.errors:
            return False
        suggested = suggest_address(email.data)
        if not suggested or email.data == self.email_kept.data:
            return True
        if self.email_choice.data == "change":
            email.replace_typed(suggested)
            return True
        if self.email_choice.data == "keep":
            self.email_kept.data = email.data
            return True
        self.suggestion = suggested
        email.errors = [_("Did you mean %(address)s?", address=suggested)]
        return False

    @property
    def is_trapped(self) -> bool:
        return self.subject.data

    @property
    def rows(self) -> list[Row]:
        """Return what to draw, in page order: name, address, questions, consents."""
        parts = tuple(self[name].filled_row() for name in self.name_order)
        questions = (self[get_field_name(question.id)] for question in self.page_order)
        return [
            replace(self.name_row, parts=parts),
            self.email.filled_row(),
            *(field.filled_row() for field in questions),
        ]

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return (control id, message) in page order, in the words that stand at the fields."""
        return [error for row in self.rows for error in row.list_errors()]

    def to_submission(
        self,
        *,
        nonce: str,
        surface: Surface = Surface.PAGE,
        source: Mapping[str, str] | None = None,
        is_suspicious: bool = False,
    ) -> Submission:
        """Return what was sent, as a value. Only a form that `validate()` accepted has one."""
        return Submission(
            email=self.email.data,
            email_key=email_key(self.email.data),
            family_name=self.family_name.data,
            given_name=self.given_name.data,
            answers=self._answers,
            consents=self._list_consents(),
            locale=self.locale,
            form_version_id=self.definition.version_id,
            nonce=nonce,
            surface=surface,
            source=source or {},
            is_suspicious=is_suspicious,
        )

    def _list_consents(self) -> tuple[ConsentGiven, ...]:
        return tuple(
            ConsentGiven(
                question.id,
                question.consent or ConsentKind.OTHER,
                localize(question.label, self.locale),
                self[get_field_name(question.id)].data,
            )
            for question in self._shown
            if question.is_consent
        )


@lru_cache(maxsize=256)
def build_registration_form(definition: FormDefinition, locale: str) -> type[RegistrationForm]:
    """Make the form class of one version of an event's form in one language, and keep it."""
    with force_locale(locale):
        fixed = _build_fixed_members(locale)
    page_order = sorted(definition.questions, key=lambda question: question.is_consent)
    fields = {
        get_field_name(question.id): build_question_field(question, locale)
        for question in page_order
    }
    members = {
        "definition": definition,
        "locale": locale,
        "page_order": tuple(page_order),
        "bound_fields": {},
    }
    return type("EventRegistrationForm", (RegistrationForm,), fixed | fields | members)


def _build_fixed_members(locale: str) -> dict[str, Any]:
    """Make what every form has: the name, the address and what the page carries for itself."""
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
        "email": _build_email_field(),
        # The trap: programs like to fill a subject, browsers have nothing to put there.
        "subject": TrapField(),
        "form_token": UnseenField(),
        "email_kept": UnseenField(),
        "email_choice": UnseenField(),
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


def _build_email_field() -> UnboundField:
    row = Row(
        kind="email",
        name="email",
        label=_("E-mail address"),
        error_label=_("E-mail address"),
        help=_("We send your personal join link here. A work address is best."),
        required=True,
        input_type="email",
        inputmode="email",
        autocomplete="email",
        # The longest address there can be: a browser must not cut what Zoom will not take.
        max_length=254,
    )
    return EmailField(
        row, clean_email, [Answered(lazy_gettext("Enter your e-mail address")), RealAddress()]
    )
