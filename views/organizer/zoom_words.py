"""What Zoom's refusals mean to an organizer, in words with a next step."""

from __future__ import annotations

from flask_babel import gettext as _

from services.zoom_budget import CopyForPractice
from services.zoom_setup import Standstill
from zoom_client import (
    AuthenticationFailed,
    HostNotAllowed,
    HostNotFound,
    RateLimited,
    Retryable,
    ScopeMissing,
    ZoomError,
)


def describe_zoom_error(error: ZoomError) -> str:
    """Say what stands in the way at Zoom and who can mend it."""
    if isinstance(error, AuthenticationFailed):
        return _("Zoom refuses the app's credentials. Check them under Settings.")
    if isinstance(error, ScopeMissing):
        scopes = ", ".join(error.scopes)
        return _(
            "The Zoom app lacks a permission. Add it in Zoom's App Marketplace: %(scopes)s",
            scopes=scopes or _("see the README"),
        )
    if isinstance(error, HostNotFound):
        return _("Your Zoom account has no such user. Check the host's email address.")
    if isinstance(error, HostNotAllowed):
        return _("The plan or role of this host does not allow it. Choose another host.")
    if isinstance(error, RateLimited):
        return _("Zoom takes no more requests right now. Please try again in a minute.")
    if isinstance(error, Retryable):
        return _("Zoom is not answering. Nothing was changed here. Please try again in a minute.")
    if isinstance(error, CopyForPractice):
        return _("This site is a copy for practice, so Zoom was not called.")
    return _("Zoom refused: %(reason)s", reason=str(error))


def describe_standstill(standstill: Standstill) -> str:
    """Say why no event can be made of a meeting, and what to do instead."""
    return {
        Standstill.GONE: _(
            "Zoom has no such meeting or webinar. Check the number, and that the host belongs to "
            "your Zoom account."
        ),
        Standstill.OTHER_KIND: _("This is a meeting where a webinar was expected, or the reverse."),
        Standstill.PERSONAL_ID: _(
            "It uses the host's personal meeting ID, which cannot take registrations. Have Zoom "
            "generate an ID, or create a new one below."
        ),
        Standstill.NO_FIXED_TIME: _(
            "It has no fixed time. Give it one in Zoom, or create a new one below."
        ),
        Standstill.PAST: _("It is in the past. Move it in Zoom, or create a new one below."),
        Standstill.OTHER_TIME: _("Zoom has it at another time."),
        Standstill.NOT_KEPT: _(
            "Zoom did not keep a setting. Set it in Zoom by hand, or ask your Zoom administrator "
            "whether the account locks it."
        ),
        Standstill.TOO_SLOW: _("Zoom took too long. Nothing is published. Please try again."),
    }[standstill]
