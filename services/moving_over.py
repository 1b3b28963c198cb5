"""Moving everybody of an event to a meeting that takes the place of one that Zoom has lost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, known_registrants, registration_lists
from storage.models import Event, Registration
from zoom_client import Meeting

from .deliveries import forget
from .event_editing import ChangedMeanwhile
from .registrations import Status, request_sync


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
    coming: list[Registration] = []
    for registration, registrant in registration_lists.lock_registrants(session, event.id):
        if registrant is None:
            continue
        is_coming = registration.status == Status.APPROVED
        forget(registrant, is_wanted=is_coming, now=now)
        if is_coming:
            coming.append(registration)
    session.flush()  # of all at once: who registers waits until this ends
    for registration in coming:
        request_sync(session, registration, now=now)
