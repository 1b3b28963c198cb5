"""The form that connects an organization to a Zoom account."""

from __future__ import annotations

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from .fields import Matches
from .organizer_fields import (
    OrganizerForm,
    build_choice,
    build_client_secret,
    build_form,
    build_line,
)

# What Zoom's marketplace hands out; nothing else can stand in the header they are sent in.
_ID = r"[A-Za-z0-9_.=-]+"
LONGEST_ID = 100


def build_zoom_connection_form(
    formdata: MultiDict[str, str] | None = None, *, is_stored: bool = False, **stored: str
) -> OrganizerForm:
    """Ask for what Zoom's marketplace shows; with a stored secret its field may stay empty."""
    return build_form(
        {
            "account_id": build_line(
                "account_id",
                _("Account ID"),
                longest=LONGEST_ID,
                missing=_("Enter the account ID"),
                checks=(Matches(_ID, _say_id),),
                autocomplete="off",
            ),
            "client_id": build_line(
                "client_id",
                _("Client ID"),
                longest=LONGEST_ID,
                missing=_("Enter the client ID"),
                checks=(Matches(_ID, _say_id),),
                autocomplete="off",
            ),
            "client_secret": build_client_secret(is_stored=is_stored),
            "plan": build_choice(
                "plan",
                _("Plan of the Zoom account"),
                [
                    ("free", _("Free (Basic)")),
                    ("pro", _("Pro")),
                    ("business", _("Business or higher")),
                ],
                help=_("Zoom does not tell apps the plan. Calls keep within its limits."),
            ),
        },
        formdata,
        **stored,
    )


def _say_id(label: str) -> str:
    return _("Copy %(label)s again: it has letters, digits and hyphens alone", label=label)
