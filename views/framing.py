"""Pages shown within other sites' pages: which may be, and how they look there.

The same views serve a form's own page and its frame. Code that writes an address or draws a page
asks here where it will be shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlencode

from flask import Response, abort, g, has_app_context, request

from services.sources import read_source
from services.submissions import Surface
from storage.events import EventHead

from .headers import let_be_framed_by
from .locale import read_locale
from .site import get_notes, get_site

KINDS = ("e", "o")
"""How addresses of what can be framed begin: an event's form, an organization's list."""

THEMES = ("light", "dark")
FRAME_NAMES = ("theme", "parent")
"""What the address of a framed page has beside what other pages have."""


@dataclass(frozen=True)
class Frame:
    """What a framed page was asked for with.

    `theme` is the colour scheme of the page around it, empty where the reader's own holds.
    `parent` is the origin of that page: a listed one, or empty.
    """

    slug: str = ""
    theme: str = ""
    parent: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What the addresses of all pages within the frame carry along."""
        carried = {"theme": self.theme, "parent": self.parent}
        return {name: value for name, value in carried.items() if value}


def get_frame() -> Frame | None:
    """Return the frame that this answer will be shown in; None outside of frames."""
    frame: Frame | None = get_notes().get("frame") if has_app_context() else None
    return frame


def is_framed() -> bool:
    return get_frame() is not None


def read_surface() -> Surface:
    return Surface.EMBED if get_frame() else Surface.PAGE


def enter_frame(slug: str) -> None:
    """Answer this request with framed pages, even if what they show cannot be read."""
    origins = get_site().frame_origins.get(find_frame(request.path) or "", ())
    g.frame = Frame(slug, read_theme(request.args), read_parent(request.args, origins))


def find_frame(path: str) -> str | None:
    """Return the address of the frame that a path belongs to, before there is a request."""
    parts = path.split("/")[:4]
    return "/".join(parts) if parts[1:2] and parts[1] in KINDS and parts[3:] == ["embed"] else None


def read_theme(query: Mapping[str, str]) -> str:
    theme = query.get("theme", "")
    return theme if theme in THEMES else ""


def read_parent(query: Mapping[str, str], origins: Collection[str]) -> str:
    """Return the origin of the page around a frame, if it is one of these."""
    parent = query.get("parent", "")
    return parent if parent in origins else ""


def check_frame(event: EventHead) -> None:
    """Let the event's own frame be shown by the listed origins; that of another is unknown."""
    frame = get_frame()
    if frame is None:
        return
    if event.slug != frame.slug:
        abort(404)
    open_frame(frame, event.embed_origins)


def open_frame(frame: Frame, origins: Iterable[str]) -> None:
    """Let the frame of this request be shown by these origins.

    They are remembered: pages that say that something is wrong must not be blank.
    """
    get_site().frame_origins[find_frame(request.path) or ""] = listed = tuple(origins)
    g.frame = replace(frame, parent=read_parent(request.args, listed))


def let_be_framed(response: Response) -> Response:
    """Name the origins that may show it, on whatever is answered within a frame."""
    address = find_frame(request.path)
    if address is not None:
        origins = get_site().frame_origins.get(address, ())
        response.headers["Content-Security-Policy"] = let_be_framed_by(*origins)
    return response


def form_path(slug: str) -> str:
    return f"/e/{slug}/embed" if get_frame() else f"/e/{slug}"


def receipt_path(token: str) -> str:
    frame = get_frame()
    return f"/e/{frame.slug}/embed/done/{token}" if frame else f"/s/{token}"


def receipt_url(token: str) -> str:
    """Return the absolute address of a receipt: within the frame where the form was there."""
    return get_site().links.base_url + receipt_path(token) + write_query()


def write_query(**more: str) -> str:
    """Write the query of an address of ours: the language, and what a frame carries along."""
    query = _write_query(read_locale(), get_frame())
    return f"{query}&{urlencode(more)}" if more else query


def write_tags() -> str:
    """Write the campaign tags of this request's address so that they follow others in a query."""
    source = read_source(request.args)
    return f"&{urlencode(source)}" if source else ""


@lru_cache(maxsize=256)
def _write_query(locale: str, frame: Frame | None) -> str:
    return "?" + urlencode({"lang": locale, **(frame.query if frame else {})})
