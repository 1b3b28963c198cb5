"""Asking for mails: which, to whom, and how often at most."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import jobs, mails
from storage.models import Mail, Registration, SubmissionRow

PER_EVENT_A_DAY = 3
PER_ADDRESS_A_DAY = 10

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


# A stranger can cause these by typing an address, so they are counted against the limits.
_BY_ANYBODY = (MailName.CONFIRMATION, MailName.PENDING, MailName.WAITLISTED, MailName.REPEAT)
_WITH_LINK = (MailName.CONFIRMATION, MailName.APPROVED)


def request_mail(
    session: Session,
    name: MailName,
    registration: Registration,
    *,
    submission: SubmissionRow | None = None,
    run_at: datetime | None = None,
    now: datetime,
) -> Mail | None:
    """Ask for a mail in this transaction; None if the address had enough for a day.

    Side effects: a mail row and its job.
    """
    if name in _BY_ANYBODY and _is_over_limit(session, registration, now):
        return None
    mail = mails.add_mail(
        session,
        Mail(
            event_id=registration.event_id,
            registration_id=registration.id,
            submission_id=submission.id if submission else None,
            name=name,
            email_key=registration.email_key,
            locale=registration.locale,
            message_id=secrets.token_hex(16),
            state="queued",
            error="",
            created_at=now,
        ),
    )
    jobs.enqueue(
        session,
        kind="mail",
        key=_job_key(mail),
        payload={"mail_id": mail.id},
        run_at=run_at or now,
        now=now,
    )
    return mail


def hasten_mails_with_link(session: Session, registration_id: int, *, now: datetime) -> None:
    """Send now what waited for Zoom's answer."""
    for mail in mails.list_queued(session, registration_id, names=_WITH_LINK):
        jobs.hasten(session, _job_key(mail), now=now)


def _is_over_limit(session: Session, registration: Registration, now: datetime) -> bool:
    since = now - timedelta(days=1)
    key = registration.email_key
    at_event = mails.count_mails_since(
        session, key, since, names=_BY_ANYBODY, event_id=registration.event_id
    )
    if at_event >= PER_EVENT_A_DAY:
        return True
    everywhere = mails.count_mails_since(session, key, since, names=_BY_ANYBODY, event_id=None)
    return everywhere >= PER_ADDRESS_A_DAY


def _job_key(mail: Mail) -> str:
    return f"mail:{mail.id}"
