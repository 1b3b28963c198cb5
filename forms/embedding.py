"""The form of a site that may show an organization's forms within its pages."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from services.embedding import MOST_ORIGINS, Refusal

from .organizer_fields import OrganizerForm, build_form, build_line

REFUSALS = {
    Refusal.SHAPE: lazy_gettext("Enter one site, like https://www.example.com"),
    Refusal.PATH: lazy_gettext(
        "Enter the site alone, without what follows its name: https://www.example.com"
    ),
    Refusal.HTTPS: lazy_gettext("A site has to begin with https://"),
    Refusal.HOST: lazy_gettext(
        "This is no name of a site. Enter the whole name of one: no * and no name within a company"
    ),
    Refusal.FULL: lazy_gettext(
        "There are %(most)s sites already, which is as many as there can be. Remove one first",
        most=MOST_ORIGINS,
    ),
}


def build_origin_form(formdata: MultiDict[str, str] | None) -> OrganizerForm:
    origin = build_line(
        "origin",
        _("Site"),
        longest=300,
        missing=REFUSALS[Refusal.SHAPE],
        help=_("As the browser shows it: https:// and the name, like https://www.example.com"),
        input_type="url",
        autocomplete="off",
        width="wide",
    )
    return build_form({"origin": origin}, formdata)
