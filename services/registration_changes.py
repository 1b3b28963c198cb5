"""Changing a registration afterwards: by the person, the organizer, or for a seat set free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, registrations, submissions
from storage.models import Answer as AnswerRow
from storage.models import Event, Registration, SubmissionRow

from .events import EventState, LinkPolicy, get_end, read_definition
from .mails import CONFIRM_WITHIN, MailName, request_mail
from .questions import Answer, Question, answers_from_json, answers_to_json
from .receipts import get_live_submission
from .registrations import (
    HOLDS_SEAT,
    Outcome,
    RegistrationError,
    RegistrationNotOpen,
    Status,
    answer_rows,
    hash_notice,
    read_submission,
    register,
    request_sync,
)


class ChangeRefused(RegistrationError):
    """The registration is not in a state that allows this."""


def cancel(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Cancel a registration; its seat goes to the first who waits.

    Side effects: history, counters, the job that cancels at Zoom, a mail.
    """
    registration = _lock(session, event, registration)
    if registration.status in (Status.CANCELLED, Status.DENIED):
        return
    _move(session, event, registration, Status.CANCELLED, actor=actor, now=now)
    request_mail(session, MailName.CANCELLED, registration, now=now)
    fill_free_seats(session, event, now=now)


def register_again(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> None:
    """Bring a cancelled registration back, as a new one would come in.

    Raises:
        ChangeRefused: it was denied, or is not cancelled.
        RegistrationNotOpen: the event is full or over.
    """
    registration = _lock(session, event, registration)
    if registration.status != Status.CANCELLED:
        raise ChangeRefused
    if event.status == EventState.CANCELLED or now >= get_end(event):
        raise RegistrationNotOpen(EventState.ENDED)
    wanted = Status.PENDING if event.approval == "manual" else Status.APPROVED
    try:
        _move(session, event, registration, wanted, actor="person", now=now)
    except RegistrationNotOpen:
        if not event.has_waitlist:
            raise
        _move(session, event, registration, Status.WAITLISTED, actor="person", now=now)
    _tell_status(session, registration, MailName.CONFIRMATION, now)


def approve(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Approve a person who was pending, waitlisted or denied.

    Raises:
        ChangeRefused: the person has cancelled.
        RegistrationNotOpen: no seat is left.
    """
    registration = _lock(session, event, registration)
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
    registration = _lock(session, event, registration)
    if registration.status in (Status.DENIED, Status.CANCELLED):
        return
    _move(session, event, registration, Status.DENIED, actor=actor, now=now)
    request_mail(session, MailName.DENIED, registration, now=now)
    fill_free_seats(session, event, now=now)


def fill_free_seats(session: Session, event: Event, *, now: datetime) -> None:
    """Move up those who wait while there are seats, in the order in which they came."""
    if not event.has_waitlist or now >= get_end(event):
        return
    while (waiting := registrations.get_first_waitlisted(session, event.id)) is not None:
        wanted = Status.PENDING if event.approval == "manual" else Status.APPROVED
        try:
            _move(session, event, waiting, wanted, actor="waitlist", now=now)
        except RegistrationNotOpen:
            return
        _tell_status(session, waiting, MailName.APPROVED, now)


def change_answers(
    session: Session,
    registration: Registration,
    *,
    family_name: str,
    given_name: str,
    answers: Mapping[str, Answer],
    form_version_id: int,
    now: datetime,
) -> None:
    """Replace names and answers, keeping what stood before in the history."""
    before = {
        "family_name": registration.family_name,
        "given_name": registration.given_name,
        "answers": answers_to_json(read_answers(session, registration)),
    }
    registration.family_name = family_name
    registration.given_name = given_name
    registration.form_version_id = form_version_id
    registration.updated_at = now
    registrations.replace_answers(session, registration.id, answer_rows(answers))
    after = {
        "family_name": family_name,
        "given_name": given_name,
        "answers": answers_to_json(answers),
    }
    registrations.add_change(
        session,
        registration.id,
        actor="person",
        action="answers",
        before=before,
        after=after,
        now=now,
    )


def use_submission(
    session: Session, registration: Registration, repeat: SubmissionRow, *, now: datetime
) -> None:
    """Take over what a repeated submission said; its consents are recorded as new evidence."""
    change_answers(
        session,
        registration,
        family_name=repeat.family_name,
        given_name=repeat.given_name,
        answers=answers_from_json(repeat.answers),
        form_version_id=repeat.form_version_id,
        now=now,
    )
    definition = read_definition(session, repeat.form_version_id)
    for consent in read_submission(session, repeat).consents:
        question = definition.get_question(consent.question_id)
        assert question is not None, "a form version keeps its questions"
        record_consent(
            session,
            registration,
            question,
            label=consent.label,
            is_given=consent.is_given,
            submission=repeat,
            now=now,
        )
    repeat.outcome = Outcome.USED


def record_consent(
    session: Session,
    registration: Registration,
    question: Question,
    *,
    label: str,
    is_given: bool,
    submission: SubmissionRow | None = None,
    now: datetime,
) -> None:
    """Add evidence of a consent given or withdrawn; what was there stays."""
    assert question.consent is not None, "only consents are recorded"
    registrations.add_consents(
        session,
        [
            {
                "registration_id": registration.id,
                "submission_id": submission.id if submission else None,
                "form_version_id": registration.form_version_id,
                "question_id": question.id,
                "kind": question.consent,
                "label": label,
                "notice_hash": hash_notice(question),
                "locale": registration.locale,
                "surface": "personal",
                "is_given": is_given,
                "recorded_at": now,
            }
        ],
    )


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

    A wrong address that was new hears nothing more: its links stop working and its seat is given
    back. One that was known keeps what it had; the answer here is the same. The same address typed
    again changes nothing, nor does a receipt that was corrected before.

    Raises:
        ChangeRefused: under `show`, the submission made no registration or its address is proven.
        RegistrationNotOpen: as `register`.
    """
    locked = submissions.lock_submission(session, mistaken.id)
    assert locked is not None
    assert locked.registration_id is not None
    live = get_live_submission(session, locked)
    if live is not locked or email_key == locked.email_key:
        return live
    wrong = registrations.get_registration(session, locked.registration_id)
    assert wrong is not None
    if locked.outcome == Outcome.CREATED and wrong.proven_at is None:
        wrong = _lock(session, event, wrong)
        if wrong.status not in (Status.CANCELLED, Status.DENIED):
            _move(session, event, wrong, Status.CANCELLED, actor="correction", now=now)
        wrong.link_version += 1
    elif policy is LinkPolicy.SHOW:
        raise ChangeRefused
    corrected = replace(
        read_submission(session, locked), email=email, email_key=email_key, nonce=mistaken.number
    )
    row = register(session, event, corrected, policy=policy, now=now)
    locked.corrected_by_id = row.id
    fill_free_seats(session, event, now=now)
    return row


def read_answers(session: Session, registration: Registration) -> dict[str, Answer]:
    return gather_answers(registrations.list_answers(session, registration.id))


def gather_answers(rows: Iterable[AnswerRow]) -> dict[str, Answer]:
    """Put the stored rows of one registration together again."""
    values: dict[str, list[str]] = {}
    other: dict[str, str] = {}
    for row in rows:
        values.setdefault(row.question_id, []).append(row.value)
        if row.other:
            other[row.question_id] = row.other
    return {key: Answer(tuple(found), other.get(key, "")) for key, found in values.items()}


def _lock(session: Session, event: Event, registration: Registration) -> Registration:
    # Everybody who changes a status takes the event's seats first, so nobody waits in a circle.
    events.lock_seats(session, event.id)
    locked = registrations.lock_registration(session, registration.id)
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
    if needs_seat and not events.take_seat(session, event.id, event.capacity):
        raise RegistrationNotOpen(EventState.FULL)
    if before in HOLDS_SEAT and status not in HOLDS_SEAT:
        events.give_back_seat(session, event.id)
    registration.status = status
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
    if Status.APPROVED in (before, status):
        request_sync(session, registration, now=now)


def _tell_status(
    session: Session, registration: Registration, name_if_approved: MailName, now: datetime
) -> None:
    if registration.status == Status.APPROVED:
        request_mail(session, name_if_approved, registration, run_at=now + CONFIRM_WITHIN, now=now)
    elif registration.status == Status.PENDING:
        request_mail(session, MailName.PENDING, registration, now=now)
    else:
        request_mail(session, MailName.WAITLISTED, registration, now=now)
