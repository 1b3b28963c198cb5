"""Changing a registration afterwards: by the person or the organizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, registrations, submissions
from storage.models import Event, Registration, RegistrationChange, SubmissionRow

from .answers import erase_answers, read_answers
from .chosen_dates import has_date_ahead, read_people_dates
from .consents import hand_on_consents, keep_consents_of_newcomer
from .erasing_waits import find_wait
from .event_dates import list_chosen_ids, takes_choice
from .events import EventState, LinkPolicy, get_state, read_seats
from .handed_places import find_place, keep_dates, wait_for_place
from .joining import prove_address
from .mails import MailName, request_mail
from .moves import NothingAhead, fill_free_seats, move, tell_status
from .pending_mails import tell_of_another
from .questions import DATES, Answer
from .receipts import MAX_CORRECTIONS, get_live_submission, owns_registration
from .registration_edits import edit_details, settle_repeat, use_submission
from .registrations import (
    ORGANIZER,
    ChangeRefused,
    Outcome,
    RegistrationNotOpen,
    Status,
    register,
    status_for_new,
)
from .submissions import Submission, keep_as_said, read_submission

MAX_RETURNS_A_DAY = 3


@dataclass(frozen=True)
class Details:
    """What somebody who comes back says of themselves, to a form that asks for its dates anew.

    `repeat` is what they had sent again, with which the form was filled in for its owner.
    """

    family_name: str
    given_name: str
    answers: Mapping[str, Answer]
    form_version_id: int
    repeat: SubmissionRow | None = None


def prove_first(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> None:
    """Note that an address is proven before what its owner does is told by mail.

    Side effects: the locks of the change that follows.
    """
    prove_address(_lock(session, event, registration.id), now=now)


def cancel(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Cancel a registration; its seat goes to the first who waits.

    Side effects: history, counters, the job that cancels at Zoom, a mail.
    """
    registration = _lock(session, event, registration.id)
    if registration.status in (Status.CANCELLED, Status.DENIED):
        return
    move(session, event, registration, Status.CANCELLED, actor=actor, now=now)
    request_mail(
        session,
        MailName.CANCELLED,
        registration,
        may_wait=True,
        is_by_organizer=actor == ORGANIZER,
        now=now,
    )
    fill_free_seats(session, event, now=now)


