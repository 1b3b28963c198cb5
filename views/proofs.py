"""Asking who sends a form for a proof, with all that was sent kept in the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, get_template_attribute, make_response, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from services import mail_proofs
from services.dates import format_short
from services.limits import RateLimitReached
from services.proofs_of_work import WorkRefused
from services.submission_limits import Load
from services.submissions import Submission
from storage.events import AnyEvent
from storage.models import SubmissionRow

from .event_pages import EventPage, draw_page
from .framing import get_frame
from .kept_pages import mark
from .locale import read_locale
from .receipt_views import mask_email
from .site import get_site

PROOF, WAY = "proof", "proof_by"
"""The fields of a form that carry the browser's work, and what its sender wants instead."""
BY_MAIL = "mail"
_MARKS = ("challenge", "fields", "action", "masked_email", "until")


@dataclass(frozen=True)
class Proof:
    """What came with a form: work that was done for it, or that none can be taken.

    `was_refused`: what came is of another form, or too old. `asked_at` is when the form first came,
    for which work was done.
    """

    has_worked: bool = False
    was_refused: bool = False
    is_by_mail: bool = False
    asked_at: datetime | None = None


def read_proof(page: EventPage, submission: Submission, now: datetime) -> Proof:
    """Read what came with a form, and check it."""
    sent = request.form
    is_by_mail = sent.get(WAY) == BY_MAIL
    payload = sent.get(PROOF, "")
    if not payload:
        return Proof(is_by_mail=is_by_mail)
    try:
        proofs = get_site().proofs_of_work
        asked_at = proofs.check(payload, page.event.public_id, submission, now=now)
    except WorkRefused:
        return Proof(was_refused=True, is_by_mail=is_by_mail)
    return Proof(has_worked=True, is_by_mail=is_by_mail, asked_at=asked_at)


def ask_for_proof(
    page: EventPage,
    submission: Submission,
    proof: Proof,
    *,
    action: str,
    load: Load,
    limit: RateLimitReached | None = None,
    now: datetime,
) -> Response:
    """Answer a form that is not taken yet: its browser works, or its sender presses for a mail.

    Like a form with a mistake it is 422, and nothing is stored; 429 where no more is taken for now
    without work. `action` is where the page sends the form to, as the form itself does.
    """
    site, limited = get_site(), limit.limit if limit else None
    is_full = page.seats.are_all_taken
    head = (page.event.id, page.event.version, page.policy, is_full, read_locale(), get_frame())
    last = mail_proofs.find_last_moment(page.event, submission.answers, sent_at=now)

    def draw() -> str:
        with site.database.read() as session:
            return render_template(
                "registration/proof.html",
                event=draw_page(session, page, now),
                **{name: mark(name) for name in _MARKS},
                was_refused=proof.was_refused,
                limit=limited,
            )

    values = {
        "challenge": site.proofs_of_work.make_challenge(
            page.event.public_id, submission, load, now=now
        ),
        "fields": _repeat_fields(),
        "action": action,
        "masked_email": mask_email(submission.email),
        "until": format_short(last, page.event.timezone, read_locale()),
    }
    # A flood comes here: who is turned away must cost little.
    html = site.proof_pages.fill((*head, proof.was_refused, limited), values, draw)
    response = make_response(html, 429 if limit else 422)
    if limit:
        response.headers["Retry-After"] = str(limit.retry_after_seconds)
    return response


def _repeat_fields() -> Markup:
    """Write what was sent as fields that nobody sees."""
    sent = request.form.items(multi=True)
    draw = get_template_attribute("components/form.html", "kept")
    drawn: Markup = draw([pair for pair in sent if pair[0] not in (PROOF, WAY)])
    return drawn


def ask_by_mail(
    session: Session, event: AnyEvent, submission: Submission, *, now: datetime
) -> SubmissionRow:
    """Keep a submission aside and have a mail sent; as `services.mail_proofs`."""
    site = get_site()
    return mail_proofs.ask_by_mail(
        session,
        site.keys,
        request.remote_addr,
        event=event,
        submission=submission,
        is_limited=site.settings.rate_limits,
        now=now,
    )
