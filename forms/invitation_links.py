"""The form of a link that people are invited with."""

from __future__ import annotations

from collections.abc import Mapping

import wtforms
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.invitation_links import TAG_NAMES, LinkKind, clean_tags
from services.sources import TAG_LENGTH

from .fields import RowField
from .organizer_fields import OrganizerForm, build_choice, build_form, build_line

LONGEST_NAME = 100


def build_link_form(
    formdata: MultiDict[str, str] | None, *, asks_kind: bool, chosen: Mapping[str, str]
) -> OrganizerForm:
    """Ask for a name, whose link it is, and for campaign tags; `chosen` stands there at first."""
    fields: dict[str, UnboundField] = {}
    if asks_kind:
        kinds = [
            (LinkKind.CHANNEL, _("A place: a mail, a site, a post, a poster")),
            (LinkKind.HELPER, _("A person who invites others: a speaker, a colleague, a partner")),
        ]
        fields["kind"] = build_choice(
            "kind", _("Whose link is it?"), kinds, missing=_("Choose whose link it is")
        )
    fields["name"] = build_line(
        "name",
        _("Name of the link"),
        longest=LONGEST_NAME,
        missing=_("Enter a name, such as “Newsletter of May”"),
        help=_("Seen here alone. It can be changed later, as the link holds a code in its place."),
        width="wide",
    )
    for name, label in zip(TAG_NAMES, _list_labels(), strict=True):
        fields[name] = build_line(
            name, label, longest=TAG_LENGTH, checks=[_check_tag], width="medium"
        )
    return build_form(fields, formdata, **chosen)


def _list_labels() -> tuple[str, str, str]:
    return (
        _("Campaign source (utm_source)"),
        _("Campaign medium (utm_medium)"),
        _("Campaign name (utm_campaign)"),
    )


def _check_tag(_form: wtforms.Form, field: RowField) -> None:
    if field.data and not clean_tags({field.name: field.data}):
        raise StopValidation(_("%(label)s cannot hold an email address", label=field.row.label))
