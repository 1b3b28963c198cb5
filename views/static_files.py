"""Style sheets and scripts: written as small files, served as one of each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort

from services.branding import brand_css, derive_brand

from .headers import keep_for_ever

bp = Blueprint("static_files", __name__)

STATIC = Path(__file__).parent.parent / "static"


@dataclass(frozen=True)
class Bundle:
    content: bytes
    media_type: str
    version: str


@cache
def get_bundle(name: str) -> Bundle | None:
    """Return a bundle, put together once for the life of the process.

    `site.css` and `site.js` are for everybody, `organizer.css` and `organizer.js` for the dashboard
    alone: pages of the form carry nothing of it.
    """
    if name not in BUNDLES:
        return None
    area, kind = name.split(".")
    if kind == "css":
        files = [STATIC / "css/tokens.css", STATIC / "css/base.css"] if area == "site" else []
        files += sorted((STATIC / "css" / _FOLDERS[area]).glob("*.css"))
        return _make_bundle("\n".join(file.read_text() for file in files), "text/css")
    # Each file is a module of its own; a block keeps its names to itself.
    folder = STATIC / "js" / ("" if area == "site" else area)
    content = "\n".join(f"{{\n{file.read_text()}}}" for file in sorted(folder.glob("*.js")))
    return _make_bundle(content, "text/javascript")


BUNDLES = ("site.css", "site.js", "organizer.css", "organizer.js")
_FOLDERS = {"site": "components", "organizer": "organizer"}


def static_url(name: str) -> str:
    """Return the address of a bundle or file, which changes with its content."""
    bundle = get_bundle(name)
    version = bundle.version if bundle else _hash((STATIC / name).read_bytes())
    return f"/static/{name}?v={version}"


@bp.get("/static/<any('site.css', 'site.js', 'organizer.css', 'organizer.js'):name>")
def show_bundle(name: str) -> Response:
    bundle = get_bundle(name)
    assert bundle is not None, "the route names just these"
    return keep_for_ever(Response(bundle.content, mimetype=bundle.media_type))


@bp.get("/brand/<string(length=6):color>.css")
def show_brand(color: str) -> Response:
    """Serve the style of one brand colour; the address has all there is to know."""
    try:
        brand = derive_brand(f"#{color}")
    except ValueError:
        abort(404)
    return keep_for_ever(Response(brand_css(brand), mimetype="text/css"))


def _make_bundle(content: str, media_type: str) -> Bundle:
    encoded = content.encode()
    return Bundle(encoded, media_type, _hash(encoded))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
