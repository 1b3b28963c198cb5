"""The picture that is shown where somebody shares the address of an event."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect
from flask.typing import ResponseReturnValue

from services.event_views import view_event
from services.texts import LOCALES
from storage import events

from .card_shelf import read_pictures
from .errors import RETRY_AFTER_SECONDS
from .event_pages import load_event
from .headers import keep_for_ever
from .sharing import make_card
from .site import get_site

bp = Blueprint("cards", __name__)


@bp.get("/e/<slug>/card/<locale>/<name>")
def show_card(slug: str, locale: str, name: str) -> ResponseReturnValue:
    """Show the picture of an event; an address from before a change leads to the new picture."""
    site = get_site()
    content = site.cards.find(name)
    if content is None:
        page = load_event(slug, site.read_clock(), at_a_glance=True)
        if locale not in LOCALES:
            abort(404)
        with site.database.read() as session:
            event = events.need_event(session, page.event.id)
            now = site.read_clock()
            card = make_card(view_event(session, event, locale, seats=page.seats, now=now))
            if card.name != name:
                return redirect(f"/e/{slug}/card/{locale}/{card.name}")
            pictures = read_pictures(session, card)
        content = site.cards.draw(card, pictures, site.settings.card_font)
    if content is None:
        return Response("", 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}, mimetype="text/plain")
    media_type = "image/jpeg" if name.endswith(".jpg") else "image/png"
    response = keep_for_ever(Response(content, mimetype=media_type))
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Others' pages show it.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
