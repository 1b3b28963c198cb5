"""What search engines look for at the root of a site: its map, and where they need not go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Response
from markupsafe import escape

from services.texts import LOCALES
from storage import public_pages

from .site import get_site

bp = Blueprint("sitemap", __name__)

MOST_PAGES = 2_000
"""Of events, and of organizations; a map may have 50,000 addresses (sitemaps.org/protocol.html)."""

LONG_OVER = timedelta(days=30)
KEPT_SECONDS = 60
CACHED_SECONDS = 3_600

PRIVATE = ("organizer", "s", "j", "r", "v", "mailbox", "metrics", "healthz", "readyz")
"""Where pages are somebody's own, or nobody's."""

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
)


@bp.get("/robots.txt")
def show_robots() -> Response:
    """Let pages of events be looked at: whether they are to be found, each says itself."""
    forbidden = [f"Disallow: /{place}/" for place in PRIVATE]
    forbidden += [f"Disallow: /{place}$" for place in PRIVATE if len(place) > 1]
    lines = ("User-agent: *", *forbidden, "", f"Sitemap: {_root()}/sitemap.xml", "")
    return Response("\n".join(lines), mimetype="text/plain")


@bp.get("/sitemap.xml")
def show_sitemap() -> Response:
    """List what is to be found; whatever asks for it, it is put together once a minute."""
    site = get_site()
    now = site.read_clock()
    content = site.sitemaps.get(now.timestamp() // KEPT_SECONDS, lambda: _draw(now))
    response = Response(content, mimetype="application/xml")
    response.headers["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    return response


def _draw(now: datetime) -> bytes:
    with get_site().database.read() as session:
        slugs = public_pages.list_organization_slugs(session, limit=MOST_PAGES)
        found = public_pages.list_findable(
            session, since=now - LONG_OVER, limit=MOST_PAGES, now=now
        )
    parts = [_HEAD]
    for slug in slugs:
        parts += _write(f"{_root()}/o/{slug}", LOCALES)
    for event in found:
        written = [locale for locale in LOCALES if event.title.get(locale)]
        parts += _write(f"{_root()}/e/{event.slug}", written, event.updated_at)
    return "".join([*parts, "</urlset>\n"]).encode()


def _write(
    address: str, languages: Iterable[str], changed_at: datetime | None = None
) -> Iterator[str]:
    """Write a page once for each language, each time with the way to the others."""
    address = escape(address)
    links = "".join(
        f'<xhtml:link rel="alternate" hreflang="{each}" href="{address}?lang={each}"/>'
        for each in languages
    )
    changed = f"<lastmod>{changed_at:%Y-%m-%d}</lastmod>" if changed_at else ""
    for locale in languages:
        yield f"<url><loc>{address}?lang={locale}</loc>{changed}{links}</url>\n"


def _root() -> str:
    return get_site().links.base_url
