"""The form of an organization: who it is, how it is reached, and what new events start with."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from services.event_documents import SLUG, URL
from services.organization_pages import LONGEST_SLUG

from .fields import Answered, EmailField, Matches, RealAddress
from .normalise import clean_email
from .organizer_fields import OrganizerForm, build_choice, build_form, build_line
from .rows import Row

NO_POLICY = "each"
"""The choice of whoever leaves the link policy to each event."""


def build_organization_form(
    formdata: MultiDict[str, str] | None = None, **stored: str
) -> OrganizerForm:
    return build_form(
        {
            **_build_identity(),
            **_build_contact(),
            "timezone": build_choice("timezone", _("Time zone"), _list_zones(), kind="select"),
            "default_locale": build_choice(
                "default_locale",
                _("Language of new events"),
                [("ja", "日本語"), ("en", "English")],
            ),
            "link_policy": _build_policy(),
        },
        formdata,
        **stored,
    )


def build_list_page_form(
    formdata: MultiDict[str, str] | None = None, **stored: str
) -> OrganizerForm:
    """Make the form of the address of an organization's page of coming events."""
    slug = build_line(
        "slug",
        _("Address of the page"),
        longest=LONGEST_SLUG,
        width="wide",
        checks=(Matches(SLUG.pattern, _say_slug),),
        help=_(
            "Small letters, digits and hyphens. When it changes, the former address leads to the "
            "new one. Empty: there is no such page."
        ),
    )
    return build_form({"slug": slug}, formdata, **stored)


def _build_identity() -> dict[str, UnboundField]:
    return {
        "name": build_line(
            "name",
            _("Name of the organization"),
            longest=200,
            missing=_("Enter the name of your organization"),
            help=_("Pages and mails show it."),
        ),
        "legal_name": build_line(
            "legal_name",
            _("Official name"),
            longest=200,
            help=_(
                "As it is registered. The privacy notice and the box for advertising mail name it."
            ),
        ),
        "address": build_line(
            "address",
            _("Postal address"),
            longest=500,
            width="full",
            help=_("Mails and the privacy notice state it. It is needed to publish."),
        ),
        "representative": build_line(
            "representative",
            _("Representative"),
            longest=200,
            help=_("Title and name, as the privacy notice has to state them. Needed to publish."),
        ),
    }


def _build_contact() -> dict[str, UnboundField]:
    email = Row(
        kind="email",
        name="contact_email",
        label=_("Contact email address"),
        error_label=_("Contact email address"),
        help=_("It stands in every mail. One of address and page is needed to publish."),
        input_type="email",
        inputmode="email",
        max_length=254,
    )
    return {
        "contact_email": EmailField(email, clean_email, [Answered(None), RealAddress()]),
        "contact_url": build_line(
            "contact_url",
            _("Contact page"),
            longest=500,
            width="full",
            input_type="url",
            checks=(Matches(URL.pattern, _say_url),),
        ),
    }


def _build_policy() -> UnboundField:
    return build_choice(
        "link_policy",
        _("How people get their join link"),
        [
            (NO_POLICY, _("Each event decides")),
            ("show", _("On the screen and by mail, for all events")),
            ("code", _("On the screen after a code from the mail, for all events")),
            ("mail", _("By mail alone, for all events")),
        ],
        help=_("What you choose here for all events cannot be changed in a single one."),
    )


def _list_zones() -> list[tuple[str, str]]:
    """List the zones of places; Japan's comes first."""
    places = {zone for zone in available_timezones() if "/" in zone and zone[:4] != "Etc/"}
    zones = ["Asia/Tokyo", "UTC", *sorted(places - {"Asia/Tokyo"})]
    return [(zone, zone) for zone in zones]


def _say_slug(label: str) -> str:
    return _("The address may have small letters, digits and single hyphens")


def _say_url(label: str) -> str:
    return _("Enter %(label)s like https://www.example.com/page", label=label)
