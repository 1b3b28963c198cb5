"""Registering people for whom an organizer speaks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import registrations
from storage.models import Event, Registration

from .erasing_waits import find_wait
from .events import LinkPolicy
from .registrations import ORGANIZER, Outcome, RegistrationError, Status, register
from .reinstating import is_kept
from .submissions import Submission

ADDED = "added"
"""The action of the first entry in the history of somebody who was entered by hand."""


class KnownAs(StrEnum):
    """How an address is known that is entered once more, so far as it leads elsewhere."""

    STANDING = ""
    CANCELLED = "was_cancelled"
    DENIED = "was_denied"
    ERASING = "being_erased"
    CORRECTED = "corrected"


class AlreadyRegistered(RegistrationError):
    """The address is known at the event; `public_id` is of who has it."""

    def __init__(self, public_id: str, known_as: KnownAs) -> None:
        super().__init__(public_id)
        self.public_id = public_id
        self.known_as = known_as


def add_by_hand(
    session: Session,
    event: Event,
    submission: Submission,
    *,
    basis: str,
    policy: LinkPolicy,
    now: datetime,
) -> Registration:
    """Register somebody as if they had sent the form, but for the boxes: nobody has ticked any.

    Side effects: as `register`, and an entry in the history with the basis of their consent.

    Raises:
        AlreadyRegistered: and nothing is to be kept: the caller lets the transaction end by it.
        RegistrationNotOpen: as `register`.
    """
    assert not submission.consents, "nobody consents for somebody else"
    known = registrations.get_registration_by_email_key(session, event.id, submission.email_key)
    if known is not None:
        raise AlreadyRegistered(known.public_id, _tell_how(session, known))
    # None of the mailbox's mails counts, as no stranger causes this one.
    row = register(session, event, submission, policy=policy, mailed=0, now=now)
    assert row.registration_id is not None, "nobody holds back what an organizer enters"
    added = registrations.get_registration(session, row.registration_id)
    assert added is not None, "registrations are not deleted"
    if row.outcome != Outcome.CREATED:
        raise AlreadyRegistered(added.public_id, _tell_how(session, added))
    after = {"basis": basis}
    registrations.add_change(
        session, added.id, actor=ORGANIZER, action=ADDED, before={}, after=after, now=now
    )
    return added


def _tell_how(session: Session, known: Registration) -> KnownAs:
    if known.status == Status.DENIED:
        return KnownAs.DENIED
    if known.status != Status.CANCELLED:
        return KnownAs.STANDING
    if is_kept(session, known):
        return KnownAs.CANCELLED
    return KnownAs.ERASING if find_wait(session, known) else KnownAs.CORRECTED
