"""Forms of signing in and of accounts, each made in the language of its request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import wtforms
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.passwords import PasswordFault, find_fault

from .email_fields import build_email_field
from .fields import Answered, ChoiceField, ChoicesField, LineField, RowField
from .normalise import clean_email, clean_line
from .rows import Option, OptionGroup, Row

LONGEST_TYPED = 1_000
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


class SecretField(RowField):
    """A password or a code: never shown again."""

    def process_data(self, value: str | None) -> None:
        self.data = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0][:LONGEST_TYPED] if valuelist else ""

    @property
    def shown_values(self) -> tuple[str, ...]:
        return ()


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


class AccountForm(wtforms.Form):
    """A form whose fields were chosen for one page."""

    @property
    def rows(self) -> list[Row]:
        return [field.filled_row() for field in self]

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """Return (control id, message) of all that is wrong, in page order."""
        return [error for row in self.rows for error in row.list_errors()]

    def refuse(self, name: str, message: str) -> None:
        """Add an error that only the services could find."""
        self[name].errors = [*self[name].errors, message]


def build_form(
    fields: Mapping[str, UnboundField], formdata: MultiDict[str, str] | None, **data: Any
) -> AccountForm:
    """Make a form of fields; `data` are what stands in them at first."""
    return type("PageForm", (AccountForm,), dict(fields))(formdata, data=data)  # type: ignore[no-any-return]


def build_sign_in_form(formdata: MultiDict[str, str] | None) -> AccountForm:
    email = _row("email", _("Email address"), input_type="email", autocomplete="username")
    return build_form(
        {
            "email": LineField(
                email, clean_email, [Answered(lazy_gettext("Enter your email address"))]
            ),
            "password": _password(_("Password"), lazy_gettext("Enter your password")),
        },
        formdata,
    )


def build_address_form(formdata: MultiDict[str, str] | None, help_text: str = "") -> AccountForm:
    return build_form({"email": build_email_field(help_text)}, formdata)


def build_join_form(
    formdata: MultiDict[str, str] | None, *, email: str, asks_organization: bool
) -> AccountForm:
    """Ask a new organizer who they are; the address only where no mail has proven it."""
    fields: dict[str, UnboundField] = {}
    if asks_organization:
        fields["organization"] = _line(
            "organization",
            _("Name of your organization"),
            lazy_gettext("Enter the name of your organization"),
            longest=LONGEST_ORGANIZATION,
            autocomplete="organization",
        )
    fields["name"] = _line(
        "name",
        _("Your name"),
        lazy_gettext("Enter your name"),
        longest=LONGEST_NAME,
        autocomplete="name",
    )
    if not email:
        fields["email"] = build_email_field()
    about = ("name",) if email else ("name", "email")
    fields["password"] = _new_password(NewPassword(*about, known=(email,)))
    return build_form(fields, formdata)


def build_new_password_form(
    formdata: MultiDict[str, str] | None, *, known: tuple[str, ...]
) -> AccountForm:
    return build_form({"password": _new_password(NewPassword(known=known))}, formdata)


def build_proof_form(formdata: MultiDict[str, str] | None) -> AccountForm:
    return build_form(
        {"password": _password(_("Password"), lazy_gettext("Enter your password"))}, formdata
    )


def build_code_form(
    formdata: MultiDict[str, str] | None, label: str, help_text: str
) -> AccountForm:
    row = _row(
        "code",
        label,
        help=help_text,
        inputmode="numeric",
        autocomplete="one-time-code",
        width="narrow",
    )
    return build_form(
        {"code": SecretField(row, [Answered(lazy_gettext("Enter the code"))])}, formdata
    )


def build_name_form(
    formdata: MultiDict[str, str] | None, label: str, message: str, *, longest: int, name: str
) -> AccountForm:
    fields = {"name": _line("name", label, message, longest=longest)}
    return build_form(fields, formdata, name=name)


def build_member_form(
    formdata: MultiDict[str, str] | None,
    *,
    roles: list[tuple[str, str]],
    events: list[tuple[str, str]],
    asks_email: bool,
    chosen: Mapping[str, str],
) -> AccountForm:
    """Ask for role and events of a member, and whom to invite; `chosen` stands there at first."""
    fields: dict[str, UnboundField] = {}
    if asks_email:
        fields["email"] = build_email_field()
    fields["role"] = ChoiceField(
        _row("role", _("Role"), kind="radio", groups=_group(roles)),
        [value for value, _label in roles],
        [Answered(lazy_gettext("Choose a role"))],
    )
    scope = [("all", _("All events")), ("some", _("Only those chosen below"))]
    fields["scope"] = ChoiceField(
        _row("scope", _("Events"), kind="radio", groups=_group(scope)),
        ("all", "some"),
        [Answered(lazy_gettext("Choose the events"))],
    )
    fields["events"] = ChoicesField(
        _row(
            "events",
            _("Chosen events"),
            kind="checkboxes",
            groups=_group(events),
            required=False,
            condition=("scope", ("some",)),
        ),
        [value for value, _label in events],
    )
    return build_form(fields, formdata, **chosen)


def _row(name: str, label: str, *, kind: str = "text", required: bool = True, **more: Any) -> Row:
    return Row(kind=kind, name=name, label=label, error_label=label, required=required, **more)


def _group(pairs: list[tuple[str, str]]) -> tuple[OptionGroup, ...]:
    return (OptionGroup("", tuple(Option(value, label) for value, label in pairs)),)


def _line(
    name: str, label: str, message: str, *, longest: int, autocomplete: str | None = None
) -> UnboundField:
    row = _row(name, label, max_length=longest, autocomplete=autocomplete)
    return LineField(row, clean_line, [Answered(message)])


def _password(label: str, message: str) -> UnboundField:
    row = _row("password", label, input_type="password", autocomplete="current-password")
    return SecretField(row, [Answered(message)])


def _new_password(check: NewPassword) -> UnboundField:
    row = _row(
        "password",
        _("New password"),
        help=_("At least 12 characters. Several words in a row are easy to keep in mind."),
        input_type="password",
        autocomplete="new-password",
    )
    return SecretField(row, [check])
