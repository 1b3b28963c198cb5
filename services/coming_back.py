"""Whether somebody who cancels could register again by themselves, as the pages and mails say."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage.events import AnyEvent
from storage.models import Registration

from .chosen_dates import read_ahead, read_chosen
from .event_dates import takes_choice
from .events import EventState, get_state, read_seats
from .registration_changes import may_return


class WayBack(StrEnum):
    """What somebody finds who has cancelled.

    `free` are places for everybody who comes; where they are all `taken` theirs goes to whoever
    waits or is faster; while the event takes nobody it is `closed`.
    """

    FREE = "free"
    TAKEN = "taken"
    CLOSED = "closed"


def read_way_back(
    session: Session, event: AnyEvent, registration: Registration, *, now: datetime
) -> WayBack:
    """Read what a person would find after cancelling now."""
    seats = read_seats(session, event)
    state = get_state(event, seats, now)
    if state not in (EventState.OPEN, EventState.FULL):
        return WayBack.CLOSED
    if seats.are_all_taken:
        return WayBack.TAKEN
    if takes_choice(event):
        full = read_ahead(session, event, now=now).full
        if full.intersection(read_chosen(session, registration)):
            return WayBack.TAKEN
    return WayBack.FREE


def can_come_back(
    session: Session, event: AnyEvent, registration: Registration, *, now: datetime
) -> bool:
    """Tell whether a cancelled person may register again now, if only to wait for a place."""
    return may_return(session, registration, now=now) and takes_people(session, event, now=now)


def takes_people(session: Session, event: AnyEvent, *, now: datetime) -> bool:
    """Tell whether somebody who registers now gets a place, or may wait for one."""
    return get_state(event, read_seats(session, event), now) is EventState.OPEN
