"""When more come than the site can answer: turn some away, lightly and with what they brought.

Before the app does anything for a request, it is known how long the request has waited and how
many wait behind it. A queue that only grows would make everybody wait until nobody is there any
more; so who has waited too long gets a page of a few kilobytes that comes back by itself. It
costs neither a template nor the database, and holds all that was sent: nothing has to be typed
again, and the form's token makes sure that nothing is stored twice.
"""

from __future__ import annotations

import html
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from flask import Flask, g, render_template
from flask_babel import force_locale

from services.texts import LOCALES

from .bodies import FORM, MAX_FIELDS
from .framing import Frame, find_frame, read_parent, read_theme
from .headers import SECURITY, let_be_framed_by, let_joining_lead_on
from .locale import list_other_languages, match_accepted
from .problems import MEDIA_TYPE, is_for_program, write_problem
from .secret_fields import has_secret

log = logging.getLogger(__name__)

MANY = 150
"""So many may wait in one process: of two hundred at once fifty are answered before it counts."""

# How long they may wait for a thread while so many do; while twice as many do, half as long: else
# the queue would be as long as all who come in that time. Who has filled in a form is turned away
# last; then who opens a form, has just sent one, or joins; pages of other kinds go first. Whoever
# is let in shares the processor with all others, and shall have an answer within a second in all.
SENDING_SECONDS = 0.6
OPENING_SECONDS = 0.5
OTHER_SECONDS = 0.3
PEOPLE = ("e", "s", "j", "v", "api")
ALWAYS = ("healthz", "readyz", "metrics", "static", "brand", "assets")
_DONE_IN_A_FRAME = "/embed/done/"
_EMBED_SCRIPT = re.compile("embed(-[0-9a-f]{12})?[.]js")

# Not all at the same moment, or they would be turned away together again.
RETRY_SECONDS = range(8, 21)
REPORT_SECONDS = 5.0

