"""The receipt of a submission and what can be done from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.addresses import email_key, is_carrier_address
from forms.receipt import AddressForm, build_address_form
from services import receipts
from services.answer_texts import list_answer_texts
from services.calendars import CalendarEntry
from services.events import read_definition
from services.joining import is_early, read_end_state
from services.questions import answers_from_json
from services.receipts import CodeRefused, ReceiptState, read_receipt_state
from services.registration_changes import ChangeRefused, correct_address, may_return
from services.registrations import RegistrationNotOpen
from services.texts import write_full_name
from services.tokens import Purpose
from storage.models import SubmissionRow

from .calendar_links import CalendarLinks, answer_ics, list_calendar_links, make_entry
from .event_pages import draw_event, load_event, show_state
from .limits import count_against_network
from .locale import read_locale
from .places import name_place
from .site import get_site
from .tokens import Opened, open_token

bp = Blueprint("receipts", __name__)


@dataclass(frozen=True)
class ReceiptView:
    """What the template of a receipt needs; addresses are None where the act is not offered."""

    number: str
    state: str
    link: str
    greeting_name: str
    masked_email: str
    answers: list[tuple[str, str]]
    join_url: str | None
    is_early: bool
    waitlist_position: int | None
    calendar: CalendarLinks | None
    resend_url: str | None
    address_url: str | None
    personal_url: str | None
    code_url: str
    code_error: str | None
    alert: str | None
    is_carrier_address: bool
    sender_domain: str
    state_url: str
    can_return: bool


@bp.get("/s/<token>")
def show_receipt(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open(session, token)
        alert = _("We have your request to send it again. It can take a few minutes.")
        is_resent = request.args.get("done") == "resend"
        return _draw(session, token, opened, now, alert=alert if is_resent else None)


@bp.post("/s/<token>/resend")
def resend_mail(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.write() as session:
        opened = _open(session, token)
        count_against_network(session, now)
        if read_end_state(opened.event, now):
            return redirect(f"/s/{token}?lang={read_locale()}", code=303)
        receipts.resend(session, _get_submission(opened), policy=opened.policy, now=now)
    return redirect(f"/s/{token}?lang={read_locale()}&done=resend", code=303)


@bp.post("/s/<token>/code")
def enter_code(token: str) -> ResponseReturnValue:
    site, now = get_site(), get_site().read_clock()
    typed = request.form.get("code", "")[:20]
    refused = False
    with site.database.write() as session:
        count_against_network(session, now)
        submission = _get_submission(_open(session, token))
        try:
            receipts.use_code(session, submission, typed, keys=site.keys, now=now)
        except CodeRefused:
            refused = True  # and the try stays counted
    if not refused:
        return redirect(f"/s/{token}?lang={read_locale()}", code=303)
    with site.database.read() as session:
        error = _("That code is wrong or has expired. Enter the six digits from the newest email.")
        return _draw(session, token, _open(session, token), now, code_error=error)


@bp.get("/s/<token>/address")
def show_address_form(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open_correctable(session, token, now)
        return _draw_address(session, token, opened, build_address_form(read_locale())(), now)


@bp.post("/s/<token>/address")
def change_address(token: str) -> ResponseReturnValue:
    site, now = get_site(), get_site().read_clock()
    form = build_address_form(read_locale())(request.form)
    with site.database.read() as session:
        opened = _open_correctable(session, token, now)
        if not form.validate():
            return _draw_address(session, token, opened, form, now)
    try:
        with site.database.write() as session:
            opened = _open_correctable(session, token, now)
            count_against_network(session, now)
            row = correct_address(
                session,
                opened.event,
                _get_submission(opened),
                email=form.email.data,
                email_key=email_key(form.email.data),
                policy=opened.policy,
                now=now,
            )
    except ChangeRefused:
        abort(404)
    except RegistrationNotOpen as refusal:
        with site.database.read() as session:
            page = load_event(session, opened.event.slug, now)
            return show_state(session, page, now, state=refusal.state)
    return redirect(f"{site.links.receipt(row)}?lang={read_locale()}", code=303)


@bp.get("/s/<token>/invite.ics")
def download_calendar(token: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        opened = _open(session, token)
        state = _read_state(session, opened, get_site().read_clock())
        if not _has_calendar(state):
            abort(404)
        return answer_ics(_make_entry(session, opened, state))


def _open(session: Session, token: str) -> Opened:
    """Open a receipt; one whose address was corrected leads to the receipt in its place."""
    opened = open_token(session, token, Purpose.RECEIPT)
    submission = _get_submission(opened)
    live = receipts.get_live_submission(session, submission)
    if live is not submission:
        abort(redirect(f"{get_site().links.receipt(live)}?lang={read_locale()}", code=303))
    return opened


def _open_correctable(session: Session, token: str, now: datetime) -> Opened:
    opened = _open(session, token)
    if not _can_correct(session, opened, now):
        abort(404)
    return opened


def _can_correct(session: Session, opened: Opened, now: datetime) -> bool:
    if read_end_state(opened.event, now):
        return False
    return receipts.can_correct_address(
        session, opened.event, _get_submission(opened), policy=opened.policy, now=now
    )


def _draw(
    session: Session,
    token: str,
    opened: Opened,
    now: datetime,
    *,
    alert: str | None = None,
    code_error: str | None = None,
) -> Response:
    html = render_template(
        "registration/receipt.html",
        event=draw_event(session, opened.event, now),
        receipt=_view(session, token, opened, now, alert=alert, code_error=code_error),
    )
    return make_response(html, 422 if code_error else 200)


def _draw_address(
    session: Session, token: str, opened: Opened, form: AddressForm, now: datetime
) -> Response:
    html = render_template(
        "registration/address.html",
        event=draw_event(session, opened.event, now),
        row=form.email.filled_row(),
        action=f"/s/{token}/address?lang={read_locale()}",
        back_url=f"/s/{token}?lang={read_locale()}",
    )
    return make_response(html, 422 if form.email.errors else 200)


def _view(
    session: Session,
    token: str,
    opened: Opened,
    now: datetime,
    *,
    alert: str | None = None,
    code_error: str | None = None,
) -> ReceiptView:
    site, locale = get_site(), read_locale()
    submission = _get_submission(opened)
    state = _read_state(session, opened, now)
    join_url = _get_join_url(opened, state, submission)
    has_mail = state.shown in ("mailed", "confirmed", "pending", "waitlisted")
    can_correct = has_mail and _can_correct(session, opened, now)
    path, query = f"/s/{token}", f"?lang={locale}"
    return ReceiptView(
        number=submission.number,
        state=state.shown,
        link=state.link,
        greeting_name=write_full_name(
            submission.family_name, submission.given_name, submission.locale
        ),
        masked_email=mask_email(submission.email),
        answers=_list_answers(session, submission, locale),
        join_url=join_url,
        is_early=is_early(opened.event, now),
        waitlist_position=state.waitlist_position,
        calendar=(
            list_calendar_links(_make_entry(session, opened, state), f"{path}/invite.ics{query}")
            if _has_calendar(state)
            else None
        ),
        resend_url=f"{path}/resend{query}" if has_mail else None,
        address_url=f"{path}/address{query}" if can_correct else None,
        personal_url=(
            site.links.personal_from_screen(submission, opened.person) if state.may_change else None
        ),
        code_url=f"{path}/code{query}",
        code_error=code_error,
        alert=alert,
        is_carrier_address=is_carrier_address(submission.email),
        sender_domain=site.settings.sender.rpartition("@")[2],
        state_url=f"{path}{query}",
        can_return=state.shown == "cancelled" and may_return(session, opened.person, now=now),
    )


def _list_answers(
    session: Session, submission: SubmissionRow, locale: str
) -> list[tuple[str, str]]:
    return list_answer_texts(
        read_definition(session, submission.form_version_id),
        answers_from_json(submission.answers),
        locale,
        name_place,
    )


def _get_join_url(opened: Opened, state: ReceiptState, submission: SubmissionRow) -> str | None:
    if state.link != "button":
        return None
    return get_site().links.join_from_screen(submission, opened.person)


def _read_state(session: Session, opened: Opened, now: datetime) -> ReceiptState:
    return read_receipt_state(
        session, opened.event, _get_submission(opened), policy=opened.policy, now=now
    )


def _has_calendar(state: ReceiptState) -> bool:
    """Tell whether to offer the entry: where the mail tells, it has the entry that will be kept."""
    return state.shown == "confirmed"


def _make_entry(session: Session, opened: Opened, state: ReceiptState) -> CalendarEntry:
    url = _get_join_url(opened, state, _get_submission(opened))
    return make_entry(session, opened.event, opened.person, join_url=url)


def _get_submission(opened: Opened) -> SubmissionRow:
    assert opened.submission is not None, "a receipt belongs to a submission"
    return opened.submission


def mask_email(email: str) -> str:
    """Show enough of an address for its owner to know it: `t***@example.com`."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
