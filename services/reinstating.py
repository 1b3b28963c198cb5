"""Bringing back who has cancelled, or was cancelled, by the organizer's hand.

It is for one person at a time, as most who have cancelled meant it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, registrations
from storage.models import Event, Registration

from .chosen_dates import has_date_ahead
from .erasing import is_erased
from .erasing_waits import find_wait
from .joining import read_end_state
from .mails import MailName
from .moves import NothingAhead, move, tell_status
from .registrations import ChangeRefused, RegistrationNotOpen, Status


class NothingKept(ChangeRefused):
    """Of somebody nothing is there any more to register them with; `says` it to programs."""

    says = "What the person had registered with is erased, or about to be."


def can_be_reinstated(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> bool:
    """Tell whether somebody is cancelled and could be brought back, if only to wait for a place."""
    if registration.status != Status.CANCELLED or not is_kept(session, registration):
        return False
    return not _is_past(session, event, registration, now)


def is_kept(session: Session, registration: Registration) -> bool:
    """Tell whether it is known who a cancelled registration was, and stays so.

    Of an address that was corrected nothing else is kept.
    """
    has_name = bool(registration.family_name or registration.given_name)
    return has_name and not is_erased(registration) and find_wait(session, registration) is None


def reinstate(
    session: Session, event: Event, registration: Registration, *, actor: str, now: datetime
) -> None:
    """Give a cancelled person a place as it was, or where none is left one on the waiting list.

    As with an approval, the form may be closed, and nobody else has to approve. Who is not
    cancelled stays as they are. Side effects: history, counters, the job that has Zoom follow, a
    mail.

    Raises:
        NothingKept: nobody is left to bring back.
        NothingAhead: there is nothing to come back to.
        RegistrationNotOpen: no place is left, and nobody may wait.
    """
    # In the order in which everybody takes them; whoever erases the person holds both.
    events.lock_seats(session, event.id)
    locked = registrations.lock_registration(session, registration.id)
    assert locked is not None, "registrations are not deleted while they are shown"
    if locked.status != Status.CANCELLED:
        return
    if not is_kept(session, locked):
        raise NothingKept
    if _is_past(session, event, locked, now):
        raise NothingAhead
    try:
        move(session, event, locked, Status.APPROVED, actor=actor, now=now)
    except RegistrationNotOpen:
        if not event.has_waitlist:
            raise
        move(session, event, locked, Status.WAITLISTED, actor=actor, now=now)
    tell_status(session, locked, MailName.APPROVED, now, is_by_organizer=True)


def _is_past(session: Session, event: Event, registration: Registration, now: datetime) -> bool:
    is_over = read_end_state(event, now) is not None
    return is_over or not has_date_ahead(session, event, registration, now=now)
