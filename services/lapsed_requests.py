"""What came with the address of somebody who was being erased, and registers nobody in the end.

Its sender was told that it would, or that the organizer looks at it. So they are told if neither
has happened before the event is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_requests, submissions
from storage.models import Event, SubmissionRow

from .events import get_end
from .joining import read_end_state
from .registrations import Outcome
from .submissions import Doubt

JOB_KIND = "lapsed_mail"
LOOKS_EVERY = timedelta(hours=1)
"""So soon it is seen that an event was cancelled, or moved."""


def request_word_if_lapsed(
    session: Session, event: Event, held: SubmissionRow, *, now: datetime
) -> None:
    """Have the sender of a form that is kept aside told once the event is over."""
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{held.id}",
        payload={"submission_id": held.id},
        event_id=event.id,
        run_at=find_next_look(event, now=now) or now,
        now=now,
    )


def find_next_look(event: Event, *, now: datetime) -> datetime | None:
    """Return when to look whether the event is over; None where it is."""
    return None if read_end_state(event, now) else min(get_end(event), now + LOOKS_EVERY)


def is_undecided(session: Session, held: SubmissionRow) -> bool:
    """Tell whether nothing has become of a form: nobody has decided, and nobody is registered."""
    is_held = held.outcome == Outcome.HELD and held.held_for == Doubt.ERASING
    return is_held and held.id not in submissions.list_ids_of_registered(session, [held.id])
