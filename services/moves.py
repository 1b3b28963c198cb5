"""Moving a registration to another status, with its seat; and up from the waiting list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, registrations
from storage.models import Event, Registration

from .answers import read_answers
from .chosen_dates import are_open, count_places, read_ahead
from .event_dates import has_lost_dates, list_chosen_ids, takes_choice
from .events import EventState, get_end, read_seats
from .happenings import Happening, tell
from .mails import CONFIRM_WITHIN, MailName, request_mail
from .registrations import (
    HOLDS_SEAT,
    MAIL_OF_STATUS,
    ChangeRefused,
    DatesClosed,
    RegistrationNotOpen,
    Status,
    request_sync,
    status_for_new,
)

MOST_MOVED_AT_ONCE = 100


class NothingAhead(ChangeRefused):
    """The event, or in a series each date of somebody's, is past; `says` it to programs."""

    says = "The event, or each date that was chosen, is over or cancelled."


def move(
    session: Session,
    event: Event,
    registration: Registration,
    status: Status,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Give a registration another status, and take or give back its seat.

    The caller holds the lock of the event's seats. Side effects: history, counters, the job that
    has Zoom follow, word to other systems.

    Raises:
        RegistrationNotOpen: no seat is left.
        DatesClosed: no date is ahead of those that were chosen, or one of them is full.
    """
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


def fill_free_seats(
    session: Session, event: Event, *, limit: int | None = None, now: datetime
) -> bool:
    """Move up those who wait while there are seats, in the order in which they came.

    Whoever chose dates of which none is ahead any more is passed over, and keeps their place.
    Returns whether more than `limit` may move up: nobody else can write while hundreds do, so they
    go on in another transaction.
    """
    event = _lock_seats(session, event)
    if not _may_move_up(event, now):
        return False
    left = limit or MOST_MOVED_AT_ONCE
    while left:
        waiting = _list_next(session, event, left, now)
        moved = sum(_move_up(session, event, registration, now) for registration in waiting)
        left -= moved
        if moved in (0, len(waiting)):
            return not left
        # Who moved up took the last place on a date; others wait for other dates.
    return True


def move_first_up(
    session: Session, event: Event, *, refused: Sequence[Collection[str]] = (), now: datetime
) -> Registration | None:
    """Move up the first of those who wait, as `fill_free_seats`; return them.

    Nobody is who wants all dates of somebody `refused`.
    """
    event = _lock_seats(session, event)
    if not _may_move_up(event, now):
        return None
    if not events.get_counter(session, event.id, f"status:{Status.WAITLISTED}"):
        return None
    waiting = _list_next(session, event, 1, now, refused=refused)
    return waiting[0] if waiting and _move_up(session, event, waiting[0], now) else None


def _lock_seats(session: Session, event: Event) -> Event:
    """Lock an event's seats, and return the event as it is from then on.

    Whoever held them, and was waited for, may have given it more seats or another time; who came
    for one of these seats would else go before all who wait.
    """
    events.lock_seats(session, event.id)
    return events.read_anew(session, event.id)


def _may_move_up(event: Event, now: datetime) -> bool:
    # Who waits was promised a seat, so they move up also after the list takes nobody any more.
    is_ahead = event.status != EventState.CANCELLED and now < get_end(event)
    return is_ahead and not has_lost_dates(event)


def _list_next(
    session: Session,
    event: Event,
    most: int,
    now: datetime,
    *,
    refused: Sequence[Collection[str]] = (),
) -> list[Registration]:
    """List the first of those who wait and may have a seat, at most as many as there are seats."""
    seats = read_seats(session, event)
    ahead = read_ahead(session, event, now=now) if takes_choice(event) else None
    return registrations.list_first_waitlisted(
        session,
        event.id,
        dates=ahead.ids if ahead else None,
        full=ahead.full if ahead else (),
        refused=refused,
        limit=most if seats.left is None else min(most, seats.left),
    )


def _move_up(session: Session, event: Event, registration: Registration, now: datetime) -> bool:
    """Give a seat to somebody who waits; False if there is none for them any more."""
    try:
        move(session, event, registration, status_for_new(event), actor="waitlist", now=now)
    except (DatesClosed, RegistrationNotOpen):
        return False
    tell_status(session, registration, MailName.APPROVED, now, may_wait=True)
    return True


def tell_status(
    session: Session,
    registration: Registration,
    name_if_approved: MailName,
    now: datetime,
    *,
    may_wait: bool = False,
    is_by_organizer: bool = False,
) -> None:
    """Ask for the mail that tells a person of the status they have come to."""
    name = MAIL_OF_STATUS[Status(registration.status)]
    if name is MailName.CONFIRMATION:
        name, run_at = name_if_approved, now + CONFIRM_WITHIN
    else:
        run_at = now
    request_mail(
        session,
        name,
        registration,
        run_at=run_at,
        may_wait=may_wait,
        is_by_organizer=is_by_organizer,
        now=now,
    )


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
    chosen = list_chosen_ids(answers)
    if takes and not are_open(session, event, answers, kept=chosen, now=now):
        events.give_back_seat(session, event.id)
        raise DatesClosed
    count_places(session, event, chosen, by=1 if takes else -1)
