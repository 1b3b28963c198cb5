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


def request_word_of_left(session: Session, event_id: int, *, now: datetime) -> None:
    """Have organizers told of whom nobody could register after an erasing.

    They came long before, so that the look at what is new would not see them.
    """
    job_requests.ensure(
        session,
        kind=LEFT_JOB,
        key=f"{LEFT_JOB}:{event_id}",
        payload={"event_id": event_id},
        event_id=event_id,
        run_at=now + LEFT_GATHERED_FOR,
        now=now,
    )


def name_job(event_id: int) -> str:
    return f"{JOB_KIND}:{event_id}"
