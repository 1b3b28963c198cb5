"""The front page, and the images of events."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from services.dates import format_period
from services.events import get_end
from services.texts import localize
from storage import events

from .headers import keep_for_ever
from .locale import read_locale
from .site import get_site

bp = Blueprint("home", __name__)


@bp.get("/")
def show_home() -> ResponseReturnValue:
    """Show the demo's events; elsewhere events are found by their own address alone."""
    site, locale = get_site(), read_locale()
    shown = []
    if site.settings.is_demo:
        with site.database.read() as session:
            shown = [
                (
                    localize(event.title, locale),
                    f"/e/{event.slug}",
                    format_period(event.starts_at, get_end(event), event.timezone, locale),
                )
                for event in events.list_events(session)
                if event.status == "published"
            ]
    return render_template("home/index.html", events=shown)


@bp.get("/assets/<name>")
def show_asset(name: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        asset = events.get_asset(session, name)
        if asset is None:
            abort(404)
        response = Response(asset.content, mimetype=asset.media_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return keep_for_ever(response)


@bp.get("/robots.txt")
def show_robots() -> ResponseReturnValue:
    lines = ("User-agent: *", "Disallow: /s/", "Disallow: /j/", "Disallow: /r/", "")
    return Response("\n".join(lines), mimetype="text/plain")
