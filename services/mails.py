"""Asking for mails: which, to whom, and how often at most."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from storage import events, job_lists, job_requests, mails, registrations, zoom_registrants
from storage.arrivals import Mailbox
from storage.events import AnyEvent
from storage.models import Event, Mail, Registration, SubmissionRow

from .addresses import fold_tag
from .calendars import Method
from .chosen_dates import read_start
from .events import EventState, get_end, get_planned_end
from .mail_limits import (
    DAY,
    MAILBOX_FULL,
    PER_ADDRESS_A_DAY,
    PUT_OFF_A_DAY,
    count_gone,
    find_time,
    has_room_for_urgent,
)
from .submissions import Submission

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
    LAPSED = "lapsed"
    """To whom was not registered: what their form waited for took until the event was over."""


CALENDAR_METHODS: Mapping[str, Method] = {
    MailName.CONFIRMATION: "PUBLISH",
    MailName.APPROVED: "PUBLISH",
    MailName.DATES: "PUBLISH",
    MailName.MOVED: "PUBLISH",
    MailName.CANCELLED: "CANCEL",
    MailName.DENIED: "CANCEL",
    MailName.EVENT_CANCELLED: "CANCEL",
}
"""What the calendar file that comes with a mail does; an entry is published for those who come."""

ABOUT_COMING = frozenset(MailName) - {
    *(MailName.CANCELLED, MailName.DENIED, MailName.EVENT_CANCELLED, MailName.REPEAT),
    MailName.LAPSED,
}
"""What says nothing to anybody once the event is cancelled or over."""

# A stranger can cause these by typing an address, so they are counted against the limits.
_LIMITED = (MailName.CONFIRMATION, MailName.PENDING, MailName.WAITLISTED, MailName.REPEAT)
_COUNTED = (
    *_LIMITED,
    MailName.CANCELLED,
    MailName.APPROVED,
    MailName.REFUSED,
    MailName.DENIED,
    MailName.DATES,
)
_WITH_LINK = (MailName.CONFIRMATION, MailName.APPROVED)
_OF_STATUS = (
    *_WITH_LINK,
    MailName.PENDING,
    MailName.WAITLISTED,
    MailName.CANCELLED,
    MailName.DENIED,
)
_REPLACING = (
    *_OF_STATUS,
    MailName.DATES,
    MailName.MOVED,
    MailName.REFUSED,
    MailName.EVENT_CANCELLED,
)

EVENT_OVER = "EventOver"
"""Why a mail was dropped that never went, and may hold if the event gets a time ahead again."""

DROPPED_AFTER_RESTORE = "DroppedAfterRestore"
"""Why a mail failed that a restore had held back: somebody decided that it never goes."""


def request_mail(
    session: Session,
    name: MailName,
    registration: Registration,
    *,
    submission: SubmissionRow | None = None,
    run_at: datetime | None = None,
    may_wait: bool = False,
    is_by_reader: bool = False,
    is_by_organizer: bool = False,
    now: datetime,
) -> bool:
    """Ask for a mail in this transaction; False if the address had enough for a day, or is erased.

    One that `may_wait` is put off instead, and is limited only while the address is unproven; where
    it would come after the start it goes now, or never once twice the limits are reached. What says
    where somebody stands, or of a refusal or new times, takes the place of one that still waits,
    whenever that would go, and if it goes, of those that failed. What the reader of a page asks for
    again is always limited, and what an organizer does is told however many there were. Side
    effects: the registration's lock, mail rows and their jobs.
    """
    if not registration.email:
        return False
    goes_at: datetime | None = now
    is_limited = registration.proven_at is None if may_wait else name in _LIMITED or is_by_reader
    if is_limited and not is_by_organizer:
        # Of several at once each must see what the others have asked for.
        registrations.lock_registration(session, registration.id)
        if may_wait:
            # The place of one that was put off before is this one's.
            mails.drop_queued(session, registration.id, names=_list_alike(name))
        goes_at = _find_time(session, registration, now, is_needed_in_time=may_wait)
        if goes_at != now and not may_wait:
            return False
    if name in _REPLACING:
        mails.drop_queued(session, registration.id, names=_list_alike(name))
        if goes_at is not None:
            _drop_failed(session, name, registration)
    row = _lay_out(name, registration, event_id=registration.event_id, goes_at=goes_at, now=now)
    row["registration_id"] = registration.id
    row["submission_id"] = submission.id if submission else None
    mail_id = mails.add_mail(session, row)
    if goes_at is not None:
        run_at = max(goes_at, run_at or now)
        _enqueue(session, mail_id, registration.event_id, run_at=run_at, now=now)
    return True


def _drop_failed(session: Session, name: MailName, registration: Registration) -> None:
    """Drop what failed and is said again now: whoever has all done again would send both."""
    for mail_id in mails.drop_failed(session, registration.id, names=_list_alike(name)):
        job_lists.drop(session, job_requests.MAIL.key(mail_id))


def _find_time(
    session: Session, registration: Registration, now: datetime, *, is_needed_in_time: bool
) -> datetime | None:
    """Find when a mail to somebody who is known may go: now, later, or None for never."""
    mailbox = name_mailbox(registration.email_key, now=now)
    event_id, about = registration.event_id, registration.id
    goes_at = find_time(session, mailbox, event_id=event_id, registration_id=about, now=now)
    if goes_at == now or not is_needed_in_time:
        return goes_at
    event = events.need_event(session, event_id)
    if goes_at is not None and goes_at < read_start(session, event, registration, now=now):
        return goes_at
    has_room = has_room_for_urgent(session, mailbox, registration_id=about, now=now)
    return now if has_room else None


def name_mailbox(email_key: str, *, now: datetime) -> Mailbox:
    """Name the mailbox of an address, and which mails to it count against its limit of a day."""
    return Mailbox(fold_tag(email_key), now - DAY, _COUNTED)


def make_first_mail(
    session: Session,
    name: MailName,
    event: AnyEvent,
    submission: Submission,
    *,
    mailed: int | None,
    now: datetime,
) -> tuple[dict[str, Any], datetime | None]:
    """Lay out the mail to somebody who registers now; return it, and when it may go.

    It is put off where the address had enough for a day, and never goes (None) where too many wait,
    or the event is over by then. `mailed` counts those of the day, where that is known.
    """
    goes_at: datetime | None = now
    if mailed is None or mailed >= PER_ADDRESS_A_DAY - PUT_OFF_A_DAY:
        mailbox = name_mailbox(submission.email_key, now=now)
        goes_at = find_time(session, mailbox, event_id=event.id, now=now)
    if goes_at is not None and now < goes_at >= get_end(event):
        goes_at = None
    return _lay_out(name, submission, event_id=event.id, goes_at=goes_at, now=now), goes_at


def request_again(
    session: Session, name: MailName, registration: Registration, *, now: datetime
) -> bool:
    """Ask for a mail that an organizer wants sent again; False if there were enough for a day.

    Side effects: as `request_mail`.
    """
    registrations.lock_registration(session, registration.id)
    mailbox = name_mailbox(registration.email_key, now=now)
    about, everywhere = count_gone(session, mailbox, registration_id=registration.id, now=now)
    if about >= TOLD_A_DAY or everywhere >= 2 * PER_ADDRESS_A_DAY:
        return False
    return request_mail(session, name, registration, is_by_organizer=True, now=now)


def holds_for_event(name: MailName, event: Event, *, now: datetime) -> bool:
    """Tell whether the event, as it stands now, leaves a mail anything to say."""
    if name in ABOUT_COMING and event.status == EventState.CANCELLED:
        return False
    return not is_too_late(name, event, now=now)


def is_too_late(name: MailName, event: Event, *, now: datetime) -> bool:
    """Tell whether the event is over that a mail is about coming to."""
    # That the last dates are cancelled is news to those who would come, though no date is left.
    end = get_planned_end(event) if name is MailName.DATES else get_end(event)
    return name in ABOUT_COMING and now >= end


def choose_word(session: Session, name: MailName, registration: Registration) -> MailName:
    """Return the mail that holds in place of one with the link: that of Zoom's refusal, if any."""
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    is_refused = registrant is not None and registrant.delivery == "refused"
    return MailName.REFUSED if name in _WITH_LINK and is_refused else name


