"""Changing a registration afterwards: by the person, the organizer, or for a seat set free."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, registrations, submissions
from storage.models import Event, Registration, RegistrationChange, SubmissionRow

from .answers import erase_answers, read_answers
from .chosen_dates import are_open, count_places
from .consents import keep_consents_of_newcomer
from .event_dates import list_chosen_ids, takes_choice
from .events import EventState, LinkPolicy, get_end, get_state, read_seats
from .happenings import Happening, tell
from .mails import CONFIRM_WITHIN, MailName, request_mail
from .receipts import get_live_submission, owns_registration
from .registration_edits import use_submission
from .registrations import (
    HOLDS_SEAT,
    MAIL_OF_STATUS,
    ORGANIZER,
    ChangeRefused,
    Outcome,
    RegistrationNotOpen,
    Status,
    register,
    request_sync,
    status_for_new,
)
from .submissions import read_submission

MAX_CORRECTIONS = 3
MAX_RETURNS_A_DAY = 3
MOST_MOVED_AT_ONCE = 100


def cancel(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Cancel a registration; its seat goes to the first who waits.

    Side effects: history, counters, the job that cancels at Zoom, a mail.
    """
    registration = _lock(session, event, registration.id)
    if registration.status in (Status.CANCELLED, Status.DENIED):
        return
    _move(session, event, registration, Status.CANCELLED, actor=actor, now=now)
    request_mail(session, MailName.CANCELLED, registration, now=now)
    fill_free_seats(session, event, now=now)


