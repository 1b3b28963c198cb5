"""The small form of a receipt: another address."""

from __future__ import annotations

import wtforms
from flask_babel import lazy_gettext

from .fields import Answered, EmailField, RealAddress
from .normalise import clean_email
from .rows import Row

_ROW = Row(kind="email", name="email", label="", error_label=lazy_gettext("Email address"))


class AddressForm(wtforms.Form):
    """Takes the right address where a wrong one was typed."""

    email = EmailField(
        _ROW, clean_email, [Answered(lazy_gettext("Enter your email address")), RealAddress()]
    )