def request_word_of_delay(
    session: Session, registration: Registration, *, run_at: datetime, now: datetime
) -> None:
    """Ask for the mail that says that Zoom takes its time; one each time that somebody has come.

    Side effects: the registration's lock, a mail row and its job.
    """
    # Of two at once the second must see what the first has asked for.
    registrations.lock_registration(session, registration.id)
    words = mails.list_of_names(session, [registration.id], [MailName.DELAYED])
    left_at = _find_last_leaving(session, registration) if words else None
    if not any(_is_said_since(mail, left_at) for mail in words):
        request_mail(session, MailName.DELAYED, registration, run_at=run_at, now=now)


def _find_last_leaving(session: Session, registration: Registration) -> datetime | None:
    """Find when somebody last lost the place at Zoom that they had or waited for."""
    changes = registrations.list_changes(session, registration.id)
    left = [change for change in changes if change.before.get("status") == "approved"]
    return left[-1].changed_at if left else None


def _is_said_since(mail: Mail, moment: datetime | None) -> bool:
    """Tell whether a mail says something after a moment, or may do so yet."""
    if mail.state == "dropped":
        return False
    is_over = mail.state in ("sent", "failed")
    return not is_over or moment is None or (mail.sent_at or mail.created_at) > moment


def hasten_mails_with_link(
    session: Session, registration_ids: Sequence[int], *, now: datetime
) -> set[int]:
    """Send now what waited for Zoom's answer; return the registrations for which something goes.

    What was put off waits until its time.
    """
    waiting = mails.list_queued(session, registration_ids, names=_WITH_LINK)
    due = [mail for mail in waiting if mail.due_at is None or mail.due_at <= now]
    if due:
        keys = [job_requests.MAIL.key(mail.id) for mail in due]
        job_requests.hasten(session, keys, now=now)
    return {mail.registration_id for mail in due}