def end_for_good(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> Registration:
    """End a registration and its links, and tell nobody; return it, locked."""
    registration = _lock(session, event, registration.id)
    if registration.status != Status.CANCELLED:
        move(session, event, registration, Status.CANCELLED, actor=actor, now=now)
    registration.link_version += 1
    fill_free_seats(session, event, now=now)
    return registration


def register_again(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    details: Details | None = None,
    now: datetime,
) -> None:
    """Bring a cancelled registration back, as a new one would come in; one that is back stays.

    It is as it was, unless other `details` are given.

    Raises:
        ChangeRefused: it was denied, the organizer cancelled it, it is to be erased, it came back
            often, or no date is ahead that was chosen.
        ChangedOften: the details were changed often enough in a day.
        RegistrationNotOpen: the event takes nobody now.
        DatesClosed: a chosen date that is ahead takes nobody now.
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
    if details is not None:
        _change_details(session, event, registration, details, now)
    if not has_date_ahead(session, event, registration, now=now):
        raise ChangeRefused
    try:
        move(session, event, registration, status_for_new(event), actor="person", now=now)
    except RegistrationNotOpen:
        if not event.has_waitlist:
            raise
        move(session, event, registration, Status.WAITLISTED, actor="person", now=now)
    tell_status(session, registration, MailName.CONFIRMATION, now, may_wait=True)


def may_return(session: Session, registration: Registration, *, now: datetime) -> bool:
    """Tell whether a cancelled person may come back by themselves.

    Not against a decision of the organizer's, nor who is still to be erased, nor too often: Zoom
    allows ten changes of status a day.
    """
    if registration.status != Status.CANCELLED or find_wait(session, registration) is not None:
        return False
    changes = _list_status_changes(session, registration)
    since = now - timedelta(days=1)
    returns = [c for c in changes if c.before["status"] == "cancelled" and c.changed_at > since]
    return not is_by_organizer(session, registration) and len(returns) < MAX_RETURNS_A_DAY


def is_by_organizer(session: Session, registration: Registration) -> bool:
    """Tell whether the organizer decided the state that a registration is in."""
    changes = _list_status_changes(session, registration)
    return bool(changes) and changes[-1].actor == ORGANIZER


def had_link(session: Session, registration: Registration) -> bool:
    """Tell whether somebody has, or ever had, a join link and an entry in their calendar."""
    states = [change.before["status"] for change in _list_status_changes(session, registration)]
    return Status.APPROVED in (registration.status, *states)


def approve(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Approve a person who was pending, waitlisted or denied.

    Raises:
        ChangeRefused: the person has cancelled.
        NothingAhead: in a series, none of their dates is ahead any more.
        RegistrationNotOpen: no seat is left.
    """
    registration = _lock(session, event, registration.id)
    if registration.status == Status.APPROVED:
        return
    if registration.status == Status.CANCELLED:
        raise ChangeRefused
    if not has_date_ahead(session, event, registration, now=now):
        raise NothingAhead
    move(session, event, registration, Status.APPROVED, actor=actor, now=now)
    tell_status(session, registration, MailName.APPROVED, now)


def deny(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Deny a person, and take back at Zoom what was given before."""
    registration = _lock(session, event, registration.id)
    if registration.status in (Status.DENIED, Status.CANCELLED):
        return
    move(session, event, registration, Status.DENIED, actor=actor, now=now)
    request_mail(session, MailName.DENIED, registration, now=now)
    fill_free_seats(session, event, now=now)


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

    A wrong address that was new gets no more mail: its links stop working, and its seat is the
    right one's however full the event is, or its place on the waiting list; so is all that was
    changed or said since. One that was known, or was typed by others since, keeps what it had; the
    answer here is the same. Typing the same address again changes nothing, nor does correcting a
    receipt twice. Of the dates that were chosen, those that are over meanwhile are in nobody's way,
    nor is under `show` the closing time.

    Raises:
        ChangeRefused: under `show`, the submission made no registration or its address is
            proven; or it was corrected often enough. RegistrationNotOpen: as `register`.
        DatesClosed: no chosen date is ahead, or one that is takes nobody now.
    """
    assert mistaken.registration_id is not None, "a held submission is not corrected"
    wrong = _lock(session, event, mistaken.registration_id)
    locked = submissions.lock_submission(session, mistaken.id)
    assert locked is not None
    live = get_live_submission(session, locked)
    if live is not locked or email_key == locked.email_key:
        return live
    earlier = submissions.list_corrections_before(session, locked)
    if len(earlier) >= MAX_CORRECTIONS:
        raise ChangeRefused
    sent = read_submission(locked)
    corrected = replace(sent, email=email, email_key=email_key, nonce=mistaken.number)
    at = _choose_sent_at([locked.created_at, *earlier], policy)
    if owns_registration(session, locked, wrong):
        locked.outcome = Outcome.SUPERSEDED
        row = _replace_wrong(session, event, wrong, corrected, policy=policy, sent_at=at, now=now)
    elif policy is LinkPolicy.SHOW:
        raise ChangeRefused
    else:
        dates = list_chosen_ids(corrected.answers)
        row = register(session, event, corrected, policy=policy, kept=dates, sent_at=at, now=now)
    locked.corrected_by_id = row.id
    fill_free_seats(session, event, now=now)
    return row


def _choose_sent_at(times: Sequence[datetime], policy: LinkPolicy) -> datetime | None:
    """Return when a form was first sent, the last of `times`; None for now."""
    # Where nothing may tell who is known, the place that somebody has opens no closed form.
    return times[-1] if policy is LinkPolicy.SHOW else None


def _replace_wrong(
    session: Session,
    event: Event,
    wrong: Registration,
    corrected: Submission,
    *,
    policy: LinkPolicy,
    sent_at: datetime | None,
    now: datetime,
) -> SubmissionRow:
    """End a wrong address, and register the right one with what it leaves."""
    # What was changed since, by whomever; the boxes come with what is recorded of them.
    present = replace(
        corrected,
        family_name=wrong.family_name,
        given_name=wrong.given_name,
        answers=read_answers(session, wrong),
        consents=(),
        form_version_id=wrong.form_version_id,
    )
    queued_at, was_approved = wrong.queued_at, wrong.status == Status.APPROVED
    place = find_place(session, event, wrong, policy=policy, now=now)
    _end_wrong(session, event, wrong, now=now)
    row = register(
        session,
        event,
        present,
        policy=policy,
        kept=list_chosen_ids(present.answers),
        place=place,
        sent_at=sent_at,
        now=now,
    )
    person = row.registration if row.outcome == Outcome.CREATED else None
    is_shown = person is not None and policy is LinkPolicy.SHOW
    # Else a receipt says what its sender has sent, and so does what somebody is told who is known:
    # nothing that an organizer has put in.
    says = replace(present, consents=corrected.consents) if is_shown else corrected
    keep_as_said(row, says)
    if person is not None:
        hand_on_consents(session, wrong, row)
        if person.status == Status.WAITLISTED:
            person.queued_at = queued_at or person.queued_at
        if was_approved and person.status == Status.PENDING:
            tell_of_another(session, event, now=now)
        keep_dates(session, wrong, person)
        wait_for_place(session, wrong, person, now=now)
    return row


def _end_wrong(session: Session, event: Event, wrong: Registration, *, now: datetime) -> None:
    if wrong.status not in (Status.CANCELLED, Status.DENIED):
        move(session, event, wrong, Status.CANCELLED, actor="correction", now=now)
    wrong.link_version += 1
    erase_answers(session, wrong, now=now)


def _change_details(
    session: Session, event: Event, registration: Registration, details: Details, now: datetime
) -> None:
    answers = details.answers
    if takes_choice(event):
        came = _list_dates_before_leaving(session, event, registration)
        chosen = [date for date in list_chosen_ids(answers) if date not in came]
        answers = {**answers, DATES: Answer((*came, *chosen))}
    if details.repeat is not None:
        settle_repeat(session, registration, details.repeat, now=now)
    edit_details(
        session,
        event,
        registration,
        family_name=details.family_name,
        given_name=details.given_name,
        answers=answers,
        form_version_id=details.form_version_id,
        now=now,
    )


def _list_dates_before_leaving(
    session: Session, event: Event, registration: Registration
) -> list[str]:
    """List the dates that were over when somebody cancelled: whether they came is kept of them."""
    changes = _list_status_changes(session, registration)
    dates = read_people_dates(session, event, registration) if changes else ()
    return [d.id for d in dates if not d.is_gone and d.ends_at <= changes[-1].changed_at]


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
