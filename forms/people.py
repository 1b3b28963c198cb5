"""The form in which an organizer enters somebody who has told them otherwise."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _

from services.questions import FormDefinition
from services.submissions import Submission, Surface

from .addresses import email_key
from .details import DetailsForm, build_name_members, build_question_members
from .email_fields import build_email_field
from .fields import Answered, LineField
from .normalise import clean_line
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
