"""The front page, the images of events, and whom to tell of a weakness."""

from __future__ import annotations

from datetime import timedelta

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

SECURITY_CONTACT_HOLDS = timedelta(days=90)


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


@bp.get("/.well-known/security.txt")
def show_security_contact() -> ResponseReturnValue:
    """Say whom to tell of a weakness, as RFC 9116 has it; there may be nobody."""
    site = get_site()
    contact = site.settings.security_contact
    if not contact:
        abort(404)
    # It is true for as long as it is shown; the RFC asks for a date within a year.
    today = site.read_clock().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {contact}",
        f"Expires: {today + SECURITY_CONTACT_HOLDS:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: ja, en",
        f"Canonical: {site.settings.site_url}/.well-known/security.txt",
        "",
    )
    return Response("\n".join(lines), mimetype="text/plain")
