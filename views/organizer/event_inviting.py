"""Inviting people to an event: its link, a QR code, and a text to send."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from sqlalchemy.orm import Session

from services.event_views import view_event as view_for_readers
from services.events import read_seats
from services.members import Member, Permission
from services.qr_codes import draw_qr_png, draw_qr_svg
from services.texts import LOCALES
from storage.models import Event

from ..site import get_site
from .access import bp, need_event, needs
from .event_headings import view_event


@bp.get("/events/<event>/inviting", endpoint="show_inviting")
@needs(Permission.SEE_EVENTS)
def show_inviting(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        return render_template(
            "organizer/inviting.html",
            event=view_event(found),
            here="inviting",
            url=_get_link(found),
            invitations=[_write_invitation(session, found, locale) for locale in LOCALES],
        )


@bp.get("/events/<event>/qr.svg", endpoint="show_qr_svg")
@needs(Permission.SEE_EVENTS)
def show_qr_svg(member: Member, event: str) -> ResponseReturnValue:
    found = _read(member, event)
    return _send(found, draw_qr_svg(_get_link(found)), "svg", "image/svg+xml")


@bp.get("/events/<event>/qr.png", endpoint="show_qr_png")
@needs(Permission.SEE_EVENTS)
def show_qr_png(member: Member, event: str) -> ResponseReturnValue:
    found = _read(member, event)
    return _send(found, draw_qr_png(_get_link(found)), "png", "image/png")


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


def _read(member: Member, event: str) -> Event:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        session.expunge_all()
    return found


def _get_link(event: Event) -> str:
    return get_site().links.event(event.slug)


def _send(event: Event, content: bytes, ending: str, media_type: str) -> Response:
    response = Response(content, mimetype=media_type)
    if request.args.get("save") == "1":
        response.headers.set(
            "Content-Disposition", "attachment", filename=f"{event.slug}-qr.{ending}"
        )
    return response