_SECONDS_MARK, _FIELDS_MARK, _QUERY_MARK, _PARENT_MARK = (
    secrets.token_urlsafe(24) for _ in range(4)
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Admission:
    """WSGI middleware that lets requests in, or asks them to come back.

    `waited` and `waiting` name what the server tells in the environ; without it all are let in.
    """

    def __init__(self, app: Flask, application: Application, *, waited: str, waiting: str) -> None:
        self._application = application
        self._waited, self._waiting = waited, waiting
        self._body_bytes = app.config["MAX_CONTENT_LENGTH"]
        self._draw_page = _make_page_drawer(app)
        site = app.extensions["site"]
        self._join_policy = let_joining_lead_on(site.settings.zoom_api_url)
        self._frame_origins: Mapping[str, tuple[str, ...]] = site.frame_origins
        self._tally = _Tally()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        waiting = environ.get(self._waiting, 0)
        if waiting <= MANY or environ[self._waited] <= _get_patience(environ) * MANY / waiting:
            return self._application(environ, start_response)
        self._tally.count()
        return self._turn_away(environ, start_response)

    def _turn_away(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seconds = str(secrets.choice(RETRY_SECONDS))
        if is_for_program(environ["PATH_INFO"]):
            return _refuse_program(start_response, seconds)
        fields = self._read_fields(environ) if environ["REQUEST_METHOD"] == "POST" else None
        address = find_frame(environ["PATH_INFO"])
        origins = self._frame_origins.get(address or "", ())
        parent = read_parent(dict(_read_query(environ)), origins)
        frame = _choose_frame(environ, address, parent)
        page = self._draw_page(_choose_locale(environ), _choose_kind(environ, fields), frame)
        page = page.replace(_SECONDS_MARK, seconds).replace(_QUERY_MARK, _repeat_query(environ))
        page = page.replace(_PARENT_MARK, html.escape(parent))
        body = page.replace(_FIELDS_MARK, fields or "").encode()
        headers = SECURITY | {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Retry-After": seconds,
            "Cache-Control": "no-store",
        }
        if environ["PATH_INFO"].startswith("/j/"):
            headers["Content-Security-Policy"] = self._join_policy
        if address is not None:
            headers["Content-Security-Policy"] = let_be_framed_by(*origins)
        start_response("503 Service Unavailable", list(headers.items()))
        return [body]

    def _read_fields(self, environ: Environ) -> str | None:
        """Write what was sent as hidden fields; None if no form sends it, or one with a secret."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind != FORM or length > self._body_bytes:
            return None
        try:
            pairs = parse_qsl(
                environ["wsgi.input"].read(length).decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MAX_FIELDS,
            )
        except ValueError:
            return None
        if has_secret(environ["PATH_INFO"], pairs):
            return None
        return "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in pairs
        )


class _Tally:
    """Counts who was turned away, and says so now and then: a line each would be load itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._report_at = 0.0

    def count(self) -> None:
        with self._lock:
            self._number += 1
            now = time.monotonic()
            if now < self._report_at:
                return
            number, self._number = self._number, 0
            self._report_at = now + REPORT_SECONDS
        log.warning("too many come at once; some are asked to come back", extra={"number": number})


def _refuse_program(start_response: StartResponse, seconds: str) -> Iterable[bytes]:
    """Ask a program to come back; it has kept what it sent, and needs no page."""
    body = write_problem(503).encode()
    headers = SECURITY | {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Retry-After": seconds,
        "Cache-Control": "no-store",
    }
    start_response("503 Service Unavailable", list(headers.items()))
    return [body]


def is_urgent(method: str, path: str, destination: str) -> bool:
    """Tell whether somebody goes on with what they have begun.

    What is always answered is not: many who ask for it would keep those waiting who register.
    `destination` is what a browser says in `Sec-Fetch-Dest`.
    """
    first = _read_first_part(path)
    if destination == "empty" or first not in PEOPLE:
        return False
    return method == "POST" or first in ("s", "j") or _DONE_IN_A_FRAME in path


def _get_patience(environ: Environ) -> float:
    """Return for how many seconds a request of this kind may wait."""
    first = _read_first_part(environ["PATH_INFO"])
    if first in ALWAYS or _EMBED_SCRIPT.fullmatch(first):
        return float("inf")
    # What a page asks for by itself, to see whether something has changed, can wait.
    if first not in PEOPLE or environ.get("HTTP_SEC_FETCH_DEST") == "empty":
        return OTHER_SECONDS
    return SENDING_SECONDS if environ["REQUEST_METHOD"] == "POST" else OPENING_SECONDS


def _read_first_part(path: str) -> str:
    return path.lstrip("/").partition("/")[0]


def _choose_locale(environ: Environ) -> str:
    asked = parse_qs(environ.get("QUERY_STRING", "")).get("lang", [""])[0]
    if asked in LOCALES:
        return asked
    return match_accepted(environ.get("HTTP_ACCEPT_LANGUAGE", "")) or LOCALES[0]


def _repeat_query(environ: Environ) -> str:
    """Write the tags of an address for the link to another language, which comes after them."""
    kept = urlencode([(name, value) for name, value in _read_query(environ) if name != "lang"])
    return html.escape(f"{kept}&") if kept else ""


def _read_query(environ: Environ) -> list[tuple[str, str]]:
    return parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)


def _choose_kind(environ: Environ, fields: str | None) -> str:
    if environ["REQUEST_METHOD"] == "POST":
        is_joining = environ["PATH_INFO"].startswith("/j/")
        return "unread" if fields is None else "join" if is_joining else "answers"
    path = environ["PATH_INFO"]
    return "receipt" if path.startswith("/s/") or _DONE_IN_A_FRAME in path else "page"


def _choose_frame(environ: Environ, address: str | None, parent: str) -> Frame | None:
    if address is None:
        return None
    theme = read_theme(dict(_read_query(environ)))
    return Frame(theme=theme, parent=_PARENT_MARK if parent else "")


def _make_page_drawer(app: Flask) -> Callable[[str, str, Frame | None], str]:
    """Return what draws the page of a language, kind and frame: once, with marks in it."""

    @cache
    def draw(locale: str, kind: str, frame: Frame | None) -> str:
        with app.app_context(), force_locale(locale):
            g.frame = frame
            return render_template(
                "errors/busy.html",
                kind=kind,
                seconds=_SECONDS_MARK,
                fields=_FIELDS_MARK,
                # In another language what was sent would be gone.
                language_links=[
                    (other, name, f"?{_QUERY_MARK}lang={other}")
                    for other, name in list_other_languages(locale)
                    if kind in ("page", "receipt")
                ],
            )

    return draw
