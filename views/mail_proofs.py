"""The page that a proof's mail leads to: one button, as mail programs open every link."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services.dates import format_short
from services.mail_proofs import ProofOver, confirm, get_end_of_waiting, waits_for_button
from services.registrations import DatesClosed, NotHeld, RegistrationNotOpen
from services.tokens import Purpose
from storage import events

from .event_pages import draw_head, load_event, show_state
from .limits import count_against_network
from .locale import read_locale
from .retries import repeatable
from .site import get_site
from .tokens import OpenedReceipt, open_receipt

bp = Blueprint("mail_proofs", __name__)


@bp.get("/v/<token>")
def show_proof(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        return _draw(session, token, _open(session, token), now)


@bp.post("/v/<token>")
@repeatable
def give_proof(token: str) -> ResponseReturnValue:
    """Register who was asked; pressed again, it leads to the same receipt."""
    site, now = get_site(), get_site().read_clock()
    try:
        with site.database.write() as session:
            opened = _open(session, token)
            count_against_network(session, now)
            event = events.need_event(session, opened.event.id)
            confirm(session, event, opened.submission, policy=opened.policy, now=now)
            receipt = site.links.receipt(opened.submission)
    except (ProofOver, NotHeld):
        with site.database.read() as session:
            return _draw(session, token, _open(session, token), now)
    except DatesClosed:
        with site.database.read() as session:
            return _draw(session, token, _open(session, token), now, is_too_late=True)
    except RegistrationNotOpen as refusal:
        page = load_event(opened.event.slug, now)
        with site.database.read() as session:
            return show_state(session, page, now, state=refusal.state)
    return redirect(f"{receipt}?lang={read_locale()}", code=303)


def _open(session: Session, token: str) -> OpenedReceipt:
    return open_receipt(session, token, Purpose.PROOF)


def _draw(
    session: Session,
    token: str,
    opened: OpenedReceipt,
    now: datetime,
    *,
    is_too_late: bool = False,
) -> Response:
    """Draw the page; 410 where its button does nothing any more, 409 where a date is gone."""
    submission, event = opened.submission, draw_head(session, opened.event, now)
    if submission.corrected_by_id is not None:
        state = "over"  # what has come of it is the business of whoever reads the other address
    elif opened.registration is not None:
        state = "done"
    elif is_too_late:
        state = "dates"
    else:
        state = "waiting" if waits_for_button(submission, now=now) else "over"
    html = render_template(
        "registration/mail_proof.html",
        event=event,
        state=state,
        action=f"/v/{token}?lang={read_locale()}",
        until=format_short(get_end_of_waiting(submission), event.timezone, read_locale()),
        receipt_url=f"{get_site().links.receipt(submission)}?lang={read_locale()}",
    )
    return make_response(html, {"over": 410, "dates": 409}.get(state, 200))
