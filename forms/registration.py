"""The form that a person registers with, made from an event's questions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from services.questions import ConsentKind, FormDefinition
from services.submissions import ConsentGiven, Submission, Surface
from services.texts import localize

from .addresses import email_key
from .details import DetailsForm, build_name_members, build_question_members
from .email_fields import AddressAsking, build_email_field
from .fields import Answered, ChoiceField, TrapField, UnseenField
from .questions import get_field_name
from .rows import Option, OptionGroup, Row


class RegistrationForm(AddressAsking, DetailsForm):
    """The base of every event's form; `build_registration_form` makes the subclasses.

    `form_token`, signed and checked by the view, plays the part of a CSRF token. `suggestion` and
    `to_submission()` speak of the outcome of `validate()`.
    """

    def __init__(
        self, formdata: MultiDict[str, str] | None = None, prefill: Mapping[str, str] | None = None
    ) -> None:
        self.prefilled_labels: list[str] = []
        super().__init__(formdata)
        if formdata is None and prefill:
            self._prefill(prefill)

    @classmethod
    def list_prefillable(cls) -> tuple[str, ...]:
        """List what a link may fill: no consent, nothing unseen, no conditional question."""
        open_questions = (
            get_field_name(question.id)
            for question in cls.page_order
            if not question.is_consent and question.condition is None
        )
        return (*cls.name_order, "email", *open_questions)

    def _prefill(self, values: Mapping[str, str]) -> None:
        for name in self.list_prefillable():
            if name in values:
                self[name].process(None, values[name])
            if self[name].data:
                self.prefilled_labels.append(self[name].row.error_label)

    @property
    def fillable(self) -> list[tuple[str, str]]:
        """List what a link may fill: names of fields, and what people call them."""
        return [(name, str(self[name].row.error_label)) for name in self.list_prefillable()]

    @property
    def is_too_young(self) -> bool:
        """Tell whether who sent it says to be younger than the event is for."""
        return "old_enough" in self and self["old_enough"].data == ("no",)

    def validate(self, extra_validators: object = None) -> bool:
        """Check all that was shown, and offer what was probably meant for a mistyped address."""
        is_valid = super().validate()
        if "old_enough" in self:
            is_valid &= self["old_enough"].validate(self)
        return self.email.validate(self) and self.settle_address() and is_valid

    @property
    def wrong_fields(self) -> list[str]:
        """Return the names of the fields that `validate()` found something wrong in."""
        return [field.name for field in self if field.errors]

    @property
    def rows(self) -> list[Row]:
        """Return what to draw, in page order: name, address, questions, consents."""
        age = [self["old_enough"].filled_row()] if "old_enough" in self else []
        return [self._fill_name_row(), self.email.filled_row(), *age, *self._fill_question_rows()]

    def to_submission(
        self,
        *,
        nonce: str,
        surface: Surface = Surface.PAGE,
        source: Mapping[str, str] | None = None,
    ) -> Submission:
        """Return what was sent, as a value. Only a form that `validate()` accepted has one."""
        return Submission(
            email=self.email.data,
            email_key=email_key(self.email.data),
            family_name=self.family_name.data,
            given_name=self.given_name.data,
            answers=self.answers,
            consents=self._list_consents(),
            locale=self.locale,
            form_version_id=self.definition.version_id,
            nonce=nonce,
            surface=surface,
            source=source or {},
            is_suspicious=self.subject.data,
        )

    def _list_consents(self) -> tuple[ConsentGiven, ...]:
        return tuple(
            ConsentGiven(
                question.id,
                question.consent or ConsentKind.OTHER,
                localize(question.label, self.locale),
                self[get_field_name(question.id)].data,
            )
            for question in self.shown
            if question.is_consent
        )


@lru_cache(maxsize=256)
def build_registration_form(
    definition: FormDefinition, locale: str, least_age: int | None = None
) -> type[RegistrationForm]:
    """Make the form class of one version of an event's form in one language, and keep it."""
    return make_registration_form(definition, locale, least_age)


def make_registration_form(
    definition: FormDefinition, locale: str, least_age: int | None = None
) -> type[RegistrationForm]:
    """Make a form class that is not kept: of a form that is no version yet."""
    with force_locale(locale):
        members = build_name_members(locale) | _build_page_members()
        if least_age is not None:
            members["old_enough"] = _build_age_field(least_age)
    page_order = tuple(sorted(definition.questions, key=lambda question: question.is_consent))
    members |= build_question_members(definition, page_order, locale)
    return type("EventRegistrationForm", (RegistrationForm,), members)


def _build_age_field(least_age: int) -> UnboundField:
    """Ask no more than whether somebody is old enough; the answer is stored of nobody."""
    options = (
        Option("yes", _("I am %(age)s or older", age=least_age)),
        Option("no", _("I am younger than %(age)s", age=least_age)),
    )
    row = Row(
        kind="radio",
        name="old_enough",
        label=_("Your age"),
        error_label=_("Your age"),
        required=True,
        groups=(OptionGroup("", options),),
    )
    missing = lazy_gettext("Say whether you are %(age)s or older", age=least_age)
    return ChoiceField(row, ("yes", "no"), [Answered(missing)])


def _build_page_members() -> dict[str, Any]:
    """Make the address and what the page carries for itself."""
    return {
        "email": build_email_field(
            _("We send your personal join link here. A work address is best.")
        ),
        # The trap: programs like to fill a subject, browsers have nothing to put there.
        "subject": TrapField(),
        "form_token": UnseenField(),
        "email_kept": UnseenField(),
        "email_choice": UnseenField(),
    }
