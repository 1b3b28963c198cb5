"""Registering a person: one transaction, after which nothing that was sent can be lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy.orm import Session

from storage import events, job_requests, newcomers, registrations, submissions, zoom_registrants
from storage.events import AnyEvent
from storage.models import Event, Registration, SubmissionRow
from storage.models.base import new_public_id
from storage.newcomers import Newcomer, Refusal

from .answers import answer_rows
from .chosen_dates import are_open, count_places
from .consents import consent_rows
from .event_dates import list_chosen_ids, takes_choice
from .events import EventState, LinkPolicy, Seats, get_state, read_seats
from .happenings import make_message
from .held_mails import request_word
from .mails import CONFIRM_WITHIN, MailName, make_first_mail, request_mail
from .submissions import Doubt, Submission, Surface, read_submission, write_submission


class Status(StrEnum):
    """Where a registration stands with us; its delivery to Zoom is another matter."""

    PENDING = "pending"
    WAITLISTED = "waitlisted"
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"


HOLDS_SEAT = frozenset({Status.PENDING, Status.APPROVED})

MAIL_OF_STATUS = {status: MailName(status) for status in Status} | {
    Status.APPROVED: MailName.CONFIRMATION
}
"""What a person is told who comes into a status; a form leads into the first three alone."""

ECHO_WITHIN = timedelta(minutes=2)

ORGANIZER = "organizer"
"""The actor of what an organizer decides."""


class Outcome(StrEnum):
    """What became of a submission."""

    CREATED = "created"
    REPEAT = "repeat"
    USED = "used"
    SUPERSEDED = "superseded"
    HELD = "held"
    DROPPED = "dropped"


class RegistrationError(Exception):
    """Root of what a registration can be refused for."""


class NotHeld(RegistrationError):
    """The submission is not held back, or not any more."""


class RegistrationNotOpen(RegistrationError):
    """The event takes nobody now; `state` says why."""

    def __init__(self, state: EventState) -> None:
        super().__init__(state)
        self.state = state


class ChangeRefused(RegistrationError):
    """The registration is not in a state that allows this."""


class DatesClosed(RegistrationNotOpen):
    """A date that was chosen takes nobody now; others may."""

    def __init__(self) -> None:
        super().__init__(EventState.FULL)


def register(
    session: Session,
    event: AnyEvent,
    submission: Submission,
    *,
    policy: LinkPolicy,
    mailed: int | None = None,
    kept: Collection[str] = (),
    place: Status | None = None,
    sent_at: datetime | None = None,
    now: datetime,
) -> SubmissionRow:
    """Store one submission and, for a new person, the registration with all that follows from it.

    The same POST sent again gives the same row; one that was held back is released, as another form
    would be taken now. A known address changes nothing: its owner is told by mail, and
    `may_see_receipt` says what its sender sees. Side effects: rows of submission, registration,
    answers, consents, counters, jobs and mail, all in the caller's transaction. `mailed` is how
    many mails the mailbox has had in a day, where that was counted; `kept` as in `are_open`;
    `sent_at` is when it first came, where its sender was asked for a proof or corrects an address.
    Who has a `place` gets the seat and the dates that the caller has given back, also if full.

    Raises:
        RegistrationNotOpen: not open yet, full, closed, ended or cancelled; nothing is stored.
        DatesClosed: so is a date that was chosen.
    """
    if submission.is_suspicious:
        return hold(session, event, submission, Doubt.TRAP, now=now)
    sent_at = sent_at or now
    try:
        found = _admit(
            *(session, event, submission, policy, now),
            sent_at=sent_at,
            mailed=mailed,
            kept=kept,
            place=place,
        )
    except DatesClosed:
        # Who may not learn whether the address is known is told of the date.
        known = _get_known(session, event, submission) if policy is LinkPolicy.SHOW else None
        if known is None:
            raise
        found = known
    if isinstance(found, Registration):
        return _repeat(session, event, found, submission, policy, now, sent_at=sent_at)
    return found


def may_see_receipt(row: SubmissionRow, submission: Submission) -> bool:
    """Tell whether the sender of a submission may see the receipt of the row that came of it.

    Where it must stay secret whether an address is known and the event is not open, a known address
    gets the same answer as an unknown one: the event's page. Its row then has a nonce of its own.
    """
    return row.nonce == submission.nonce


def hold(
    session: Session, event: AnyEvent, submission: Submission, doubt: Doubt, *, now: datetime
) -> SubmissionRow:
    """Keep a submission aside until somebody decides about it; the same POST has one row."""
    values = write_submission(event, submission, Outcome.HELD, now) | {"held_for": doubt}
    row = submissions.insert_submission(session, values | {"registration_id": None})
    if row is not None and doubt is not Doubt.MAIL_PROOF:
        request_word(session, event.id, now=now)
    return row or _get_earlier(session, event, submission)


def release(
    session: Session, event: Event, held: SubmissionRow, *, policy: LinkPolicy, now: datetime
) -> SubmissionRow:
    """Register a submission that was held back; its receipt stays the same.

    Raises:
        RegistrationNotOpen: as `register`.
        NotHeld: somebody has decided about it meanwhile.
    """
    # Before the submission, like everybody who locks both.
    events.lock_seats(session, event.id)
    _lock_held(session, held)
    submission = read_submission(held)
    known = _admit(session, event, submission, policy, now, sent_at=held.created_at, held=held)
    if isinstance(known, Registration):
        held.outcome, held.registration_id = Outcome.REPEAT, known.id
        _tell_again(session, held, known, policy, now)
    return held


def drop(session: Session, held: SubmissionRow) -> None:
    """Decide that a submission that was held back is none; it stays stored.

    Raises:
        NotHeld: as `release`.
    """
    _lock_held(session, held)
    held.outcome = Outcome.DROPPED


def status_for_new(event: AnyEvent) -> Status:
    return Status.PENDING if event.approval == "manual" else Status.APPROVED


def introduce(
    session: Session,
    event: AnyEvent,
    submission: Submission,
    status: Status,
    policy: LinkPolicy,
    now: datetime,
    *,
    mailed: int | None,
) -> Newcomer:
    """Build the rows of a new registration."""
    name = MAIL_OF_STATUS[status]
    mail, mail_at = make_first_mail(session, name, event, submission, mailed=mailed, now=now)
    # Whom an organizer has entered has no page that asks for a code.
    has_code = policy is LinkPolicy.CODE and submission.surface is not Surface.BY_HAND
    if mail_at == now and name is MailName.CONFIRMATION and not has_code:
        mail_at = now + CONFIRM_WITHIN
    row = write_submission(event, submission, Outcome.CREATED, now)
    if mail_at is not None and has_code:
        row |= {"code_version": 1, "code_issued_at": now}
    public_id = new_public_id()
    return Newcomer(
        registration={
            "public_id": public_id,
            "status": status,
            "link_version": 0,
            "queued_at": now if status is Status.WAITLISTED else None,
            "join_clicks": 0,
            "updated_at": now,
        },
        submission=row,
        answers=answer_rows(submission.answers),
        consents=consent_rows(session, submission),
        syncs=status is Status.APPROVED,
        mail=mail,
        mail_at=mail_at,
        message=make_message(event, public_id, status, now=now),
    )


def request_sync(session: Session, registration: Registration, *, now: datetime) -> None:
    """Have a worker bring Zoom in line with the registration."""
    number, event_id = registration.id, registration.event_id
    zoom_registrants.ensure_zoom_registrant(session, number, event_id, now=now)
    job_requests.enqueue_about(
        session, job_requests.ZOOM_SYNC, number, event_id=event_id, run_at=now, now=now
    )


def sync_key(registration_id: int) -> str:
    return job_requests.ZOOM_SYNC.key(registration_id)


def _admit(
    session: Session,
    event: AnyEvent,
    submission: Submission,
    policy: LinkPolicy,
    now: datetime,
    *,
    sent_at: datetime,
    held: SubmissionRow | None = None,
    mailed: int | None = None,
    kept: Collection[str] = (),
    place: Status | None = None,
) -> SubmissionRow | Registration:
    """Make a registration with its seat or its place in the queue; return who is known instead.

    Raises:
        RegistrationNotOpen: as `register`; the address is unknown.
    """
    # Whether a seat is left is decided where it is taken.
    state = get_state(event, Seats(0, event.capacity), now, sent_at=sent_at)
    if state is not EventState.OPEN:
        return _need_known(session, event, submission, state)
    first = place or status_for_new(event)
    if takes_choice(event):
        # Places are counted under the lock of the seats, which who takes one holds anyway.
        events.lock_seats(session, event.id)
        are_free = partial(are_open, session, event, submission.answers, kept=kept, now=now)
        if place is None and not are_free():
            if not event.has_waitlist and read_seats(session, event).are_all_taken:
                return _need_known(session, event, submission, EventState.FULL)
            first = _wait_for_dates(event, are_free)

    def add(status: Status) -> SubmissionRow | Refusal:
        newcomer = introduce(session, event, submission, status, policy, now, mailed=mailed)
        has_seat = status is not Status.WAITLISTED
        added = newcomers.add(session, newcomer, takes_seat=has_seat and place is None, held=held)
        if has_seat and isinstance(added, SubmissionRow):
            _count_place(session, event, submission, keeps_place=place is not None)
        return added

    added = add(first)
    if added is Refusal.FULL and event.has_waitlist:
        # Whoever gives a seat back would not see yet who is about to wait for it.
        events.lock_seats(session, event.id)
        added = add(status_for_new(event))
        if added is Refusal.FULL:
            added = add(Status.WAITLISTED)
    if isinstance(added, SubmissionRow):
        return added
    return _need_known(session, event, submission, EventState.FULL)


def _wait_for_dates(event: AnyEvent, are_free: Callable[..., bool]) -> Status:
    """Have somebody wait whose dates are full at Zoom, if the event has a list for that."""
    if not event.has_waitlist or not are_free(is_to_wait=True):
        raise DatesClosed
    return Status.WAITLISTED


def _count_place(
    session: Session, event: AnyEvent, submission: Submission, *, keeps_place: bool
) -> None:
    """Count somebody on their dates; their seat too where it was kept, as others are by taking."""
    if keeps_place:
        events.add_counters(session, event.id, {events.SEATS: 1})
    if takes_choice(event):
        count_places(session, event, list_chosen_ids(submission.answers), by=1)


def _need_known(
    session: Session, event: AnyEvent, submission: Submission, state: EventState
) -> Registration:
    """Return who is known by the address, locked; an unknown one is refused.

    Whoever is erased at this moment must get nothing of this any more: they are unknown then.
    """
    known = _get_known(session, event, submission)
    locked = registrations.lock_registration(session, known.id) if known else None
    if locked is None or locked.email_key != submission.email_key:
        raise RegistrationNotOpen(state)
    return locked


def _repeat(
    session: Session,
    event: AnyEvent,
    known: Registration,
    submission: Submission,
    policy: LinkPolicy,
    now: datetime,
    *,
    sent_at: datetime,
) -> SubmissionRow:
    earlier = _find_earlier(session, event, submission)
    if earlier is not None and earlier.registration_id is not None:
        return earlier
    if policy is not LinkPolicy.SHOW and _takes_nobody(session, event, now, sent_at):
        # Its page is the event's, as for an unknown address; sent again it must not be found.
        submission = replace(submission, nonce=secrets.token_urlsafe(12))
    values = write_submission(event, submission, Outcome.REPEAT, now)
    values |= {"registration_id": known.id}
    row = submissions.insert_or_release_submission(session, values)
    if row is None:
        return _get_earlier(session, event, submission)
    # Two tabs or an impatient click: the first mail says it all, unless things changed since.
    # A code belongs to one receipt.
    is_echo = submissions.has_twin(session, row, since=max(now - ECHO_WITHIN, known.updated_at))
    if policy is LinkPolicy.CODE or not is_echo:
        _tell_again(session, row, known, policy, now)
    return row


def _takes_nobody(session: Session, event: AnyEvent, now: datetime, sent_at: datetime) -> bool:
    state = get_state(event, read_seats(session, event), now, sent_at=sent_at)
    return state is not EventState.OPEN


def _lock_held(session: Session, held: SubmissionRow) -> None:
    locked = submissions.lock_submission(session, held.id)
    if locked is None or locked.outcome != Outcome.HELD:
        raise NotHeld


def _get_known(session: Session, event: AnyEvent, submission: Submission) -> Registration | None:
    return registrations.get_registration_by_email_key(session, event.id, submission.email_key)


def _find_earlier(
    session: Session, event: AnyEvent, submission: Submission
) -> SubmissionRow | None:
    """Return what the same POST has stored before, if it came before."""
    return submissions.get_submission_by_nonce(
        session, event.id, submission.nonce, submission.digest
    )


def _get_earlier(session: Session, event: AnyEvent, submission: Submission) -> SubmissionRow:
    row = _find_earlier(session, event, submission)
    assert row is not None, "the row that refused ours"
    return row


def _tell_again(
    session: Session, row: SubmissionRow, known: Registration, policy: LinkPolicy, now: datetime
) -> None:
    """Ask for the mail to a known address; under `code` it carries the receipt's code."""
    is_asked = request_mail(session, MailName.REPEAT, known, submission=row, now=now)
    if is_asked and policy is LinkPolicy.CODE:
        submissions.issue_code(row, now=now)
