"""The form with which an owner makes a key of the API."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from .organizer_fields import OrganizerForm, build_choice, build_choices, build_form, build_line

LONGEST_NAME = 100


def build_key_form(
    formdata: MultiDict[str, str] | None,
    *,
    scopes: Sequence[tuple[str, str]],
    lives: Sequence[tuple[str, str]],
) -> OrganizerForm:
    """Make the form of one request from the scopes and lifetimes that may be chosen."""
    return build_form(
        {
            "name": build_line(
                "name",
                _("Name of the key"),
                longest=LONGEST_NAME,
                missing=lazy_gettext("Enter a name, so that you know later what the key is for"),
                help=_("The program that will use it, such as “CRM” or “website”."),
            ),
            "scopes": build_choices(
                "scopes",
                _("What the key may do"),
                scopes,
                missing=lazy_gettext("Tick what the key may do"),
            ),
            "days": build_choice("days", _("It ends after"), lives),
        },
        formdata,
        days=lives[1][0],
    )
