"""The script that puts a form into pages of others, at an address of its own for each version.

Pages name a version with its hash, so each that was ever released is served for good: former ones
lie in `static/embed/`, by the names of their addresses.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from flask import Blueprint, Response, abort

from .headers import keep_for_ever
from .static_files import STATIC

bp = Blueprint("embed_script", __name__)

SCRIPT = STATIC / "embed.js"
FORMER = STATIC / "embed"


@bp.get("/embed.js")
def show_newest() -> Response:
    response = _answer(read_scripts()[read_version()])
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/embed-<string(length=12):version>.js")
def show_version(version: str) -> Response:
    if version not in read_scripts():
        abort(404)
    return keep_for_ever(_answer(read_scripts()[version]))


@cache
def read_scripts() -> dict[str, bytes]:
    """Return every version by its name."""
    files = [*FORMER.glob("*.js"), SCRIPT]
    return {name_version(content): content for content in (file.read_bytes() for file in files)}


@cache
def read_version() -> str:
    """Return the name of the newest version."""
    return name_version(SCRIPT.read_bytes())


@cache
def read_integrity() -> str:
    """Return what a page writes into `integrity`, so that its browser takes no other script."""
    digest = hashlib.sha384(read_scripts()[read_version()]).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"


def name_version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _answer(content: bytes) -> Response:
    """Let pages of others check what they get: browsers do so only where it is for everybody."""
    response = Response(content, mimetype="text/javascript")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
