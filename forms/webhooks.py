"""The form with which an owner has another system be told of registrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from .organizer_fields import OrganizerForm, build_choice, build_choices, build_form, build_line

LONGEST_NAME = 100
LONGEST_URL = 1_000
ALL, CHOSEN = "all", "chosen"


def build_webhook_form(
    formdata: MultiDict[str, str] | None,
    *,
    payloads: Sequence[tuple[str, str]],
    kinds: Sequence[tuple[str, str]],
    events: Sequence[tuple[str, str]],
    stored: Mapping[str, Any],
) -> OrganizerForm:
    """Make the form of one request from what may be chosen; `stored` stands in it at first."""
    return build_form(
        {
            "name": build_line(
                "name",
                _("Name of the system"),
                longest=LONGEST_NAME,
                missing=lazy_gettext("Enter a name, so that others know what is told"),
                help=_("The system that is told, such as “CRM”."),
            ),
            "url": build_line(
                "url",
                _("Address to send to"),
                longest=LONGEST_URL,
                width="full",
                missing=lazy_gettext("Enter the address to send to"),
                input_type="url",
                autocomplete="off",
                help=_("It begins with https:// and leads to the internet."),
            ),
            "kinds": build_choices(
                "kinds",
                _("What is told"),
                kinds,
                missing=lazy_gettext("Tick what is to be told"),
            ),
            "payload": build_choice("payload", _("What is said of a person"), payloads),
            "places": build_choice(
                "places",
                _("Which events"),
                [
                    (ALL, _("All, and those to come")),
                    (CHOSEN, _("Those ticked below")),
                ],
            ),
            "events": build_choices("events", _("Events"), events),
        },
        formdata,
        **stored,
    )
