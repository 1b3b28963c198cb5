"""Forms of signing in and of accounts, each made in the language of its request."""

from __future__ import annotations

from collections.abc import Mapping

import wtforms
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.passwords import PasswordFault, find_fault

from .email_fields import build_email_field
from .normalise import clean_email
from .organizer_fields import (
    OrganizerForm,
    build_choice,
    build_choices,
    build_form,
    build_line,
    build_secret,
)

LONGEST_NAME = 100
LONGEST_ORGANIZATION = 200

_FAULTS = {
    PasswordFault.TOO_SHORT: lazy_gettext("Use at least 12 characters for your password"),
    PasswordFault.TOO_LONG: lazy_gettext("Use at most 256 characters for your password"),
    PasswordFault.COMMON: lazy_gettext(
        "This password is among those that are guessed first. Choose another one"
    ),
    PasswordFault.ABOUT_YOU: lazy_gettext(
        "This password is too close to your name or address. Choose another one"
    ),
}


class NewPassword:
    """Refuses what may not be a password, such as what stands in the fields named by `about`."""

    def __init__(self, *about: str, known: tuple[str, ...] = ()) -> None:
        self._about = about
        self._known = known

    def __call__(self, form: wtforms.Form, field: wtforms.Field) -> None:
        if not field.data:
            raise StopValidation(_("Enter a password"))
        about = tuple(form[name].data for name in self._about) + self._known
        fault = find_fault(field.data, about=about)
        if fault:
            raise StopValidation(str(_FAULTS[fault]))


def build_sign_in_form(formdata: MultiDict[str, str] | None) -> OrganizerForm:
    email = build_line(
        "email",
        _("Email address"),
        longest=254,
        missing=_("Enter your email address"),
        clean=clean_email,
        input_type="email",
        autocomplete="username",
    )
    return build_form({"email": email, "password": _build_password()}, formdata)


def build_address_form(formdata: MultiDict[str, str] | None, help_text: str = "") -> OrganizerForm:
    return build_form({"email": build_email_field(help_text)}, formdata)


def build_join_form(
    formdata: MultiDict[str, str] | None, *, email: str, asks_organization: bool
) -> OrganizerForm:
    """Ask a new organizer who they are; the address only where no mail has proven it."""
    fields: dict[str, UnboundField] = {}
    if asks_organization:
        fields["organization"] = build_line(
            "organization",
            _("Name of your organization"),
            longest=LONGEST_ORGANIZATION,
            missing=_("Enter the name of your organization"),
            autocomplete="organization",
        )
    fields["name"] = build_line(
        "name",
        _("Your name"),
        longest=LONGEST_NAME,
        missing=_("Enter your name"),
        autocomplete="name",
    )
    if not email:
        fields["email"] = build_email_field()
    about = ("name",) if email else ("name", "email")
    fields["password"] = _build_new_password(NewPassword(*about, known=(email,)))
    return build_form(fields, formdata)


def build_new_password_form(
    formdata: MultiDict[str, str] | None, *, known: tuple[str, ...]
) -> OrganizerForm:
    return build_form({"password": _build_new_password(NewPassword(known=known))}, formdata)


def build_proof_form(formdata: MultiDict[str, str] | None) -> OrganizerForm:
    return build_form({"password": _build_password()}, formdata)


def build_code_form(
    formdata: MultiDict[str, str] | None, label: str, help_text: str
) -> OrganizerForm:
    code = build_secret(
        "code",
        label,
        missing=_("Enter the code"),
        help=help_text,
        input_type="text",
        inputmode="numeric",
        autocomplete="one-time-code",
        width="narrow",
    )
    return build_form({"code": code}, formdata)


def build_name_form(
    formdata: MultiDict[str, str] | None, label: str, message: str, *, longest: int, name: str
) -> OrganizerForm:
    line = build_line("name", label, longest=longest, missing=message)
    return build_form({"name": line}, formdata, name=name)


def build_member_form(
    formdata: MultiDict[str, str] | None,
    *,
    roles: list[tuple[str, str]],
    events: list[tuple[str, str]],
    asks_email: bool,
    chosen: Mapping[str, str],
) -> OrganizerForm:
    """Ask for role and events of a member, and whom to invite; `chosen` stands there at first."""
    fields: dict[str, UnboundField] = {}
    if asks_email:
        fields["email"] = build_email_field()
    fields["role"] = build_choice("role", _("Role"), roles, missing=_("Choose a role"))
    scope = [("all", _("All events")), ("some", _("Only those chosen below"))]
    fields["scope"] = build_choice("scope", _("Events"), scope, missing=_("Choose the events"))
    fields["events"] = build_choices(
        "events", _("Chosen events"), events, condition=("scope", ("some",))
    )
    return build_form(fields, formdata, **chosen)


def _build_password() -> UnboundField:
    return build_secret(
        "password",
        _("Password"),
        missing=_("Enter your password"),
        autocomplete="current-password",
    )


def _build_new_password(check: NewPassword) -> UnboundField:
    return build_secret(
        "password",
        _("New password"),
        check=check,
        help=_("At least 12 characters. Several words in a row are easy to keep in mind."),
        autocomplete="new-password",
    )
