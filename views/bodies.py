"""Refusing request bodies that no form of ours sends."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from flask import Flask, abort, current_app, request
from werkzeug.datastructures import MultiDict

FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data"

MAX_FIELDS = 2_000


def init_bodies(app: Flask) -> None:
    app.before_request(_check_path)
    app.before_request(_check_body)


def _check_path() -> None:
    """Answer 404 to what no address of ours holds; PostgreSQL would refuse to compare it."""
    if "\0" in request.path:
        abort(404)


def _check_body() -> None:
    """Answer 415 to other kinds of body, 400 to text that is not UTF-8, 413 to too much of it.

    Werkzeug would put other characters in the place of broken ones, and nobody would notice.
    """
    if request.method != "POST":
        return
    body = request.get_data(cache=True)
    if not body:
        return
    # A body that comes in chunks is cut at the limit, and nothing says that there was more.
    if request.content_length is None and len(body) >= current_app.config["MAX_CONTENT_LENGTH"]:
        abort(413)
    if request.mimetype not in (FORM, _PARTS):
        abort(415)
    if body.count(b"&") > MAX_FIELDS:
        abort(413)
    if request.mimetype == FORM and body.isascii() and not _has_percent(request.form):
        return  # broken bytes would stand in it as they were sent; this is much faster
    try:
        (unquote_to_bytes(body) if request.mimetype == FORM else body).decode()
    except UnicodeDecodeError:
        abort(400)


def _has_percent(form: MultiDict[str, str]) -> bool:
    return any("%" in name or "%" in value for name, value in form.items(multi=True))
