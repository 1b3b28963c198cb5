"""The field for an email address, the same wherever one is asked for."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms.fields.core import UnboundField

from .fields import Answered, EmailField, RealAddress
from .normalise import clean_email
from .rows import Row


def build_email_field(help_text: str = "") -> UnboundField:
    """Make the field in the language of the moment."""
    row = Row(
        kind="email",
        name="email",
        label=_("Email address"),
        error_label=_("Email address"),
        help=help_text,
        required=True,
        input_type="email",
        inputmode="email",
        autocomplete="email",
        # The longest address there can be: a browser must not cut what Zoom will not take.
        max_length=254,
    )
    return EmailField(
        row, clean_email, [Answered(lazy_gettext("Enter your email address")), RealAddress()]
    )
