"""The cookies of the dashboard: random or signed, for this host alone, hidden from scripts.

`BROWSER` stands for the session, and before that ties forms to the browser. `STEP` says for ten
minutes that a password was shown. `DEVICE` lets an organizer sign in from a browser that they use,
whatever strangers try; it opens nothing.
"""

from __future__ import annotations

from flask import g, request
from werkzeug.wrappers import Response

from services import browsers, tickets

from ..site import get_site

BROWSER = "uketsuke"
STEP = "uketsuke-step"
DEVICE = "uketsuke-device"

_SECONDS = {
    BROWSER: int(browsers.LONGEST.total_seconds()),
    STEP: int(tickets.HOLDS.total_seconds()),
    DEVICE: 180 * 24 * 3600,
}


def read_cookie(name: str) -> str:
    """Return a cookie's value, as this request or its own answer has it."""
    given: dict[str, str] = g.get("given_cookies", {})
    return given[name] if name in given else request.cookies.get(_write_name(name)[0], "")


def give_cookie(name: str, value: str) -> None:
    """Let the answer of this request carry a cookie; an empty one takes it away."""
    if "given_cookies" not in g:
        g.given_cookies = {}
    g.given_cookies[name] = value


def set_cookies(response: Response) -> Response:
    for name, value in g.get("given_cookies", {}).items():
        full_name, is_secure = _write_name(name)
        response.set_cookie(
            full_name,
            value,
            max_age=_SECONDS[name] if value else 0,
            path="/",
            secure=is_secure,
            httponly=True,
            samesite="Lax",
        )
    return response


def _write_name(name: str) -> tuple[str, bool]:
    """Return a cookie's full name, and whether it goes over https alone: the prefix demands it."""
    is_secure = get_site().settings.site_url.startswith("https://")
    return (f"__Host-{name}" if is_secure else name, is_secure)
