"""What a receipt shows: only what its submitter typed, and the link where the policy allows it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, mails, registrations, submissions
from storage.events import AnyEvent
from storage.models import Registration, SubmissionRow
from storage.submissions import Receipt

from .chosen_dates import has_date_ahead, read_ahead
from .codes import CODE_MINUTES, CODE_TRIES, is_receipt_number, is_right_code
from .event_dates import takes_choice
from .events import EventState, LinkPolicy, Seats, get_state, read_seats
from .joining import prove_address, read_end_state
from .keys import KeyRing
from .mail_proofs import DATES_SHUT, find_obstacle, waits_for_button
from .mails import MailName, choose_word, request_mail
from .registrations import MAIL_OF_STATUS, Outcome, Status
from .submissions import Doubt

_WITHOUT_CODE = (MailName.REFUSED, MailName.DENIED, MailName.CANCELLED)


MAX_CORRECTIONS = 3


class CodeRefused(Exception):
    """The code is wrong, too old, or was tried too often."""


@dataclass(frozen=True)
class ReceiptState:
    """What the receipt may tell.

    `shown` is `event_cancelled` or `ended` once that is so; else confirmed, pending, waitlisted,
    cancelled or denied where the reader may know it; `proof` while a mail's button waits to be
    pressed, `unsent` where that mail did not go, `full`, `closed` or `dates` where a press would
    register nobody now, `lapsed` once it has waited too long, `held` while the organizer looks at
    it, `dropped` once they have put it away; else `mailed`: the mail tells. `link` is button, mail,
    code or none. `may_change` says that this receipt may lead to the personal page. Who is
    waitlisted without a position has no date ahead.
    """

    shown: str
    link: str
    may_change: bool = False
    waitlist_position: int | None = None


def read_receipt_state(
    session: Session, receipt: Receipt, *, policy: LinkPolicy, now: datetime
) -> ReceiptState:
    """Decide what a receipt shows.

    Under `code` and `mail` it is the same for a new and for a known address, whatever its state,
    until the code from the mail was typed. Under `show` only a known address is sent to its mail.
    """
    submission, registration = receipt.submission, receipt.registration
    if over := read_end_state(receipt.event, now):
        return ReceiptState(shown=over, link="none")
    if registration is None:
        return ReceiptState(shown=_read_doubt(session, receipt, now), link="none")
    is_own = policy is LinkPolicy.SHOW and submission.outcome == Outcome.CREATED
    if submission.code_used_at is None and not is_own:
        link = "code" if policy is LinkPolicy.CODE else "mail"
        return ReceiptState(shown="mailed", link=link)
    status = Status(registration.status)
    is_approved, is_waiting = status is Status.APPROVED, status is Status.WAITLISTED
    return ReceiptState(
        shown="confirmed" if is_approved else status,
        link="button" if is_approved else "none",
        may_change=may_change_from_screen(receipt, policy=policy),
        waitlist_position=(
            read_position(session, receipt.event, registration, now=now) if is_waiting else None
        ),
    )


def read_position(
    session: Session, event: AnyEvent, waiting: Registration, *, now: datetime
) -> int | None:
    """Return which number somebody has on the waiting list, among those who may move up.

    None where that is not so for them: no date that they chose is ahead any more.
    """
    if not has_date_ahead(session, event, waiting, now=now):
        return None
    dates = read_ahead(session, event, now=now).ids if takes_choice(event) else None
    return registrations.count_waitlisted_before(session, waiting, dates=dates) + 1


def _read_doubt(session: Session, receipt: Receipt, now: datetime) -> str:
    submission = receipt.submission
    if submission.outcome == Outcome.DROPPED:
        return "dropped"
    if not waits_for_button(submission, now=now):
        return "lapsed" if submission.held_for == Doubt.MAIL_PROOF else "held"
    if submission.held_for == Doubt.MAIL_FAILED:
        return "unsent"
    obstacle = find_obstacle(session, receipt.event, submission, now=now)
    if not obstacle:
        return "proof"
    return obstacle if obstacle in (DATES_SHUT, EventState.FULL) else "closed"


@dataclass(frozen=True)
class MailProgress:
    """What became of the newest mail that says how things stand: sending, put_off, sent or failed.

    `at` is when it was sent, or goes.
    """

    state: str = "sending"
    at: datetime | None = None


def read_mail_progress(
    session: Session, registration: Registration, *, now: datetime
) -> MailProgress:
    """Read it; as sending counts too what was never asked for, or is held back by a restore."""
    name = MAIL_OF_STATUS[Status(registration.status)]
    names = (MailName.CONFIRMATION, MailName.APPROVED) if name is MailName.CONFIRMATION else (name,)
    found = mails.list_mails(session, registration.id)
    newest = next((m for m in reversed(found) if m.name in names and m.state != "dropped"), None)
    if newest is not None and newest.state == "queued" and newest.goes_at > now:
        return MailProgress("put_off", newest.goes_at)
    if newest is None or newest.state not in ("sent", "failed"):
        return MailProgress()
    return MailProgress(newest.state, newest.sent_at)


def speaks_for_registration(submission: SubmissionRow) -> bool:
    """Tell whether a receipt may show what became of the registration.

    It may if its submission made the registration and nobody else's took its place since, or if the
    code from the mail was typed on it.
    """
    return submission.code_used_at is not None or submission.outcome == Outcome.CREATED


def may_change_from_screen(receipt: Receipt, *, policy: LinkPolicy) -> bool:
    """Tell whether a receipt leads to the personal page."""
    submission, registration = receipt.submission, receipt.registration
    if policy is not LinkPolicy.SHOW or registration is None or receipt.has_rival:
        return False
    return _is_unproven(submission, registration)


def owns_registration(
    session: Session, submission: SubmissionRow, registration: Registration
) -> bool:
    """Tell whether whoever sent a submission may undo the registration that it made.

    Not any more once the mail's reader has come, or somebody else has sent the form with the same
    address: one of the two is not its owner, and a screen cannot tell which.
    """
    is_open = _is_unproven(submission, registration)
    return is_open and not submissions.has_rival(session, submission)


def _is_unproven(submission: SubmissionRow, registration: Registration) -> bool:
    return submission.outcome == Outcome.CREATED and registration.proven_at is None


def use_code(
    session: Session, submission: SubmissionRow, typed: str, *, keys: KeyRing, now: datetime
) -> None:
    """Check a code from the mail; a right one reveals the link on this receipt, from then on.

    Every try is counted before it is compared. Commit also when this raises: tries must count.

    Raises:
        CodeRefused: wrong, older than 15 minutes, or the fifth try was used.
    """
    if submission.code_used_at is not None:
        return
    registration = _get_registration(session, submission)
    issued_at = submission.code_issued_at
    if registration is None or issued_at is None:
        raise CodeRefused
    if now - issued_at > timedelta(minutes=CODE_MINUTES):
        raise CodeRefused
    # Before the submission, like everybody who locks both.
    registrations.lock_registration(session, registration.id)
    if not submissions.count_try(session, submission.id, limit=CODE_TRIES):
        raise CodeRefused
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", typed))
    if not is_right_code(keys, submission.public_id, submission.code_version, digits):
        raise CodeRefused
    submission.code_used_at = now
    prove_address(registration, now=now)


def resend(
    session: Session, submission: SubmissionRow, *, policy: LinkPolicy, now: datetime
) -> None:
    """Send the receipt's mail again, within the limits; the page never says which.

    One that has not gone yet goes once. Under `code` the new mail has a new code, unless it says
    that there is nothing to join.
    """
    registration = _get_registration(session, submission)
    if registration is None:
        return
    # Of two at once the second must see what the first has asked for.
    registrations.lock_registration(session, registration.id)
    known = submission.outcome == Outcome.REPEAT
    name = MailName.REPEAT if known else MAIL_OF_STATUS[Status(registration.status)]
    event = events.need_event(session, registration.event_id)
    # Of who has no date ahead a refusal by Zoom is no news; the other mail says that.
    if has_date_ahead(session, event, registration, now=now):
        name = choose_word(session, name, registration)
    if mails.is_queued(session, registration.id, name=name, submission_id=submission.id):
        return
    is_asked = request_mail(
        session, name, registration, submission=submission, is_by_reader=True, now=now
    )
    if is_asked and policy is LinkPolicy.CODE and name not in _WITHOUT_CODE:
        submissions.issue_code(submission, now=now)


def get_live_submission(session: Session, submission: SubmissionRow) -> SubmissionRow:
    """Follow a corrected receipt to the one that took its place."""
    while submission.corrected_by_id is not None:
        corrected = submissions.get_submission(session, submission.corrected_by_id)
        assert corrected is not None, "submissions are not deleted while they are shown"
        submission = corrected
    return submission


def can_correct_address(
    session: Session,
    event: AnyEvent,
    submission: SubmissionRow,
    *,
    policy: LinkPolicy,
    now: datetime,
) -> bool:
    """Tell whether to offer "wrong address?".

    Where a known address must look like a new one this depends on the event alone: at a full
    event the answer would differ, so there nobody is offered it.
    """
    registration = _get_registration(session, submission)
    if registration is None or submission.code_used_at is not None:
        return False
    if not may_correct_again(session, event, submission, now=now):
        return False
    if policy is not LinkPolicy.SHOW:
        seats = read_seats(session, event)
        return get_state(event, seats, now) is EventState.OPEN and not seats.are_all_taken
    return owns_registration(session, submission, registration)


def may_correct_again(
    session: Session, event: AnyEvent, submission: SubmissionRow, *, now: datetime
) -> bool:
    """Tell whether somebody who registered in time may be registered under another address."""
    sent_at = submission.created_at
    # What corrects another has that one's number for its nonce; of most receipts that tells all.
    if is_receipt_number(submission.nonce):
        earlier = submissions.list_corrections_before(session, submission)
        if len(earlier) >= MAX_CORRECTIONS:
            return False
        sent_at = (earlier or [sent_at])[-1]
    return get_state(event, Seats(0, event.capacity), now, sent_at=sent_at) is EventState.OPEN


def _get_registration(session: Session, submission: SubmissionRow) -> Registration | None:
    if submission.registration_id is None:
        return None
    return registrations.get_registration(session, submission.registration_id)
