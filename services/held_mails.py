"""Asking for a look at what waits for organizers to decide; `held_telling` is that look.

A job of the event does it, as each submission would ask for a mail of its own. Who was sent a mail
with a button waits for an organizer from when its time is over; another job of the event looks
then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_requests

JOB_KIND = "held"
OVER_JOB = "proof_over"
LEFT_JOB = "erasing_left"

BUTTON_LIVES_FOR = timedelta(hours=24)
"""So long the button in a mail lets somebody in without an organizer."""

GATHERED_FOR = timedelta(minutes=1)
"""What comes together is told together."""

LEFT_GATHERED_FOR = timedelta(minutes=5)
"""As many erasings that waited for one thing end one by one, each at the next look at Zoom."""


def request_word(session: Session, event_id: int, *, now: datetime) -> None:
    """Have organizers told of what this transaction keeps aside, unless it was a moment ago."""
    _request_look(session, JOB_KIND, event_id, after=GATHERED_FOR, now=now)


def request_look_when_over(session: Session, event_id: int, *, now: datetime) -> None:
    """Have a look once the time is over of the button that this transaction sends to somebody.

    The look before it comes earlier and asks for this one, so that it keeps its time.
    """
    _request_look(session, OVER_JOB, event_id, after=BUTTON_LIVES_FOR, now=now)


def request_word_of_left(session: Session, event_id: int, *, now: datetime) -> None:
    """Have organizers told of whom nobody could register after an erasing.

    They came long before, so that the look at what is new would not see them.
    """
    _request_look(session, LEFT_JOB, event_id, after=LEFT_GATHERED_FOR, now=now)


def name_job(event_id: int, kind: str = JOB_KIND) -> str:
    return f"{kind}:{event_id}"


def _request_look(
    session: Session, kind: str, event_id: int, *, after: timedelta, now: datetime
) -> None:
    job_requests.ensure(
        session,
        kind=kind,
        key=name_job(event_id, kind),
        payload={"event_id": event_id},
        event_id=event_id,
        run_at=now + after,
        now=now,
    )
