"""An email address, asked for in the same way wherever one is."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms.fields.core import UnboundField

from .addresses import suggest_address
from .fields import Answered, EmailField, RealAddress, UnseenField
from .normalise import clean_email
from .rows import Row


class AddressAsking:
    """The part of a form that offers what was probably meant for a mistyped address.

    `email_choice` is the button with which its sender has said which address it is, and
    `email_kept` the one that was said to be right. `suggestion` is the outcome.
    """

    email: EmailField
    email_choice: UnseenField
    email_kept: UnseenField
    suggestion: str | None = None

    def settle_address(self) -> bool:
        """Tell whether a valid address is the one that was meant, as far as can be known."""
        email = self.email
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
        email.errors = [_("Email address: did you mean %(address)s?", address=suggested)]
        return False


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
