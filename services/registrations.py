"""Registering a person: one transaction, after which nothing that was sent can be lost."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, job_requests, registrations, submissions, zoom_registrants
from storage.events import AnyEvent
from storage.models import Event, Registration, SubmissionRow
from storage.models.base import new_public_id

from .answers import answer_rows
from .chosen_dates import are_open, count_places
from .codes import make_receipt_number
from .consents import keep_consents
from .event_dates import list_chosen_ids, takes_choice
from .events import EventState, LinkPolicy, Seats, get_state, read_seats
from .mails import CONFIRM_WITHIN, MailName, request_mail
from .questions import answers_to_json
from .submissions import Submission, read_submission


class Status(StrEnum):
    """Where a registration stands with us; its delivery to Zoom is another matter."""

    PENDING = "pending"
    WAITLISTED = "waitlisted"
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"


HOLDS_SEAT = frozenset({Status.PENDING, Status.APPROVED})

MAIL_OF_STATUS = {
    Status.PENDING: MailName.PENDING,
    Status.WAITLISTED: MailName.WAITLISTED,
    Status.APPROVED: MailName.CONFIRMATION,
}
"""What a person is told who comes into a status; the others cannot be come into by a form."""

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
    now: datetime,
) -> SubmissionRow:
    """Store one submission and, for a new person, the registration with all that follows from it.

    The same POST sent again gives the same row. A known address changes nothing: its owner is told
    by mail. Where that is a secret and the event takes nobody, the row has another nonce than the
    submission, and its sender is to see the event's page. Side effects: rows of submission,
    registration, answers, consents, counters, jobs and mail, all in the caller's transaction.

    Raises:
        RegistrationNotOpen: not open yet, full, closed, ended or cancelled; nothing is stored.
        DatesClosed: so is a date that was chosen.
    """
    if submission.is_suspicious:
        return _hold(session, event, submission, now)
    try:
        registration = _admit(session, event, submission, now)
    except DatesClosed:
        # Who may not learn whether the address is known is told of the date.
        if policy is not LinkPolicy.SHOW or _get_known(session, event, submission) is None:
            raise
        registration = None
    if registration is None:
        known = _need_known(session, event, submission)
        return _repeat(session, event, known, submission, policy, now)
    row = _keep(session, event, submission, registration, Outcome.CREATED, now)
    assert row is not None, "its nonce was free and its address new"
    keep_consents(session, registration, row, submission, now=now)
    _tell(session, row, registration, policy, now)
    return row


def release(
    session: Session, event: Event, held: SubmissionRow, *, policy: LinkPolicy, now: datetime
) -> SubmissionRow:
    """Register a submission that was held back; its receipt stays the same.

    Raises:
        RegistrationNotOpen: as `register`.
        NotHeld: somebody has decided about it meanwhile.
    """
    _lock_held(session, held)
    submission = read_submission(held)
    created = _admit(session, event, submission, now)
    held.outcome = Outcome.CREATED if created else Outcome.REPEAT
    registration = created or _need_known(session, event, submission)
    held.registration_id = registration.id
    if created:
        keep_consents(session, created, held, submission, now=now)
    _tell(session, held, registration, policy, now)
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


def request_sync(session: Session, registration: Registration, *, now: datetime) -> None:
    """Have the worker make Zoom match what the registration now is."""
    zoom_registrants.ensure_zoom_registrant(session, registration, now=now)
    job_requests.enqueue(
        session,
        kind="zoom.sync",
        key=sync_key(registration.id),
        payload={"registration_id": registration.id},
        event_id=registration.event_id,
        run_at=now,
        now=now,
    )


def sync_key(registration_id: int) -> str:
    return f"zoom:{registration_id}"


def _admit(
    session: Session, event: AnyEvent, submission: Submission, now: datetime
) -> Registration | None:
    """Make a registration with its seat or its place in the queue; None for a known address.

    Raises:
        RegistrationNotOpen: as `register`; the address is unknown.
    """
    # Whether a seat is left is decided where it is taken.
    state = get_state(event, Seats(0, event.capacity), now)
    if state is not EventState.OPEN:
        _refuse_unknown(session, event, submission, state)
        return None
    # The seat first, like everybody who changes a registration: else two could wait in a circle.
    has_seat = _take_seat(session, event)
    if not has_seat and not event.has_waitlist:
        _refuse_unknown(session, event, submission, EventState.FULL)
        return None
    if takes_choice(event) and not are_open(session, event, submission.answers, now=now):
        if has_seat:
            events.give_back_seat(session, event.id)
        raise DatesClosed
    status = status_for_new(event) if has_seat else Status.WAITLISTED
    registration = _insert(session, event, submission, status, now)
    if registration is None:
        if has_seat:
            events.give_back_seat(session, event.id)
        return None
    events.add_counters(session, event.id, {f"status:{status}": 1})
    registrations.add_answers(session, registration.id, answer_rows(submission.answers))
    if has_seat and takes_choice(event):
        count_places(session, event, list_chosen_ids(submission.answers), by=1)
    if status is Status.APPROVED:
        request_sync(session, registration, now=now)
    return registration


def _take_seat(session: Session, event: AnyEvent) -> bool:
    if events.take_seat(session, event.id):
        return True
    if not event.has_waitlist:
        return False
    # Whoever gives a seat back would not see yet who is about to wait for it.
    events.lock_seats(session, event.id)
    return events.take_seat(session, event.id)


def _refuse_unknown(
    session: Session, event: AnyEvent, submission: Submission, state: EventState
) -> None:
    if _get_known(session, event, submission) is None:
        raise RegistrationNotOpen(state)


def _insert(
    session: Session, event: AnyEvent, submission: Submission, status: Status, now: datetime
) -> Registration | None:
    return registrations.insert_registration(
        session,
        {
            "public_id": new_public_id(),
            "event_id": event.id,
            "form_version_id": submission.form_version_id,
            "email": submission.email,
            "email_key": submission.email_key,
            "family_name": submission.family_name,
            "given_name": submission.given_name,
            "locale": submission.locale,
            "status": status,
            "surface": submission.surface,
            "source": dict(submission.source),
            "link_version": 0,
            "queued_at": now if status is Status.WAITLISTED else None,
            "join_clicks": 0,
            "created_at": now,
            "updated_at": now,
        },
    )


def _repeat(
    session: Session,
    event: AnyEvent,
    known: Registration,
    submission: Submission,
    policy: LinkPolicy,
    now: datetime,
) -> SubmissionRow:
    earlier = _find_earlier(session, event, submission)
    if earlier is not None:
        return earlier
    if policy is not LinkPolicy.SHOW and _takes_nobody(session, event, now):
        # Its page is the event's, as for an unknown address; sent again it must not be found.
        submission = replace(submission, nonce=secrets.token_urlsafe(12))
    row = _keep(session, event, submission, known, Outcome.REPEAT, now)
    if row is None:
        return _get_earlier(session, event, submission)
    # Two tabs or an impatient click: the first mail says it all. A code belongs to one receipt.
    is_echo = submissions.has_twin(session, row, since=now - ECHO_WITHIN)
    if policy is LinkPolicy.CODE or not is_echo:
        _tell(session, row, known, policy, now)
    return row


def _takes_nobody(session: Session, event: AnyEvent, now: datetime) -> bool:
    return get_state(event, read_seats(session, event), now) is not EventState.OPEN


def _lock_held(session: Session, held: SubmissionRow) -> None:
    locked = submissions.lock_submission(session, held.id)
    if locked is None or locked.outcome != Outcome.HELD:
        raise NotHeld


def _get_known(session: Session, event: AnyEvent, submission: Submission) -> Registration | None:
    return registrations.get_registration_by_email_key(session, event.id, submission.email_key)


def _need_known(session: Session, event: AnyEvent, submission: Submission) -> Registration:
    known = _get_known(session, event, submission)
    assert known is not None, "the row that refused ours"
    return known


def _hold(
    session: Session, event: AnyEvent, submission: Submission, now: datetime
) -> SubmissionRow:
    row = _keep(session, event, submission, None, Outcome.HELD, now)
    return row or _get_earlier(session, event, submission)


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


def _keep(
    session: Session,
    event: AnyEvent,
    submission: Submission,
    registration: Registration | None,
    outcome: Outcome,
    now: datetime,
) -> SubmissionRow | None:
    public_id = new_public_id()
    return submissions.insert_submission(
        session,
        {
            "public_id": public_id,
            "number": make_receipt_number(public_id),
            "event_id": event.id,
            "registration_id": registration.id if registration else None,
            "form_version_id": submission.form_version_id,
            "nonce": submission.nonce,
            "digest": submission.digest,
            "outcome": outcome,
            "email": submission.email,
            "email_key": submission.email_key,
            "family_name": submission.family_name,
            "given_name": submission.given_name,
            "answers": answers_to_json(submission.answers),
            "consents": [dict(vars(consent)) for consent in submission.consents],
            "locale": submission.locale,
            "surface": submission.surface,
            "source": dict(submission.source),
            "code_version": 0,
            "code_tries": 0,
            "created_at": now,
        },
    )


def _tell(
    session: Session,
    row: SubmissionRow,
    registration: Registration,
    policy: LinkPolicy,
    now: datetime,
) -> None:
    """Ask for the mail that follows a submission; under `code` it carries the receipt's code."""
    name, run_at = _choose_mail(row, registration, policy, now)
    is_first = row.outcome == Outcome.CREATED
    is_asked = request_mail(
        session, name, registration, submission=row, run_at=run_at, is_first=is_first, now=now
    )
    if is_asked and policy is LinkPolicy.CODE:
        submissions.issue_code(row, now=now)


def _choose_mail(
    row: SubmissionRow, registration: Registration, policy: LinkPolicy, now: datetime
) -> tuple[MailName, datetime]:
    if row.outcome == Outcome.REPEAT:
        return MailName.REPEAT, now
    name = MAIL_OF_STATUS.get(Status(registration.status), MailName.REPEAT)
    waits_for_zoom = name is MailName.CONFIRMATION and policy is not LinkPolicy.CODE
    return name, now + CONFIRM_WITHIN if waits_for_zoom else now
