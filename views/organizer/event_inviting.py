"""Inviting people to an event: its link, a QR code, and a text to send."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from sqlalchemy.orm import Session

from services.event_views import view_event as view_for_readers
from services.events import read_seats
from services.members import Member, Permission
from services.qr_codes import draw_qr_png, draw_qr_svg
from services.texts import LOCALES
from storage.invitation_links import get_link
from storage.models import Event

from ..sharing import write_card_path
from ..site import get_site
from .access import bp, need_event, needs
from .event_headings import view_event
from .invitation_links import list_links, write_link
from .people_filters import refresh_index


@bp.get("/events/<event>/inviting", endpoint="show_inviting")
@needs(Permission.SEE_EVENTS)
def show_inviting(member: Member, event: str) -> ResponseReturnValue:
    refresh_index(member, event)
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        links = list_links(session, found)
        invitations = [_write_invitation(session, found, locale) for locale in LOCALES]
        views = [invitation["invited"] for invitation in invitations]
        return render_template(
            "organizer/inviting.html",
            event=view_event(found),
            here="inviting",
            url=_get_link(found),
            links=[link for link in links if not link["is_archived"]],
            archived=[link for link in links if link["is_archived"]],
            invitations=invitations,
            cards=[write_card_path(view) for view in views if view.locale in view.languages],
        )


@bp.get("/events/<event>/qr.svg", endpoint="show_qr_svg")
@needs(Permission.SEE_EVENTS)
def show_qr_svg(member: Member, event: str) -> ResponseReturnValue:
    name, address = _read_address(member, event)
    return _send(draw_qr_svg(address), f"{name}-qr.svg", "image/svg+xml")


@bp.get("/events/<event>/qr.png", endpoint="show_qr_png")
@needs(Permission.SEE_EVENTS)
def show_qr_png(member: Member, event: str) -> ResponseReturnValue:
    name, address = _read_address(member, event)
    return _send(draw_qr_png(address), f"{name}-qr.png", "image/png")


def _write_invitation(session: Session, event: Event, locale: str) -> dict[str, Any]:
    """Write the text in one language, plain and as a part of a page, with the link for it."""
    link = _get_link(event)
    site = get_site()
    seats = read_seats(session, event)
    view = view_for_readers(session, event, locale, seats=seats, now=site.read_clock())
    members = {
        "invited": view,
        "link": link if locale == event.default_locale else f"{link}?lang={locale}",
    }
    with force_locale(locale):
        plain = render_template("organizer/invitation.txt", **members).strip()
    _, *blocks = plain.split("\n\n")
    paragraphs = [block.splitlines() for block in blocks]
    return {"locale": locale, "plain": plain, "paragraphs": paragraphs, **members}


def _read_address(member: Member, event: str) -> tuple[str, str]:
    """Return what a QR code's file is called, and where it leads: to the form, by a link or not."""
    code = request.args.get("link", "")
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        if not code:
            return found.slug, _get_link(found)
        if get_link(session, found.id, code) is None:
            abort(404)
        return f"{found.slug}-{code}", write_link(found, code)


def _get_link(event: Event) -> str:
    return get_site().links.event(event.slug)


def _send(content: bytes, name: str, media_type: str) -> Response:
    response = Response(content, mimetype=media_type)
    if request.args.get("save") == "1":
        response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
