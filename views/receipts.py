"""The receipt of a submission and what can be done from it."""

from __future__ import annotations

import time
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.addresses import email_key
from forms.receipt import AddressForm, build_address_form
from services import receipts
from services.joining import read_end_state
from services.receipts import CodeRefused
from services.registration_changes import correct_address
from services.registrations import ChangeRefused, DatesClosed, RegistrationNotOpen
from storage import events
from storage.models import SubmissionRow

from .calendar_links import answer_ics, make_entries
from .even_time import EVEN_CORRECTION_SECONDS, wait_until_even
from .event_pages import draw_head
from .framing import receipt_path, receipt_url, write_query
from .limits import count_against_network
from .locale import read_locale
from .receipt_views import can_correct, draw_receipt, get_join_url, has_calendar, read_state
from .retries import repeatable
from .site import get_site
from .tokens import OpenedReceipt, open_receipt

bp = Blueprint("receipts", __name__)

_REFUSED = "address"
_UNUSED = "corrected"


@bp.get("/s/<token>")
def show_receipt(token: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        opened = _open(session, token, is_only_shown=True)
        done = request.args.get("done")
        alert = None
        if done == "resend":
            alert = _("We have your request to send it again. It can take a few minutes.")
        elif done == _REFUSED:
            alert = _(
                "The email address cannot be corrected here any more. Please ask the organizer."
            )
        elif done == _UNUSED:
            alert = _(
                "The email address had been corrected before. The one you have just entered was"
                " not used: correct it again here, or ask the organizer."
            )
        is_refusal = done in (_REFUSED, _UNUSED)
        return draw_receipt(session, token, opened, now, alert=alert, is_refusal=is_refusal)


@bp.post("/s/<token>/resend")
@repeatable
def resend_mail(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.write() as session:
        opened = _open(session, token)
        count_against_network(session, now)
        if read_end_state(opened.event, now):
            return redirect(receipt_path(token) + write_query(), code=303)
        receipts.resend(session, opened.submission, policy=opened.policy, now=now)
    return redirect(receipt_path(token) + write_query(done="resend"), code=303)


@bp.post("/s/<token>/code")
@repeatable
def enter_code(token: str) -> ResponseReturnValue:
    site, now = get_site(), get_site().read_clock()
    typed = request.form.get("code", "")[:20]
    refused = False
    with site.database.write() as session:
        count_against_network(session, now)
        submission = _open(session, token).submission
        try:
            receipts.use_code(session, submission, typed, keys=site.keys, now=now)
        except CodeRefused:
            refused = True  # and the try stays counted
    if not refused:
        return redirect(receipt_path(token) + write_query(), code=303)
    with site.database.read() as session:
        error = _("That code is wrong or has expired. Enter the six digits from the newest email.")
        page = draw_receipt(session, token, _open(session, token), now, code_error=error)
    return make_response(page, 422)


@bp.get("/s/<token>/address")
def show_address_form(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open_correctable(session, token, now)
        return _draw_address(session, token, opened, build_address_form(read_locale())(), now)


@bp.post("/s/<token>/address")
@repeatable
def change_address(token: str) -> ResponseReturnValue:
    began_at = time.monotonic()
    now = get_site().read_clock()
    form = build_address_form(read_locale())(request.form)
    is_valid = form.validate()
    with get_site().database.read() as session:
        opened = _open_correctable(session, token, now, typed=form.email.data)
        if not is_valid:
            return _draw_address(session, token, opened, form, now)
    answer = _correct_address(token, opened, form, now)
    wait_until_even(opened.policy, began_at, seconds=EVEN_CORRECTION_SECONDS)
    return answer


@bp.get("/s/<token>/invite.ics")
def download_calendar(token: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        opened = _open(session, token)
        state = read_state(session, opened, get_site().read_clock())
        if not has_calendar(state):
            abort(404)
        event, url = events.need_event(session, opened.event.id), get_join_url(opened, state)
        return answer_ics(make_entries(session, event, opened.person, join_url=url))


def _correct_address(
    token: str, opened: OpenedReceipt, form: AddressForm, now: datetime
) -> ResponseReturnValue:
    site = get_site()
    try:
        with site.database.write() as session:
            opened = _open_correctable(session, token, now, typed=form.email.data)
            count_against_network(session, now)
            row = correct_address(
                session,
                events.need_event(session, opened.event.id),
                opened.submission,
                email=form.email.data,
                email_key=email_key(form.email.data),
                policy=opened.policy,
                now=now,
            )
    except DatesClosed:
        alert = _("A date that you chose is not free any more. Nothing was changed.")
        with site.database.read() as session:
            opened = _open_correctable(session, token, now)
            return _draw_address(session, token, opened, form, now, alert=alert)
    except (ChangeRefused, RegistrationNotOpen):
        return redirect(_refuse(token), code=303)
    return redirect(_write_way(row, form.email.data), code=303)


def _open(
    session: Session, token: str, *, is_only_shown: bool = False, typed: str | None = None
) -> OpenedReceipt:
    """Open a receipt; one whose address was corrected leads to the receipt in its place.

    `typed` is another address that was just sent for it.
    """
    opened = open_receipt(session, token, is_only_shown=is_only_shown)
    live = receipts.get_live_submission(session, opened.submission)
    if live is not opened.submission:
        abort(redirect(_write_way(live, typed), code=303))
    return opened


def _write_way(row: SubmissionRow, typed: str | None) -> str:
    """Write where a receipt is, which says so if it is not of the address that was just sent."""
    # An earlier correction, of another tab, came first; masked the two may look the same.
    is_unused = bool(typed) and email_key(typed or "") != row.email_key
    token = get_site().links.receipt_token(row)
    if not is_unused:
        return receipt_url(token)
    return get_site().links.base_url + receipt_path(token) + write_query(done=_UNUSED)


def _open_correctable(
    session: Session, token: str, now: datetime, *, typed: str | None = None
) -> OpenedReceipt:
    opened = _open(session, token, typed=typed)
    if not can_correct(session, opened, now):
        abort(redirect(_refuse(token), code=303))
    return opened


def _refuse(token: str) -> str:
    return receipt_path(token) + write_query(done=_REFUSED)


def _draw_address(
    session: Session,
    token: str,
    opened: OpenedReceipt,
    form: AddressForm,
    now: datetime,
    *,
    alert: str | None = None,
) -> Response:
    html = render_template(
        "registration/address.html",
        event=draw_head(session, opened.event, now),
        alert=alert,
        form=form,
        row=form.email.filled_row(),
        action=f"{receipt_path(token)}/address{write_query()}",
        back_url=receipt_path(token) + write_query(),
    )
    return make_response(html, 409 if alert else 422 if form.email.errors else 200)
