"""The small form of a receipt: another address."""

from __future__ import annotations

from functools import cache

import wtforms
from flask_babel import force_locale

from .email_fields import build_email_field
from .fields import EmailField


class AddressForm(wtforms.Form):
    """Takes the right address where a wrong one was typed; `build_address_form` makes it."""

    email: EmailField


@cache
def build_address_form(locale: str) -> type[AddressForm]:
    """Make the form in one language, and keep it."""
    with force_locale(locale):
        return type("LocalAddressForm", (AddressForm,), {"email": build_email_field()})
