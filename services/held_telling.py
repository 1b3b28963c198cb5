"""Telling organizers by mail that submissions wait for them.

The first one of a day is told, and then an hour later at the earliest what makes twice as many: a
program that goes on all night brings a handful of mails.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storage import events, job_lists, organizer_mails, submissions
from storage.heartbeats import CLOCKS_DIFFER_BY
from storage.models import Event, JobState

from .behind_erasings import Behind, list_due, list_due_ahead
from .events import EventState, get_end
from .held_mails import BUTTON_LIVES_FOR, GATHERED_FOR, name_job, request_word
from .organizer_mails import OrganizerMailName, list_deciding, request_mails_about

EVERY = timedelta(days=1)
SOONEST = timedelta(hours=1)
MANY = 10
"""From so many new ones on the next mail comes sooner, if they are half of all as well."""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def look_who_is_over(session: Session, event_id: int, *, now: datetime) -> datetime | None:
    """Have organizers told of buttons that nobody has pressed; return when to look again."""
    request_word(session, event_id, now=now)
    after = now - BUTTON_LIVES_FOR
    asked_at = submissions.get_next_asked(session, event_id, after=after)
    # While many are asked, those of an hour are told together anyway.
    return max(asked_at + BUTTON_LIVES_FOR, now + SOONEST) if asked_at is not None else None


def list_untold(session: Session, *, now: datetime) -> list[int]:
    """List the events where an erasing holds somebody up of whom organizers should be told.

    Most of the time there is none; who is kept aside otherwise asks for word as they come.
    """
    held_up = list_due_ahead(session, now=now)
    return [
        event_id
        for event_id in sorted(held_up)
        if _is_untold(session, event_id, held_up[event_id], now)
    ]


def _is_untold(session: Session, event_id: int, held_up: Sequence[Behind], now: datetime) -> bool:
    job = job_lists.get_job(session, name_job(event_id))
    event = events.need_event(session, event_id)
    if job is not None and job.state != JobState.DONE or not any(list_deciding(session, event)):
        return False
    since, _ = _read_since(session, event_id, now)
    return _count_waiting(session, event, held_up, since=since, now=now)[1] > 0


def tell_of_left(session: Session, event_id: int, *, now: datetime) -> None:
    """Ask for mails about whom nobody could register after an erasing, whenever they came."""
    event = events.need_event(session, event_id)
    if count_waiting(session, event, now=now)[0]:
        request_mails_about(session, OrganizerMailName.HELD, event, now=now)


def tell(session: Session, event_id: int, *, now: datetime) -> datetime | None:
    """Ask for mails if it is time; return when to look again, where something is untold."""
    event = events.need_event(session, event_id)
    since, told_at = _read_since(session, event_id, now)
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
    held_up = list_due(session, event_id=event.id, now=now)
    return _count_waiting(session, event, held_up, since=since, now=now)


def _count_waiting(
    session: Session, event: Event, held_up: Sequence[Behind], *, since: datetime, now: datetime
) -> tuple[int, int]:
    if event.status == EventState.CANCELLED or now >= get_end(event):
        return 0, 0
    waiting, new = submissions.count_undecided(
        session, event.id, since=since, patience=BUTTON_LIVES_FOR, now=now
    )
    return waiting + len(held_up), new + sum(one.due_at >= since for one in held_up)


def _read_since(session: Session, event_id: int, now: datetime) -> tuple[datetime, datetime | None]:
    """Return from when on all is untold, and when it was last told."""
    told_at = organizer_mails.get_last_told(
        session, OrganizerMailName.HELD, event_id=event_id, until=now + CLOCKS_DIFFER_BY
    )
    # Of that minute some may have been stored after the mails were asked for.
    return (told_at - GATHERED_FOR if told_at else _NEVER), told_at
