"""Asking for mails: which, to whom, and how often at most."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from storage import job_requests, mails, registrations
from storage.arrivals import Mailbox
from storage.models import Registration, SubmissionRow

from .addresses import fold_tag
from .calendars import Method
from .submissions import Submission

PER_EVENT_A_DAY = 3
PER_ADDRESS_A_DAY = 10
TOLD_A_DAY = 5

CONFIRM_WITHIN = timedelta(seconds=60)
ADMIT_DELAY_AFTER = timedelta(minutes=15)


class MailName(StrEnum):
    """The folder of a mail's templates."""

    CONFIRMATION = "confirmation"
    PENDING = "pending"
    WAITLISTED = "waitlisted"
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"
    REPEAT = "repeat"
    DELAYED = "delayed"
    REFUSED = "refused"
    EVENT_CANCELLED = "event_cancelled"
    DATES = "dates"
    MOVED = "moved"
    PROOF = "proof"
    """To whom has not registered yet: their browser did no work, and this mail's button will do."""


CALENDAR_METHODS: Mapping[str, Method] = {
    MailName.CONFIRMATION: "PUBLISH",
    MailName.APPROVED: "PUBLISH",
    MailName.DATES: "PUBLISH",
    MailName.MOVED: "PUBLISH",
    MailName.CANCELLED: "CANCEL",
    MailName.EVENT_CANCELLED: "CANCEL",
}
"""What the calendar file that comes with a mail does; an entry is published for those who come."""

_DAY = timedelta(days=1)
# A stranger can cause these by typing an address, so they are counted against the limits.
_LIMITED = (MailName.CONFIRMATION, MailName.PENDING, MailName.WAITLISTED, MailName.REPEAT)
_NOBODY = 0
_COUNTED = (*_LIMITED, MailName.CANCELLED, MailName.APPROVED)
_TOLD = (*_COUNTED, MailName.DENIED)
_WITH_LINK = (MailName.CONFIRMATION, MailName.APPROVED)
_OF_STATUS = (
    *_WITH_LINK,
    MailName.PENDING,
    MailName.WAITLISTED,
    MailName.CANCELLED,
    MailName.DENIED,
)
_REPLACING = (*_WITH_LINK, MailName.DATES, MailName.MOVED)

EVENT_OVER = "EventOver"
"""Why a mail was dropped that never went, and may hold if the event gets a time ahead again."""


def request_mail(
    session: Session,
    name: MailName,
    registration: Registration,
    *,
    submission: SubmissionRow | None = None,
    run_at: datetime | None = None,
    may_wait: bool = False,
    is_by_organizer: bool = False,
    now: datetime,
) -> bool:
    """Ask for a mail in this transaction; False if the address had enough for a day, or is erased.

    One that `may_wait` is limited too while the address is unproven, and goes a day later instead.
    What an organizer does is told however many there were. One with the link, or of new times,
    takes the place of those that still wait. Side effects: the registration's lock, a mail row and
    its job.
    """
    if not registration.email:
        return False
    may_be_strangers = _is_limited(name, registration) and not is_by_organizer
    if may_wait and registration.proven_at is None or may_be_strangers:
        # Of several at once each must see what the others have asked for.
        registrations.lock_registration(session, registration.id)
        if _is_over_limit(session, registration.email_key, registration.id, now):
            if not may_wait:
                return False
            run_at = now + timedelta(days=1)
    if name in _REPLACING:
        mails.drop_queued(session, registration.id, names=_list_alike(name))
    _add(session, name, registration, submission, run_at=run_at or now, now=now)
    return True


def name_mailbox(email_key: str, *, now: datetime) -> Mailbox:
    """Name the mailbox of an address, and which mails to it count against its limit of a day."""
    return Mailbox(fold_tag(email_key), now - _DAY, _COUNTED)


def make_first_mail(
    session: Session,
    name: MailName,
    event_id: int,
    submission: Submission,
    *,
    mailed: int | None,
    now: datetime,
) -> dict[str, Any] | None:
    """Lay out the mail to somebody who registers now; None if the address had enough for a day.

    `mailed` counts those of the day, where that is known.
    """
    if mailed is None:
        _, mailed = _count_day(session, submission.email_key, _NOBODY, _COUNTED, now)
    if mailed >= PER_ADDRESS_A_DAY:
        return None
    return _lay_out(name, event_id, submission.email_key, submission.locale, now)


def request_again(
    session: Session, name: MailName, registration: Registration, *, now: datetime
) -> bool:
    """Ask for a mail that an organizer wants sent again; False if there were enough for a day.

    Side effects: as `request_mail`.
    """
    registrations.lock_registration(session, registration.id)
    about, everywhere = _count_day(session, registration.email_key, registration.id, _TOLD, now)
    if about >= TOLD_A_DAY or everywhere >= 2 * PER_ADDRESS_A_DAY:
        return False
    return request_mail(session, name, registration, now=now)


def request_word_of_delay(
    session: Session, registration: Registration, *, run_at: datetime, now: datetime
) -> None:
    """Ask for the mail that says that Zoom takes its time; one at most, however often asked for."""
    if not mails.has_mail(session, registration.id, name=MailName.DELAYED):
        request_mail(session, MailName.DELAYED, registration, run_at=run_at, now=now)


