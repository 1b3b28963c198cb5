"""Security headers of every answer."""

from __future__ import annotations

from flask import Flask, Response

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

_ALWAYS = {**SECURITY, "Cache-Control": "no-store"}

_LASTING = "public, max-age=31536000, immutable"


def let_forms_lead_to(*sources: str) -> str:
    """Return the policy of a page whose form leads on to other sites as well."""
    return POLICY.replace("form-action 'self'", " ".join(["form-action 'self'", *sources]))


def let_be_framed_by(*origins: str) -> str:
    """Return the policy of a page that pages of these origins may show within themselves."""
    ancestors = " ".join(origins) or "'none'"
    return POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")


def init_headers(app: Flask) -> None:
    app.after_request(_set_headers)


def _set_headers(response: Response) -> Response:
    headers = response.headers
    given = {name.lower() for name, _ in headers}
    headers.extend({name: value for name, value in _ALWAYS.items() if name.lower() not in given})
    return response


def keep_for_ever(response: Response) -> Response:
    """Let caches keep an answer whose address changes with its content."""
    response.headers["Cache-Control"] = _LASTING
    return response
