"""A registration that a program sends as JSON, checked by the very form that people fill in."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from services.questions import FormDefinition

from .details import DetailsForm
from .json_members import Members
from .questions import get_field_name
from .registration import RegistrationForm

NAMES = ("family_name", "given_name")
KNOWN = (
    *("form_version", "language", "email", "email_is_right", *NAMES),
    *("answers", "consents", "is_old_enough", "source"),
)


def read_registration(form_class: type[RegistrationForm], body: Members) -> RegistrationForm:
    """Return the form as if a person had typed what the body says, once it was validated.

    Each box that the person was shown has to be there, ticked or not: what is recorded as evidence
    is said, not assumed. `body.faults` has all that is wrong.
    """
    definition = form_class.definition
    body.refuse_unknown(*KNOWN)
    typed = MultiDict((name, body.take_text(name)) for name in (*NAMES, "email"))
    if body.take_flag("email_is_right"):
        typed["email_choice"] = "keep"
    is_old_enough = body.take_flag("is_old_enough")
    if is_old_enough is not None:
        typed["old_enough"] = "yes" if is_old_enough else "no"
    answers, consents = body.take_members("answers"), body.take_members("consents")
    type_answers(typed, definition, answers)
    for name in consents.values:
        question = definition.get_question(name[:100])
        if question is None or not question.is_consent:
            consents.refuse(name[:100], "unknown", _("This is not known here"))
        elif consents.take_flag(name):
            typed[get_field_name(name)] = "yes"
    form = form_class(typed)
    form.validate()
    _note_address(form, body)
    if "old_enough" in form:
        _note(form["old_enough"].errors, body, "is_old_enough", is_old_enough is not None)
    note_details(form, body, answers)
    for question in form.shown:
        if question.is_consent:
            errors = form[get_field_name(question.id)].errors
            if question.id not in consents.values:
                errors = [_("Say whether the person agrees: true or false")]
            _note(errors, consents, question.id, False)
    return form


def type_answers(typed: MultiDict[str, str], definition: FormDefinition, answers: Members) -> None:
    """Put answers by question id into the fields of a form; what nobody asked is a fault."""
    for name in answers.values:
        question = definition.get_question(name[:100])
        asked = definition.get_question(name[:100].removesuffix("_other"))
        is_text_beside = question is None and asked is not None and asked.has_other
        if not is_text_beside and (question is None or question.is_consent):
            answers.refuse(name[:100], "unknown", _("This is not known here"))
        else:
            typed.setlist(get_field_name(name), answers.take_texts(name))


def note_details(form: DetailsForm, body: Members, answers: Members) -> None:
    """Note what a validated form says of names and answers."""
    for name in NAMES:
        _note(form[name].errors, body, name, bool(form[name].typed))
    for question in form.shown:
        if not question.is_consent:
            field = form[get_field_name(question.id)]
            _note(field.errors, answers, question.id, question.id in answers.values)
            _note(getattr(field, "other_errors", ()), answers, f"{question.id}_other", True)


def _note_address(form: RegistrationForm, body: Members) -> None:
    is_typed = bool(form.email.typed)
    if form.suggestion:
        [error] = form.email.errors
        body.refuse("email", "suggestion", error, form.suggestion)
    _note(form.email.errors, body, "email", is_typed)


def _note(errors: Any, members: Members, name: str, is_there: bool) -> None:
    for error in errors:
        members.refuse(name, "invalid" if is_there else "required", str(error))