def hasten_mails_with_link(
    session: Session, registration_ids: Sequence[int], *, now: datetime
) -> set[int]:
    """Send now what waited for Zoom's answer; return the registrations for which something did."""
    waiting = mails.list_queued(session, registration_ids, names=_WITH_LINK)
    if waiting:
        job_requests.hasten(
            session, [job_requests.MAIL.key(mail_id) for mail_id, _ in waiting], now=now
        )
    return {registration_id for _, registration_id in waiting}


def list_left_refused(session: Session, registration_ids: Collection[int]) -> list[int]:
    """List those to whom no mail with the link has gone since they were told of Zoom's refusal.

    A refusal that never left undoes no such mail, though it may have kept it from being sent.
    """
    if not registration_ids:
        return []
    refused, last = set(), {}
    words = mails.list_of_names(session, registration_ids, (*_WITH_LINK, MailName.REFUSED))
    for mail in sorted(words, key=lambda mail: (mail.sent_at or mail.created_at, mail.id)):
        if mail.name == MailName.REFUSED:
            refused.add(mail.registration_id)
        if mail.state not in ("queued", "dropped"):
            last[mail.registration_id] = mail.name
    return sorted(
        registration_id
        for registration_id in refused
        if last.get(registration_id, MailName.REFUSED) == MailName.REFUSED
    )


def knows_of_refusal(session: Session, registration: Registration) -> bool:
    """Tell whether the last word to a person about their place is, or will be, Zoom's refusal."""
    words = mails.list_of_names(session, [registration.id], (*_OF_STATUS, MailName.REFUSED))
    left = [mail for mail in words if mail.state not in ("dropped", "failed")]
    last = max(left, key=lambda mail: (mail.sent_at or mail.created_at, mail.id), default=None)
    return last is not None and last.name == MailName.REFUSED


def send_held(session: Session, mail_id: int, *, now: datetime) -> None:
    """Have a mail sent that a restore held back; does nothing if it is not held any more."""
    mail = mails.get_mail(session, mail_id)
    if mail is None or mail.state != "held":
        return
    mail.state, mail.error = "queued", ""
    session.flush()
    _enqueue(session, mail_id, mail.event_id, run_at=now, now=now)


def send_dropped(session: Session, event_id: int, *, limit: int, now: datetime) -> int:
    """Have mails sent that were dropped as the event was over; return how many were looked at.

    One whose place another has taken since stays dropped. Side effects: mail rows and their jobs.
    """
    found = mails.list_dropped(session, event_id, reason=EVENT_OVER, limit=limit)
    for mail in found:
        alike = _list_alike(mail.name)
        is_last = not mails.has_later(session, mail, names=alike, or_dropped_for=EVENT_OVER)
        mail.error = ""
        if is_last:
            mail.state = "queued"
            session.flush()
            _enqueue(session, mail.id, event_id, run_at=now, now=now)
    return len(found)


def _list_alike(name: str) -> Sequence[str]:
    """List the mails of which the last one says all."""
    return _WITH_LINK if name in _WITH_LINK else (name,)


def _add(
    session: Session,
    name: MailName,
    registration: Registration,
    submission: SubmissionRow | None,
    *,
    run_at: datetime,
    now: datetime,
) -> None:
    event_id = registration.event_id
    row = _lay_out(name, event_id, registration.email_key, registration.locale, now)
    row["registration_id"] = registration.id
    row["submission_id"] = submission.id if submission else None
    _enqueue(session, mails.add_mail(session, row), event_id, run_at=run_at, now=now)


def _lay_out(
    name: MailName, event_id: int, email_key: str, locale: str, now: datetime
) -> dict[str, Any]:
    """Lay out the row of a mail, all but what it is about."""
    return {
        "event_id": event_id,
        "name": name,
        "mailbox_key": fold_tag(email_key),
        "locale": locale,
        "message_id": secrets.token_hex(16),
        "state": "queued",
        "error": "",
        "created_at": now,
    }


def _enqueue(
    session: Session, mail_id: int, event_id: int, *, run_at: datetime, now: datetime
) -> None:
    job_requests.enqueue_about(
        session, job_requests.MAIL, mail_id, event_id=event_id, run_at=run_at, now=now
    )


def _is_limited(name: MailName, registration: Registration) -> bool:
    """Tell whether a stranger may have caused this mail."""
    return name in _LIMITED or (name is MailName.CANCELLED and registration.proven_at is None)


def _is_over_limit(session: Session, email_key: str, registration_id: int, now: datetime) -> bool:
    at_event, everywhere = _count_day(session, email_key, registration_id, _COUNTED, now)
    return at_event >= PER_EVENT_A_DAY or everywhere >= PER_ADDRESS_A_DAY


def _count_day(
    session: Session,
    email_key: str,
    registration_id: int,
    names: tuple[MailName, ...],
    now: datetime,
) -> tuple[int, int]:
    """Count mails of a day: about one registration, and to its mailbox at all."""
    since = now - _DAY
    return mails.count_mails_since(
        session, registration_id, fold_tag(email_key), since, names=names
    )
