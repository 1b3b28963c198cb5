"""Security headers of every answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response
from werkzeug.urls import iri_to_uri

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)

FRAMING = f"{POLICY}; frame-src 'self'"
"""The policy of a page that shows another one of ours within itself."""

FRAMED = POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
"""The policy of a page that one of ours may show within itself."""

MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
"""The policy of a mail within one of our pages: somebody else's page, with no script."""

SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

_ALWAYS = [
    (name.lower(), (name, value))
    for name, value in {**SECURITY, "Cache-Control": "no-store"}.items()
]

_LASTING = "public, max-age=31536000, immutable"


def let_forms_lead_to(*sources: str) -> str:
    """Return the policy of a page whose form leads on to other sites as well."""
    return POLICY.replace("form-action 'self'", " ".join(["form-action 'self'", *sources]))


def let_joining_lead_on(zoom_api_url: str) -> str:
    """Return the policy of a page whose button joins once it is known where that leads.

    Browsers hold the way on to the policy of the page whose button was pressed. Whether it leads
    to Zoom, or to an address of the organizer's, is not known before the database is asked.
    """
    zoom = urlsplit(zoom_api_url)
    return let_forms_lead_to("https:", f"{zoom.scheme}://{zoom.netloc}")


def let_be_framed_by(*origins: str) -> str:
    """Return the policy of a page that pages of these origins may show within themselves."""
    ancestors = " ".join(origins) or "'none'"
    return POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")


class SecuredResponse(Response):
    """An answer with the headers that each has, unless it brings others of these names.

    They join the list that goes to the server: before that, werkzeug looks through every value of
    every answer for line breaks.
    """

    def get_wsgi_response(self, environ: Any) -> Any:
        body, status, headers = super().get_wsgi_response(environ)
        given = {name.lower() for name, _ in headers}
        return body, status, headers + [pair for name, pair in _ALWAYS if name not in given]


class SeeOther(SecuredResponse):
    """Leads a browser on to an address of ours; but for its host all of it is ASCII.

    werkzeug would take it apart, join it to this one and put it together again, and write a page
    for those who are not led on.
    """

    def __init__(self, address: str) -> None:
        super().__init__(status=303)
        self._address = address if address.isascii() else iri_to_uri(address)

    def get_wsgi_response(self, environ: Any) -> Any:
        body, status, headers = super().get_wsgi_response(environ)
        return body, status, [*headers, ("Location", self._address)]


def keep_for_ever(response: Response) -> Response:
    """Let caches keep an answer whose address changes with its content."""
    response.headers["Cache-Control"] = _LASTING
    return response
