"""The page that a proof's mail leads to: one button, as mail programs open every link."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services.coming_back import can_come_back
from services.dates import format_short
from services.mail_proofs import (
    DATES_SHUT,
    ProofOver,
    confirm,
    find_last_moment,
    find_obstacle,
    waits_for_button,
)
from services.questions import answers_from_json
from services.registrations import DatesClosed, NotHeld, RegistrationNotOpen
from services.tokens import Purpose
from storage import events, registrations
from storage.models import Event

from .event_pages import draw_head
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
    """Register who was asked; pressed again, it leads to their receipt."""
    site, now = get_site(), get_site().read_clock()
    try:
        with site.database.write() as session:
            opened = _open(session, token)
            count_against_network(session, now)
            event = events.need_event(session, opened.event.id)
            confirm(session, event, opened.submission, policy=opened.policy, now=now)
            target = _find_way_on(session, event, opened, now)
    except (ProofOver, NotHeld):
        obstacle = ""
    except RegistrationNotOpen as refusal:
        obstacle = DATES_SHUT if isinstance(refusal, DatesClosed) else refusal.state
    else:
        return redirect(f"{target}?lang={read_locale()}", code=303)
    with site.database.read() as session:
        return _draw(session, token, _open(session, token), now, obstacle=obstacle)


def _find_way_on(session: Session, event: Event, opened: OpenedReceipt, now: datetime) -> str:
    """Return where the button leads: to the receipt, or who had cancelled to where they come back.

    That is the page to which the mail leads that they get now; the link to this button is for good,
    and leads there only the first time.
    """
    number = opened.submission.registration_id if opened.registration is None else None
    person = registrations.get_registration(session, number) if number is not None else None
    if person is not None and can_come_back(session, event, person, now=now):
        return f"{get_site().links.personal_from_mail(person)}/again"
    return get_site().links.receipt(opened.submission)


def _open(session: Session, token: str) -> OpenedReceipt:
    return open_receipt(session, token, Purpose.PROOF)


def _draw(
    session: Session, token: str, opened: OpenedReceipt, now: datetime, *, obstacle: str = ""
) -> Response:
    """Draw the page; 410 where its button does nothing any more, 409 where it was refused."""
    submission, head = opened.submission, opened.event
    if submission.corrected_by_id is not None:
        state = "over"  # what has come of it is the business of whoever reads the other address
    elif opened.registration is not None:
        state = "done"
    elif not waits_for_button(submission, now=now):
        state = "over"
    else:
        state = obstacle or find_obstacle(session, head, submission, now=now) or "waiting"
    last = find_last_moment(
        head, answers_from_json(submission.answers), sent_at=submission.created_at
    )
    html = render_template(
        "registration/mail_proof.html",
        event=draw_head(session, head, now),
        state=state,
        action=f"/v/{token}?lang={read_locale()}",
        until=format_short(last, head.timezone, read_locale()),
        receipt_url=f"{get_site().links.receipt(submission)}?lang={read_locale()}",
    )
    is_refused = request.method == "POST" and state not in ("done", "waiting")
    return make_response(html, 410 if state == "over" else 409 if is_refused else 200)
