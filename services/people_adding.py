"""Registering people for whom an organizer speaks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import registrations
from storage.models import Event, Registration

from .events import LinkPolicy
from .registrations import ORGANIZER, Outcome, RegistrationError, register
from .submissions import Submission

ADDED = "added"
"""The action of the first entry in the history of somebody who was entered by hand."""


class AlreadyRegistered(RegistrationError):
    """The address is registered at the event."""


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
        raise AlreadyRegistered
    # None of the mailbox's mails counts, as no stranger causes this one.
    row = register(session, event, submission, policy=policy, mailed=0, now=now)
    if row.outcome != Outcome.CREATED or row.registration_id is None:
        raise AlreadyRegistered
    after = {"basis": basis}
    registrations.add_change(
        session, row.registration_id, actor=ORGANIZER, action=ADDED, before={}, after=after, now=now
    )
    added = registrations.get_registration(session, row.registration_id)
    assert added is not None, "it was made just now"
    return added
