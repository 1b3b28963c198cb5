"""What came with the address of somebody who was being erased, and registers nobody in the end.

Its sender was told that it would, or that the organizer looks at it. So they are told if neither
has happened before the event is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_lists, job_requests, registrations, submissions
from storage.models import Event, SubmissionRow

from .events import get_end
from .joining import read_end_state
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
        key=_make_key(held),
        payload={"submission_id": held.id},
        event_id=event.id,
        run_at=find_next_look(event, now=now) or now,
        now=now,
    )


def find_next_look(event: Event, *, now: datetime) -> datetime | None:
    """Return when to look whether the event is over; None where it is."""
    return None if read_end_state(event, now) else min(get_end(event), now + LOOKS_EVERY)


def find_undecided(session: Session, sent: SubmissionRow) -> SubmissionRow | None:
    """Find the form that the job about `sent` has to mail of, if nothing has become of it.

    It is the last one with that address about which nobody has decided, as only one has a job where
    several came; None where that has a job of its own, or somebody was registered since, who hears
    of all that became of it.
    """
    event_id, key = sent.event_id, sent.email_key
    found = submissions.list_held(session, event_id, reasons=[Doubt.ERASING], email_key=key)
    if not found or registrations.get_registration_by_email_key(session, event_id, key):
        return None
    last = found[-1]
    has_own = last.id != sent.id and job_lists.get_job(session, _make_key(last))
    return None if has_own else last


def _make_key(held: SubmissionRow) -> str:
    return f"{JOB_KIND}:{held.id}"
