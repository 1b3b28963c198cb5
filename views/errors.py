"""Pages for everything that cannot be shown: clear words, no trace."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from services.limits import RateLimitReached

from .headers import let_joining_lead_on
from .problems import is_for_program, make_problem
from .retries import OutcomeUnknown
from .secret_fields import has_secret
from .site import get_site

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 10


def init_errors(app: Flask) -> None:
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(SQLAlchemyError, _show_storage_error)
    app.register_error_handler(OutcomeUnknown, _show_unknown_outcome)
    app.register_error_handler(RateLimitReached, _show_rate_limit)
    app.register_error_handler(Exception, _show_unexpected)


def show_error(status: int) -> Response:
    """Make the page of a status; what is not listed is told as a bad request or a fault of ours.

    A program gets a problem instead.
    """
    if is_for_program(request.path):
        return make_problem(status)
    texts = _get_texts()
    title, message = texts.get(status) or texts[500 if status >= 500 else 400]
    may_pass = request.method == "GET" and (status == 429 or status >= 500)
    # Within an app there is often no button of the browser's that loads a page again.
    way_on = (_("Load this page again"), "") if may_pass else None
    if request.path.startswith("/organizer"):
        way_on = (_("To the dashboard"), "/organizer")
        if status == 404:
            message = _("It was removed, belongs to another organization, or never existed.")
    page = render_template(
        "errors/error.html", status=status, title=title, message=message, way_on=way_on
    )
    return make_response(page, status)


def _get_texts() -> dict[int, tuple[str, str]]:
    return {
        400: (
            _("This request cannot be read"),
            _("Please go back and try again."),
        ),
        403: (
            _("You may not do this"),
            _("Your role in this organization does not allow it. An owner can change that."),
        ),
        404: (
            _("This page does not exist"),
            _("Please check the address, or open the link in your email again."),
        ),
        405: (_("This does not work here"), _("Please go back and try again.")),
        413: (
            _("What you sent is too large"),
            _("Please go back and shorten your answers."),
        ),
        429: (
            _("Too many requests"),
            _("Please wait a moment and send it again."),
        ),
        500: (
            _("Something went wrong"),
            _("This is our fault. Please try again in a few minutes."),
        ),
        503: (
            _("Please try again in a moment"),
            _("We are sorry: this page cannot be shown now. Please try again in a few minutes."),
        ),
    }


def _show_http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    response = show_error(error.code)
    if error.code == 405:
        allowed = error.get_response().headers.get("Allow")
        if allowed:
            response.headers["Allow"] = allowed
    return response


def _show_storage_error(error: Exception) -> Response:
    log.error("the database did not answer", exc_info=error, extra={"path": request.path[:3]})
    response = _give_back(503, RETRY_AFTER_SECONDS) if _can_give_back() else show_error(503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _can_give_back() -> bool:
    if request.method != "POST" or is_for_program(request.path):
        return False
    # Many a button has no fields, and its view is there by POST alone: no browser loads it again.
    if not request.form and not g.get("is_repeatable", False):
        return False
    return not has_secret(request.path, request.form.items(multi=True))


def _show_unknown_outcome(error: Exception) -> Response:
    """Tell a program to look; the dashboard has a page of its own for it (`organizer/unsure.py`).

    There is no Retry-After, which many programs take as word that nothing was done.
    """
    log.error("nobody knows whether it was stored", exc_info=error)
    if is_for_program(request.path):
        detail = "It may have been done: read it again before you send it again."
        return make_problem(500, detail=detail)
    return show_error(500)


def _give_back(status: int, seconds: int) -> Response:
    """Make a page that needs no database and holds all that was sent, to be sent again."""
    is_joining = request.path.startswith("/j/")
    pairs = list(request.form.items(multi=True))
    kind = "unopened" if is_joining else "unsaved" if pairs else "undone"
    page = render_template(
        "errors/busy.html",
        kind="limited" if status == 429 else kind,
        seconds=seconds,
        fields="",
        pairs=pairs,
    )
    response = make_response(page, status)
    if is_joining:
        zoom = get_site().settings.zoom_api_url
        response.headers["Content-Security-Policy"] = let_joining_lead_on(zoom)
    return response


def _show_rate_limit(error: RateLimitReached) -> Response:
    seconds = error.retry_after_seconds
    # The page sends it again by itself: what must not come twice is left to whoever sent it.
    may_give_back = g.get("is_repeatable", False) and _can_give_back()
    response = _give_back(429, seconds) if may_give_back else show_error(429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _show_unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return show_error(500)
