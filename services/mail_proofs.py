"""The way that needs no script: a mail whose button says that somebody reads it.

What was sent is kept aside meanwhile; the organizer sees it too, and can decide without the mail.
Whether the address is known is not looked at before the button is pressed, so nothing tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from storage import job_requests, registrations, submissions
from storage.events import AnyEvent, EventHead
from storage.limits import Bucket, spend
from storage.models import Event, SubmissionRow

from . import limits
from .addresses import fold_tag
from .chosen_dates import are_open
from .event_dates import get_chosen, takes_choice
from .events import EventState, LinkPolicy, count_seats, get_end, get_state
from .held_mails import BUTTON_LIVES_FOR, request_look_when_over, request_word
from .joining import prove_address
from .keys import KeyRing
from .limits import Limit, RateLimitReached
from .questions import Answer, answers_from_json
from .registrations import Outcome, hold, release
from .submissions import Doubt, Submission

JOB_KIND = "proof_mail"

DATES_SHUT = "dates"
"""Said in place of the event's state where it takes people, but a date that they chose does not."""

_ASKED = (Doubt.MAIL_PROOF, Doubt.MAIL_FAILED)

NETWORK_BURST = 30
NETWORK_INTERVAL_SECONDS = 60.0
ADDRESS_BURST = 3
ADDRESS_INTERVAL_SECONDS = 8 * 3600.0


class ProofOver(Exception):
    """The link is too old, or somebody has decided meanwhile, or has meant another address."""


def ask_by_mail(
    session: Session,
    keys: KeyRing,
    remote_addr: str | None,
    *,
    event: AnyEvent,
    submission: Submission,
    is_limited: bool,
    now: datetime,
) -> SubmissionRow:
    """Keep a submission aside and have its sender asked by mail; the same POST asks once.

    An address that had enough such mails gets none, and the organizer alone decides; so with what
    filled the trap. Side effects: the submission's row, and jobs.

    Raises:
        RateLimitReached: the network asks for too many mails; nothing is stored.
    """
    earlier = submissions.get_submission_by_nonce(
        session, event.id, submission.nonce, submission.digest
    )
    if earlier is not None:
        return earlier
    network = limits.hash_name(keys, "network", limits.name_network(remote_addr or ""))
    asking = Bucket(f"proof-mail:network:{network}", NETWORK_INTERVAL_SECONDS, NETWORK_BURST)
    if is_limited and not spend(session, asking, now=now.timestamp()):
        raise RateLimitReached(int(5 * NETWORK_INTERVAL_SECONDS), Limit.MAILS)
    if submission.is_suspicious:
        return hold(session, event, submission, Doubt.TRAP, now=now)
    mailbox = limits.hash_name(keys, "address", fold_tag(submission.email_key))
    asked = Bucket(f"proof-mail:address:{mailbox}", ADDRESS_INTERVAL_SECONDS, ADDRESS_BURST)
    if not spend(session, asked, now=now.timestamp()):
        return hold(session, event, submission, Doubt.NO_MAIL, now=now)
    row = hold(session, event, submission, Doubt.MAIL_PROOF, now=now)
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{row.id}",
        payload={"submission_id": row.id},
        event_id=event.id,
        run_at=now,
        now=now,
    )
    request_look_when_over(session, event.id, now=now)
    return row


def waits_for_button(submission: SubmissionRow, *, now: datetime) -> bool:
    """Tell whether the button's time is not over, whatever `find_obstacle` has against it."""
    is_asked = submission.outcome == Outcome.HELD and submission.held_for in _ASKED
    return is_asked and now < submission.created_at + BUTTON_LIVES_FOR


def note_mail(session: Session, submission_id: int, *, was_sent: bool, now: datetime) -> None:
    """Note whether the mail went, for the organizer and the receipt; it may go when tried again."""
    row = submissions.lock_submission(session, submission_id)
    if row is not None and row.outcome == Outcome.HELD and row.held_for in _ASKED:
        row.held_for = Doubt.MAIL_PROOF if was_sent else Doubt.MAIL_FAILED
        session.flush()
        if not was_sent:
            request_word(session, row.event_id, now=now)


def find_last_moment(
    event: AnyEvent, answers: Mapping[str, Answer], *, sent_at: datetime
) -> datetime:
    """Return until when the button can do something about a form that was sent then.

    The closing time is none, as what was sent in time is in time.
    """
    chosen = get_chosen(event, answers) if takes_choice(event) else ()
    ends = [date.ends_at for date in chosen if not date.is_gone]
    return min(sent_at + BUTTON_LIVES_FOR, get_end(event), *ends)


def find_obstacle(
    session: Session, event: EventHead, submission: SubmissionRow, *, now: datetime
) -> str:
    """Say why a press on the button would not register anybody now, if so.

    It is a state of the event, or `dates` where one that was chosen takes nobody.
    """
    seats = count_seats(event, event.seats_taken)
    state = get_state(event, seats, now, sent_at=submission.created_at)
    if state is not EventState.OPEN:
        return state
    answers = answers_from_json(submission.answers)
    is_shut = takes_choice(event) and not are_open(session, event, answers, now=now)
    return DATES_SHUT if is_shut else ""


def confirm(
    session: Session, event: Event, asked: SubmissionRow, *, policy: LinkPolicy, now: datetime
) -> None:
    """Register who has pressed the mail's button, unless they are; the address is theirs.

    Raises:
        ProofOver: there is nothing to decide any more, or the sender has meant another address.
        RegistrationNotOpen: as `register`; the submission stays as it is.
        NotHeld: somebody has decided at the same moment.
    """
    if asked.registration_id is None:
        if not waits_for_button(asked, now=now):
            raise ProofOver
        release(session, event, asked, policy=policy, now=now)
        assert asked.registration_id is not None, "it was released"
    registration = registrations.lock_registration(session, asked.registration_id)
    locked = submissions.lock_submission(session, asked.id)
    assert registration is not None and locked is not None, "one row names the other"
    if locked.corrected_by_id is not None:
        raise ProofOver
    prove_address(registration, now=now)
