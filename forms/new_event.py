"""Creating a meeting or webinar at Zoom from here."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from services.dates import list_zones
from services.event_documents import LONGEST_EVENT_MINUTES
from services.event_drafts import LONGEST_TITLE

from .fields import ChoiceField, LineField, RealAddress
from .organizer_fields import (
    OrganizerForm,
    build_choice,
    build_line,
    build_moment,
    build_number,
)


class MeetingForm(OrganizerForm):
    """What Zoom has to know; `build_meeting_form` makes it in one language."""

    kind: ChoiceField
    host: LineField
    title: LineField
    starts_at: LineField
    duration_minutes: LineField
    timezone: ChoiceField


def build_meeting_form(locale: str, zone: str) -> type[MeetingForm]:
    """Make the form; the organization's own zone is offered beside the usual ones."""
    return _build(locale, zone if zone not in dict(list_zones(locale)) else "")


@cache
def _build(locale: str, further_zone: str) -> type[MeetingForm]:
    zones = list_zones(locale) + ([(further_zone, further_zone)] if further_zone else [])
    with force_locale(locale):
        kinds = [("webinar", _("Webinar")), ("meeting", _("Meeting"))]
        members: dict[str, Any] = {
            "title": build_line(
                "title",
                _("Title"),
                longest=LONGEST_TITLE,
                missing=_("Enter the title"),
                width="full",
            ),
            "kind": build_choice("kind", _("Kind"), kinds),
            "host": build_line(
                "host",
                _("Host"),
                longest=128,
                missing=_("Enter the host"),
                checks=(RealAddress(),),
                input_type="email",
                width="wide",
                help=_("The email address of a licensed user of your Zoom account."),
            ),
            "starts_at": build_moment("starts_at", _("Start"), missing=_("Enter the start")),
            "duration_minutes": build_number(
                "duration_minutes",
                _("Duration in minutes"),
                least=1,
                most=LONGEST_EVENT_MINUTES,
                missing=_("Enter the duration"),
            ),
            "timezone": build_choice(
                "timezone", _("Time zone"), zones, kind="select", width="wide"
            ),
        }
    return type("LocalMeetingForm", (MeetingForm,), members)
