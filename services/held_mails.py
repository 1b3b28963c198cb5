"""Telling organizers by mail that submissions wait for them to decide.

A job of the event does it, as each submission would ask for a mail of its own. The first one of a
day is told, and then an hour later at the earliest what makes twice as many: a program that goes
on all night brings a handful of mails. Who was sent a mail with a button waits for an organizer
from when its time is over; another job of the event looks then.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, job_requests, organizer_mails, submissions
from storage.heartbeats import CLOCKS_DIFFER_BY
from storage.models import Event

from .events import EventState, get_end
from .organizer_mails import OrganizerMailName, request_mails_about

JOB_KIND = "held"
OVER_JOB = "proof_over"

BUTTON_LIVES_FOR = timedelta(hours=24)
"""So long the button in a mail lets somebody in without an organizer."""

GATHERED_FOR = timedelta(minutes=1)
"""What comes together is told together."""

EVERY = timedelta(days=1)
SOONEST = timedelta(hours=1)
MANY = 10
"""From so many new ones on the next mail comes sooner, if they are half of all as well."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def request_word(session: Session, event_id: int, *, now: datetime) -> None:
    """Have organizers told of what this transaction keeps aside, unless it was a moment ago."""
    job_requests.ensure(
        session,
        kind=JOB_KIND,
        key=name_job(event_id),
        payload={"event_id": event_id},
        event_id=event_id,
        run_at=now + GATHERED_FOR,
        now=now,
    )


def request_look_when_over(session: Session, event_id: int, *, now: datetime) -> None:
    """Have a look once the time is over of the button that this transaction sends to somebody.

    The look before it comes earlier and asks for this one, so that it keeps its time.
    """
    job_requests.ensure(
        session,
        kind=OVER_JOB,
        key=f"{OVER_JOB}:{event_id}",
        payload={"event_id": event_id},
        event_id=event_id,
        run_at=now + BUTTON_LIVES_FOR,
        now=now,
    )


def look_who_is_over(session: Session, event_id: int, *, now: datetime) -> datetime | None:
    """Have organizers told of buttons that nobody has pressed; return when to look again."""
    request_word(session, event_id, now=now)
    after = now - BUTTON_LIVES_FOR
    asked_at = submissions.get_next_asked(session, event_id, after=after)
    # While many are asked, those of an hour are told together anyway.
    return max(asked_at + BUTTON_LIVES_FOR, now + SOONEST) if asked_at is not None else None


def name_job(event_id: int) -> str:
    return f"{JOB_KIND}:{event_id}"


def tell(session: Session, event_id: int, *, now: datetime) -> datetime | None:
    """Ask for mails if it is time; return when to look again, where something is untold."""
    event = events.need_event(session, event_id)
    told_at = organizer_mails.get_last_told(
        session, OrganizerMailName.HELD, event_id=event_id, until=now + CLOCKS_DIFFER_BY
    )
    # Of that minute some may have been stored after the mails were asked for.
    since = told_at - GATHERED_FOR if told_at else _NEVER
    waiting, new = count_waiting(session, event, since=since, now=now)
    if not new:
        return None
    if told_at is not None:
        is_much = new >= max(MANY, waiting - new)
        tell_at = told_at + (SOONEST if is_much else EVERY)
        if now < tell_at:
            return min(tell_at, now + SOONEST)
    request_mails_about(session, OrganizerMailName.HELD, event, now=now)
    return None


def count_waiting(
    session: Session, event: Event, *, since: datetime = _NEVER, now: datetime
) -> tuple[int, int]:
    """Count what waits for an organizer, and how much of it came since; nothing once it is over."""
    if event.status == EventState.CANCELLED or now >= get_end(event):
        return 0, 0
    return submissions.count_undecided(
        session, event.id, since=since, patience=BUTTON_LIVES_FOR, now=now
    )