def list_left_refused(session: Session, registration_ids: Collection[int]) -> list[int]:
    """List those to whom no mail with the link has gone since they were told of Zoom's refusal.

    A refusal that never left undoes no such mail, though it may have kept it from being sent. One
    that was put off is no word yet to whom a refusal was told, or is about to be.
    """
    if not registration_ids:
        return []
    words = mails.list_of_names(session, registration_ids, (*_WITH_LINK, MailName.REFUSED))
    words.sort(key=lambda mail: (mail.sent_at or mail.created_at, mail.id))
    refused = {mail.registration_id for mail in words if mail.name == MailName.REFUSED}
    waiting = {mail.registration_id: mail.name for mail in words if mail.state == "queued"}
    gone = {
        mail.registration_id: mail.name for mail in words if mail.state not in ("queued", "dropped")
    }
    last = waiting | gone
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


def drop_held(session: Session, mail_id: int) -> bool:
    """Have a mail never sent that a restore held back; False if it is not held any more.

    It counts as failed: whom it was for sees so, and may have it sent anew. False also where a
    worker has its job just now. Side effects: its job is deleted.
    """
    mail = mails.get_mail(session, mail_id)
    if mail is None or mail.state != "held":
        return False
    key = job_requests.MAIL.key(mail_id)
    job_lists.drop(session, key)
    if job_lists.get_job(session, key) is not None:
        # It would send what has failed, as if somebody had asked for that.
        return False
    mail.state, mail.error = "failed", DROPPED_AFTER_RESTORE
    return True


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


def _lay_out(
    name: MailName,
    to: Submission | Registration,
    *,
    event_id: int,
    goes_at: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    """Lay out the row of a mail, all but what it is about."""
    is_given_up = goes_at is None
    return {
        "event_id": event_id,
        "name": name,
        "mailbox_key": fold_tag(to.email_key),
        "locale": to.locale,
        "message_id": secrets.token_hex(16),
        "state": "failed" if is_given_up else "queued",
        "error": MAILBOX_FULL if is_given_up else "",
        "created_at": now,
        "due_at": None if goes_at == now else goes_at,
    }


def _enqueue(
    session: Session, mail_id: int, event_id: int, *, run_at: datetime, now: datetime
) -> None:
    job_requests.enqueue_about(
        session, job_requests.MAIL, mail_id, event_id=event_id, run_at=run_at, now=now
    )
