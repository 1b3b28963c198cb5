"""Style sheets and scripts: written as small files, served as one of each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request

from services.branding import brand_css, derive_brand

from .framing import THEMES
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

    `site.css` and `site.js` are for everybody, `framed.css` and `framed.js` the same with what a
    page within another one needs, `organizer.css` and `organizer.js` for the dashboard alone.
    """
    if name not in BUNDLES:
        return None
    texts = [file.read_text() for folder in BUNDLES[name] for file in _list_files(folder)]
    if name.endswith(".css"):
        return _make_bundle("\n".join(texts), "text/css")
    # Each file is a module of its own; a block keeps its names to itself.
    return _make_bundle("\n".join(f"{{\n{text}}}" for text in texts), "text/javascript")


BUNDLES = {
    "site.css": ("css", "css/components"),
    "site.js": ("js",),
    "framed.css": ("css", "css/components", "css/framed"),
    "framed.js": ("js", "js/framed"),
    "organizer.css": ("css/organizer",),
    "organizer.js": ("js/organizer",),
}
_BY_SCHEME = re.compile(r"screen and \(prefers-color-scheme: ?dark\)")


def _list_files(folder: str) -> list[Path]:
    return sorted((STATIC / folder).glob(f"*.{folder.partition('/')[0]}"))


def static_url(name: str) -> str:
    """Return the address of a bundle or file, which changes with its content."""
    bundle = get_bundle(name)
    version = bundle.version if bundle else _hash((STATIC / name).read_bytes())
    return f"/static/{name}?v={version}"


@bp.get(f"/static/<any{tuple(BUNDLES)}:name>")
def show_bundle(name: str) -> Response:
    bundle = get_bundle(name)
    assert bundle is not None, "the route names just these"
    content = _choose_scheme(bundle.content.decode()) if name == "framed.css" else bundle.content
    return keep_for_ever(Response(content, mimetype=bundle.media_type))


@bp.get("/brand/<string(length=6):color>.css")
def show_brand(color: str) -> Response:
    """Serve the style of one brand colour; the address has all there is to know."""
    try:
        brand = derive_brand(f"#{color}")
    except ValueError:
        abort(404)
    return keep_for_ever(Response(_choose_scheme(brand_css(brand)), mimetype="text/css"))


def _choose_scheme(styles: str) -> str:
    """Write styles for the one colour scheme that the address asks for, if it does.

    A page around a frame may be dark, or light, whatever its reader's system prefers.
    """
    theme = request.args.get("theme")
    if theme not in THEMES:
        return styles
    chosen = _BY_SCHEME.sub("screen" if theme == "dark" else "not all", styles)
    return chosen.replace("color-scheme: light dark", f"color-scheme: {theme}")


def _make_bundle(content: str, media_type: str) -> Bundle:
    encoded = content.encode()
    return Bundle(encoded, media_type, _hash(encoded))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
