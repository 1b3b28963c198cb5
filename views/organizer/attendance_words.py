"""How pages say whether somebody came, and why that is unclear."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from services.attendance import Presence, Reason, Standing, Verdict
from services.attendance_columns import count_minutes
from services.dates import load_zone

from ..locale import read_locale

STANDINGS = {
    Standing.ATTENDED: lazy_gettext("Attended"),
    Standing.ABSENT: lazy_gettext("Absent"),
    Standing.UNCLEAR: lazy_gettext("Unclear"),
}
_REASONS = {
    Reason.NOT_RECORDED: lazy_gettext("it is not recorded"),
    Reason.NOT_READY: lazy_gettext("Zoom has not finished its record"),
    Reason.UNRECOGNISED: lazy_gettext("people took part whom nobody can tell"),
    Reason.NOT_REGISTERED: lazy_gettext("not registered at Zoom when it ended"),
    Reason.NOT_HELD: lazy_gettext("not held yet, or Zoom knows of nothing held"),
}


def describe_verdict(verdict: Verdict, timezone: str) -> str:
    """Say it in one line: Attended, 52 minutes (18:01–18:53); hours alone tell no two days."""
    if verdict.presence is not None:
        return _describe_presence(verdict.presence, timezone)
    if verdict.reason is not None:
        return _("Unclear: %(reason)s", reason=_REASONS[verdict.reason])
    return str(STANDINGS[verdict.standing])


def _describe_presence(presence: Presence, timezone: str) -> str:
    zone = load_zone(timezone)
    first, last = presence.first_joined_at.astimezone(zone), presence.last_left_at.astimezone(zone)
    minutes = count_minutes(presence.seconds)
    if last - first >= timedelta(days=1):
        return ngettext("Attended, %(num)d minute", "Attended, %(num)d minutes", minutes)
    dash = "〜" if read_locale() == "ja" else "–"
    return ngettext(
        "Attended, %(num)d minute (%(times)s)",
        "Attended, %(num)d minutes (%(times)s)",
        minutes,
        times=f"{first:%H:%M}{dash}{last:%H:%M}",
    )
