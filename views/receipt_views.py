"""What a receipt shows of one submission, and the page that is made of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from flask import get_template_attribute, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from forms.addresses import is_carrier_address
from services import receipts
from services.answer_texts import list_answer_texts
from services.calendars import Appointment
from services.chosen_dates import has_date_ahead, read_chosen, read_start
from services.coming_back import can_come_back
from services.dates import format_short
from services.event_dates import list_chosen_ids, takes_choice
from services.event_views import EventView
from services.events import EventState, LinkPolicy, count_seats, get_state, read_definition
from services.joining import is_early, read_end_state
from services.mail_proofs import find_last_moment
from services.questions import DATES, answers_from_json
from services.receipts import (
    MailProgress,
    ReceiptState,
    read_mail_progress,
    read_receipt_state,
)
from services.texts import write_full_name
from services.waits import Wait, read_wait, write_opening
from storage.models import SubmissionRow

from .calendar_links import CalendarLinks, list_calendar_links
from .event_pages import draw_head
from .framing import FRAME_NAMES, form_path, get_frame, receipt_path, write_query
from .kept_pages import fill, mark
from .locale import list_language_links
from .places import name_place
from .site import get_site
from .tokens import OpenedReceipt

# Zoom's answer takes about a second, and everybody comes here at once.
_ANSWERED_AFTER = timedelta(seconds=60)
_TELLS_OF_MAIL = ("confirmed", "pending", "waitlisted")
_KEPT_BY = {"lang", *FRAME_NAMES}
_HAVE_MAIL = ("mailed", *_TELLS_OF_MAIL)


class ReceiptView(NamedTuple):
    """What the template of a receipt needs; addresses are None where the act is not offered.

    What only one person is shown is a mark, so the page is the same for everybody in this state.
    """

    number: str
    state: str
    link: str
    greeting_name: str
    masked_email: str
    mail: str
    mail_at: str
    answers: str
    dates: str
    join_url: str
    is_early: bool
    opens_text: str
    is_too_late: bool
    needs_help: bool
    has_no_date: bool
    waitlist_position: int | None
    resend_url: str | None
    address_url: str | None
    personal_url: str | None
    code_url: str
    code_error: str | None
    alert: str | None
    is_refusal: bool
    is_carrier_address: bool
    sender_domain: str
    state_url: str
    can_return: bool
    form_url: str | None
    until: str


def draw_receipt(
    session: Session,
    token: str,
    opened: OpenedReceipt,
    now: datetime,
    *,
    alert: str | None = None,
    is_refusal: bool = False,
    code_error: str | None = None,
) -> bytes:
    """Draw the page of a receipt. An alert `is_refusal` where it says what cannot be done."""
    state = read_state(session, opened, now)
    mail = _read_mail(session, opened, state, now)
    event = draw_head(session, opened.event, now)
    view = _view(
        session,
        opened,
        event,
        state,
        now,
        mail=mail.state,
        alert=alert,
        is_refusal=is_refusal,
        code_error=code_error,
    )
    values = _list_values(session, token, opened, event, state)
    if event.has_choice:
        values["dates"] = _draw_dates(session, opened, state, event)
    if mail.at is not None:
        values["mail_at"] = format_short(mail.at, event.timezone, event.locale)
    is_kept = not set(request.args) - _KEPT_BY
    # What a frame carries along is for anybody to write into an address.
    links = list_language_links(f"/s/{mark('token')}", rest="" if is_kept else None)

    def draw() -> str:
        return render_template(
            "registration/receipt.html",
            event=event,
            receipt=view,
            calendar=(
                _list_calendar_links(event, state)
                if has_calendar(state) and not view.has_no_date
                else None
            ),
            language_links=links,
        )

    if not is_kept:
        return fill(draw(), values)
    return get_site().receipts.fill((event, view, tuple(links), get_frame()), values, draw)


def read_state(session: Session, opened: OpenedReceipt, now: datetime) -> ReceiptState:
    return read_receipt_state(session, opened, policy=opened.policy, now=now)


def has_calendar(state: ReceiptState) -> bool:
    """Tell whether to offer the entry: where the mail tells, it has the entry that will be kept."""
    return state.shown == "confirmed"


def can_correct(session: Session, opened: OpenedReceipt, now: datetime) -> bool:
    if read_end_state(opened.event, now):
        return False
    return receipts.can_correct_address(
        session, opened.event, opened.submission, policy=opened.policy, now=now
    )


def _is_correctable(
    session: Session, opened: OpenedReceipt, state: ReceiptState, now: datetime
) -> bool:
    if opened.policy is LinkPolicy.SHOW:
        # Both need that it is still its sender's alone, which is not worth asking twice.
        is_own = state.may_change and opened.submission.code_used_at is None
        return is_own and receipts.may_correct_again(
            session, opened.event, opened.submission, now=now
        )
    return can_correct(session, opened, now)


def get_join_url(opened: OpenedReceipt, state: ReceiptState) -> str | None:
    if state.link != "button":
        return None
    return get_site().links.join_from_screen(opened.submission, opened.person)


def _view(
    session: Session,
    opened: OpenedReceipt,
    event: EventView,
    state: ReceiptState,
    now: datetime,
    *,
    mail: str,
    alert: str | None,
    is_refusal: bool,
    code_error: str | None,
) -> ReceiptView:
    has_mail = state.shown in _HAVE_MAIL
    is_correctable = has_mail and _is_correctable(session, opened, state, now)
    path, query = receipt_path(mark("token")), write_query()
    wait = _read_wait(session, opened, state, now)
    return ReceiptView(
        number=mark("number"),
        state=state.shown,
        link=state.link,
        greeting_name=mark("greeting_name"),
        masked_email=mark("masked_email"),
        mail=mail,
        mail_at=mark("mail_at"),
        # The dates stand with the event.
        answers=mark("answers") if opened.submission.answers.keys() - {DATES} else "",
        dates=mark("dates") if takes_choice(opened.event) else "",
        join_url=mark("join_url"),
        is_early=is_early(_read_start(session, opened, now), now),
        opens_text=write_opening(wait, event.timezone, event.locale),
        is_too_late=wait.is_too_late,
        needs_help=wait.needs_help,
        has_no_date=_has_no_date(session, opened, state, now),
        waitlist_position=state.waitlist_position,
        resend_url=f"{path}/resend{query}" if has_mail else None,
        address_url=f"{path}/address{query}" if is_correctable else None,
        personal_url=mark("personal_url") if state.may_change else None,
        code_url=f"{path}/code{query}",
        code_error=code_error,
        alert=alert,
        is_refusal=is_refusal,
        is_carrier_address=is_carrier_address(opened.submission.email),
        sender_domain=get_site().settings.sender.rpartition("@")[2],
        state_url=f"{path}{query}",
        can_return=_can_return(session, opened, state, now),
        form_url=form_path(opened.event.slug) + query if _takes_anew(opened, state, now) else None,
        until=mark("until"),
    )


def _can_return(
    session: Session, opened: OpenedReceipt, state: ReceiptState, now: datetime
) -> bool:
    has_left = state.shown == "cancelled"
    return has_left and can_come_back(session, opened.event, opened.person, now=now)


def _takes_anew(opened: OpenedReceipt, state: ReceiptState, now: datetime) -> bool:
    """Tell whether who has to fill in the form again would be taken."""
    seats = count_seats(opened.event, opened.event.seats_taken)
    return (
        state.shown in ("lapsed", "dates", "dropped")
        and get_state(opened.event, seats, now) is EventState.OPEN
    )


def _read_start(session: Session, opened: OpenedReceipt, now: datetime) -> datetime:
    if opened.registration is None:
        return opened.event.starts_at
    return read_start(session, opened.event, opened.registration, now=now)


def _has_no_date(
    session: Session, opened: OpenedReceipt, state: ReceiptState, now: datetime
) -> bool:
    """Tell whether none of their dates is ahead of who is to read it here, not in their mail."""
    is_told = state.shown in _TELLS_OF_MAIL
    return is_told and not has_date_ahead(session, opened.event, opened.person, now=now)


def _read_wait(session: Session, opened: OpenedReceipt, state: ReceiptState, now: datetime) -> Wait:
    """Read what the reader waits for, unless they have come from the form just now."""
    if state.link != "button" or _is_new(opened, now):
        return Wait()
    return read_wait(session, opened.event, opened.person, now=now) or Wait()


def _read_mail(
    session: Session, opened: OpenedReceipt, state: ReceiptState, now: datetime
) -> MailProgress:
    """Read what became of the mail, where the reader may know, and has not come just now."""
    if state.shown not in _TELLS_OF_MAIL or _is_new(opened, now):
        return MailProgress()
    return read_mail_progress(session, opened.person, now=now)


def _is_new(opened: OpenedReceipt, now: datetime) -> bool:
    return now - opened.submission.created_at < _ANSWERED_AFTER


def _list_calendar_links(event: EventView, state: ReceiptState) -> CalendarLinks:
    file_url = f"{receipt_path(mark('token'))}/invite.ics{write_query()}"
    if event.dates:
        return list_calendar_links([], file_url)
    appointment = Appointment(
        title=event.title,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        timezone=event.timezone,
        locale=event.locale,
        url=mark("quoted_join_url") if state.link == "button" else None,
    )
    return list_calendar_links([appointment], file_url)


def _list_values(
    session: Session, token: str, opened: OpenedReceipt, event: EventView, state: ReceiptState
) -> dict[str, str]:
    """Return what the marks of a receipt stand for."""
    site, submission = get_site(), opened.submission
    join_url = get_join_url(opened, state) or ""
    return {
        "token": token,
        "number": submission.number,
        "greeting_name": write_full_name(
            submission.family_name, submission.given_name, submission.locale
        ),
        "masked_email": mask_email(submission.email),
        "answers": _draw_answers(session, submission, event.locale),
        "join_url": join_url,
        "quoted_join_url": quote(join_url, safe=""),
        "until": _write_until(opened, state, event),
        "personal_url": (
            site.links.personal_from_screen(submission, opened.person) if state.may_change else ""
        ),
    }


def _write_until(opened: OpenedReceipt, state: ReceiptState, event: EventView) -> str:
    """Write until when the button in the mail can register somebody, where that is told."""
    if state.shown not in ("proof", "full"):
        return ""
    answers, sent_at = answers_from_json(opened.submission.answers), opened.submission.created_at
    last = find_last_moment(opened.event, answers, sent_at=sent_at)
    return format_short(last, event.timezone, event.locale)


def _draw_dates(
    session: Session, opened: OpenedReceipt, state: ReceiptState, event: EventView
) -> Markup:
    """Draw the dates that were chosen: as they stand by now, to whom that may be told."""
    chosen = list_chosen_ids(answers_from_json(opened.submission.answers))
    if state.shown in _TELLS_OF_MAIL:
        chosen = read_chosen(session, opened.person)
    draw = get_template_attribute("components/dates.html", "date_list")
    drawn: Markup = draw([date for date in event.dates if date.id in chosen])
    return drawn


def _draw_answers(session: Session, submission: SubmissionRow, locale: str) -> Markup:
    definition = read_definition(session, submission.form_version_id)
    answers = answers_from_json(submission.answers)
    draw = get_template_attribute("components/text.html", "answer_list")
    drawn: Markup = draw(list_answer_texts(definition, answers, locale, name_place))
    return drawn


def mask_email(email: str) -> str:
    """Show enough of an address for its owner to know it: `t***@example.com`."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
