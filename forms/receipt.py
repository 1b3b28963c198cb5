"""The small form of a receipt: another address."""

from __future__ import annotations

from functools import cache
from typing import Any

import wtforms
from flask_babel import force_locale

from .email_fields import AddressAsking, build_email_field
from .fields import UnseenField


class AddressForm(AddressAsking, wtforms.Form):
    """Takes the right address where a wrong one was typed; `build_address_form` makes it."""

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the address, and offer what was probably meant for another slip."""
        return super().validate(extra_validators) and self.settle_address()


@cache
def build_address_form(locale: str) -> type[AddressForm]:
    """Make the form in one language, and keep it."""
    with force_locale(locale):
        members = {
            "email": build_email_field(),
            "email_choice": UnseenField(),
            "email_kept": UnseenField(),
        }
        return type("LocalAddressForm", (AddressForm,), members)
