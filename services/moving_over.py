"""Moving everybody of an event to a meeting that takes the place of one that Zoom has lost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_requests, known_registrants, registration_lists, zoom_registrants
from storage.models import Event
from zoom_client import Meeting

from .event_editing import ChangedMeanwhile


def move_over(
    session: Session, event: Event, meeting: Meeting, *, former_id: int, now: datetime
) -> None:
    """Have an event lead to another meeting, at which everybody is registered anew.

    The links that people have stay: they lead on to Zoom's new ones as soon as there are any, and
    Zoom's former ones are forgotten. The caller holds the event's row.

    Raises:
        ChangedMeanwhile: it leads to another one than `former_id` already.

    Side effects: the seats' lock and everybody's, the jobs that register them.
    """
    if event.zoom_id != former_id:
        raise ChangedMeanwhile(f"{event.slug} leads to another meeting already.")
    event.zoom_id, event.host_email = meeting.id, meeting.host_email or event.host_email
    event.zoom_titles, event.closed_by_zoom, event.full_dates = [], "", None
    known_registrants.replace_hashes(session, event.id, [])
    event.known_read_at = event.known_read_at and now
    events.raise_version(session, event)
    event.updated_at = now
    events.lock_seats(session, event.id)  # before people, as whoever changes one of them does
    registration_lists.lock_people(session, event.id)
    # By few statements, however many people there are: who registers waits until this ends.
    session.flush()
    coming = zoom_registrants.start_anew(session, event.id, now=now)
    job_requests.enqueue_about_each(
        session, job_requests.ZOOM_SYNC, coming, event_id=event.id, run_at=now, now=now
    )