def end_for_good(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> Registration:
    """End a registration and its links, and tell nobody; return it, locked."""
    registration = _lock(session, event, registration.id)
    if registration.status != Status.CANCELLED:
        _move(session, event, registration, Status.CANCELLED, actor=actor, now=now)
    registration.link_version += 1
    fill_free_seats(session, event, now=now)
    return registration


def register_again(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> None:
    """Bring a cancelled registration back, as a new one would come in; one that is back stays.

    Raises:
        ChangeRefused: it was denied, the organizer cancelled it, or it came back often.
        RegistrationNotOpen: the event takes nobody now.
    """
    registration = _lock(session, event, registration.id)
    if registration.status not in (Status.CANCELLED, Status.DENIED):
        return
    if not may_return(session, registration, now=now):
        raise ChangeRefused
    if not (registration.family_name or registration.given_name):
        _take_over_newest(session, event, registration, now)
    state = get_state(event, read_seats(session, event), now)
    if state not in (EventState.OPEN, EventState.FULL):
        raise RegistrationNotOpen(state)
    try:
        _move(session, event, registration, status_for_new(event), actor="person", now=now)
    except RegistrationNotOpen:
        if not event.has_waitlist:
            raise
        _move(session, event, registration, Status.WAITLISTED, actor="person", now=now)
    _tell_status(session, registration, MailName.CONFIRMATION, now)


def may_return(session: Session, registration: Registration, *, now: datetime) -> bool:
    """Tell whether a cancelled person may come back by themselves.

    Not against a decision of the organizer's, nor too often: Zoom allows ten changes of status a
    day.
    """
    if registration.status != Status.CANCELLED:
        return False
    changes = _list_status_changes(session, registration)
    since = now - timedelta(days=1)
    returns = [c for c in changes if c.before["status"] == "cancelled" and c.changed_at > since]
    return not is_by_organizer(session, registration) and len(returns) < MAX_RETURNS_A_DAY


def is_by_organizer(session: Session, registration: Registration) -> bool:
    """Tell whether the organizer decided the state that a registration is in."""
    changes = _list_status_changes(session, registration)
    return bool(changes) and changes[-1].actor == ORGANIZER


def approve(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Approve a person who was pending, waitlisted or denied.

    Raises:
        ChangeRefused: the person has cancelled.
        RegistrationNotOpen: no seat is left.
    """
    registration = _lock(session, event, registration.id)
    if registration.status == Status.APPROVED:
        return
    if registration.status == Status.CANCELLED:
        raise ChangeRefused
    _move(session, event, registration, Status.APPROVED, actor=actor, now=now)
    _tell_status(session, registration, MailName.APPROVED, now)


def deny(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Deny a person, and take back at Zoom what was given before."""
    registration = _lock(session, event, registration.id)
    if registration.status in (Status.DENIED, Status.CANCELLED):
        return
    _move(session, event, registration, Status.DENIED, actor=actor, now=now)
    request_mail(session, MailName.DENIED, registration, now=now)
    fill_free_seats(session, event, now=now)


def fill_free_seats(
    session: Session, event: Event, *, limit: int | None = None, now: datetime
) -> bool:
    """Move up those who wait while there are seats, in the order in which they came.

    Returns whether more than `limit` may move up: nobody else can write while hundreds do, so they
    go on in another transaction.
    """
    if not event.has_waitlist or event.status == EventState.CANCELLED or now >= get_end(event):
        return False
    events.lock_seats(session, event.id)
    for _ in range(limit or MOST_MOVED_AT_ONCE):
        waiting = registrations.get_first_waitlisted(session, event.id)
        if waiting is None:
            return False
        try:
            _move(session, event, waiting, status_for_new(event), actor="waitlist", now=now)
        except RegistrationNotOpen:
            return False
        _tell_status(session, waiting, MailName.APPROVED, now, may_wait=True)
    return True


def correct_address(
    session: Session,
    event: Event,
    mistaken: SubmissionRow,
    *,
    email: str,
    email_key: str,
    policy: LinkPolicy,
    now: datetime,
) -> SubmissionRow:
    """Register the same person under another address, and end what the wrong one got.

    A wrong address that was new gets no more mail: its links stop working and its seat is given
    back. One that was known, or was typed by others since, keeps what it had; the answer here is
    the same. Typing the same address again changes nothing, nor does correcting a receipt twice.

    Raises:
        ChangeRefused: under `show`, the submission made no registration or its address is
            proven; or it was corrected often enough.
        RegistrationNotOpen: as `register`.
    """
    assert mistaken.registration_id is not None, "a held submission is not corrected"
    wrong = _lock(session, event, mistaken.registration_id)
    locked = submissions.lock_submission(session, mistaken.id)
    assert locked is not None
    live = get_live_submission(session, locked)
    if live is not locked or email_key == locked.email_key:
        return live
    if submissions.count_corrections_before(session, locked) >= MAX_CORRECTIONS:
        raise ChangeRefused
    if owns_registration(session, locked, wrong):
        if wrong.status not in (Status.CANCELLED, Status.DENIED):
            _move(session, event, wrong, Status.CANCELLED, actor="correction", now=now)
        wrong.link_version += 1
        erase_answers(session, wrong, now=now)
        locked.outcome = Outcome.SUPERSEDED
    elif policy is LinkPolicy.SHOW:
        raise ChangeRefused
    corrected = replace(
        read_submission(locked), email=email, email_key=email_key, nonce=mistaken.number
    )
    row = register(session, event, corrected, policy=policy, now=now)
    locked.corrected_by_id = row.id
    fill_free_seats(session, event, now=now)
    return row


def _take_over_newest(
    session: Session, event: Event, registration: Registration, now: datetime
) -> None:
    """Give a registration whose name was erased what its owner sent since, boxes included."""
    newest = submissions.list_repeats(session, registration.id, limit=1)
    if not newest:
        raise ChangeRefused
    use_submission(session, event, registration, newest[0], now=now)
    keep_consents_of_newcomer(session, registration, newest[0], read_submission(newest[0]), now=now)


def _list_status_changes(session: Session, registration: Registration) -> list[RegistrationChange]:
    changes = registrations.list_changes(session, registration.id)
    return [change for change in changes if change.action == "status"]


def _lock(session: Session, event: Event, registration_id: int) -> Registration:
    # Everybody takes the event's seats first, then the registration, then a submission, so nobody
    # waits in a circle.
    events.lock_seats(session, event.id)
    locked = registrations.lock_registration(session, registration_id)
    assert locked is not None, "registrations are not deleted while they are shown"
    return locked


def _move(
    session: Session,
    event: Event,
    registration: Registration,
    status: Status,
    *,
    actor: str,
    now: datetime,
) -> None:
    before = Status(registration.status)
    needs_seat = status in HOLDS_SEAT and before not in HOLDS_SEAT
    gives_seat_back = before in HOLDS_SEAT and status not in HOLDS_SEAT
    if needs_seat and not events.take_seat(session, event.id):
        raise RegistrationNotOpen(EventState.FULL)
    if takes_choice(event) and needs_seat != gives_seat_back:
        _move_places(session, event, registration, takes=needs_seat, now=now)
    if gives_seat_back:
        events.give_back_seat(session, event.id)
    registration.status = status
    registration.queued_at = now if status is Status.WAITLISTED else None
    registration.updated_at = now
    events.add_counters(session, event.id, {f"status:{before}": -1, f"status:{status}": 1})
    registrations.add_change(
        session,
        registration.id,
        actor=actor,
        action="status",
        before={"status": before},
        after={"status": status},
        now=now,
    )
    session.flush()
    if happening := _name_happening(before, status):
        tell(session, event, registration, happening, now=now)
    if Status.APPROVED in (before, status):
        request_sync(session, registration, now=now)


def _name_happening(before: Status, after: Status) -> Happening | None:
    """Say what a change of status is to others; moving up to wait for approval is nothing new."""
    if before is Status.CANCELLED:
        return Happening.CREATED
    return {
        Status.APPROVED: Happening.APPROVED,
        Status.DENIED: Happening.DENIED,
        Status.CANCELLED: Happening.CANCELLED,
    }.get(after)


def _move_places(
    session: Session, event: Event, registration: Registration, *, takes: bool, now: datetime
) -> None:
    """Take, or give back, a place on each date that somebody has chosen."""
    answers = read_answers(session, registration)
    if takes and not are_open(session, event, answers, now=now):
        events.give_back_seat(session, event.id)
        raise RegistrationNotOpen(EventState.FULL)
    count_places(session, event, list_chosen_ids(answers), by=1 if takes else -1)


def _tell_status(
    session: Session,
    registration: Registration,
    name_if_approved: MailName,
    now: datetime,
    *,
    may_wait: bool = False,
) -> None:
    name = MAIL_OF_STATUS[Status(registration.status)]
    if name is MailName.CONFIRMATION:
        name, run_at = name_if_approved, now + CONFIRM_WITHIN
    else:
        run_at = now
    request_mail(session, name, registration, run_at=run_at, may_wait=may_wait, now=now)
