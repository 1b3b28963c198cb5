"""Refusing request bodies that no form of ours sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from flask import Flask, Request, abort, current_app
from werkzeug.datastructures import MultiDict

from .problems import is_for_program
from .site import get_request

FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data"

MAX_FIELDS = 2_000


_View = TypeVar("_View", bound=Callable[..., Any])
_FILES = "body_bytes"


def takes_files(most_bytes: int) -> Callable[[_View], _View]:
    """Let a view's form carry files, up to so many bytes in all; goes below `needs`."""

    def declare(view: _View) -> _View:
        setattr(view, _FILES, most_bytes)
        return view

    return declare


def init_bodies(app: Flask) -> None:
    app.before_request(_check_path)
    app.before_request(_check_body)


def _check_path() -> None:
    """Answer 404 to a NUL in the path: no address of ours has one, and PostgreSQL refuses it."""
    if "\0" in get_request().path:
        abort(404)


def _check_body() -> None:
    """Answer 415 to other kinds of body, 400 to text that is not UTF-8, 413 to too much of it.

    Werkzeug would put other characters in the place of broken ones, and nobody would notice.
    """
    request = get_request()
    if request.method != "POST" or is_for_program(request.path):
        return  # what programs send is read in `views/api/bodies.py`
    if most := getattr(current_app.view_functions.get(request.endpoint or ""), _FILES, 0):
        _check_parts(request, most)
        return
    body = request.get_data(cache=True)
    if not body:
        return
    # A body that comes in chunks is cut at the limit, and nothing says that there was more.
    if request.content_length is None and len(body) >= current_app.config["MAX_CONTENT_LENGTH"]:
        abort(413)
    mimetype = request.mimetype
    if mimetype not in (FORM, _PARTS):
        abort(415)
    if body.count(b"&") > MAX_FIELDS:
        abort(413)
    if mimetype == FORM and body.isascii() and not _has_percent(request.form):
        return  # broken bytes would stand in it as they were sent; this is much faster
    try:
        (unquote_to_bytes(body) if mimetype == FORM else body).decode()
    except UnicodeDecodeError:
        abort(400)


def _check_parts(request: Request, most_bytes: int) -> None:
    """Check the texts of a form with files; the files are whatever they are."""
    request.max_content_length = most_bytes
    if request.content_length in (None, 0) and not request.mimetype:
        return
    if request.mimetype not in (FORM, _PARTS):
        abort(415)
    texts = (text for pair in request.form.items(multi=True) for text in pair)
    if any("\ufffd" in text for text in texts):
        abort(400)


def _has_percent(form: MultiDict[str, str]) -> bool:
    return any("%" in name or "%" in value for name, value in form.items(multi=True))
