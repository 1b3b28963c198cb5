"""What happens to a registration that other systems may be told of.

The word of it is stored in the transaction of what happens, so that it is neither lost nor told of
what was undone. An event with nobody to be told says so in its own row, and costs nothing.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from storage import job_requests, webhooks
from storage.events import AnyEvent
from storage.models import Registration


class Happening(StrEnum):
    """The types of messages, as other systems read them.

    *Created* is somebody who registers, for the first time or again after having cancelled, in
    whatever status that begins. *Approved* follows where there was a decision or a place came up.
    *Confirmed* is when Zoom has the person. *Joined* is a press of our own join button. *Attended*
    is said once, when Zoom's record of a date shows the person for the first time.
    """

    CREATED = "registration.created"
    APPROVED = "registration.approved"
    CONFIRMED = "registration.confirmed"
    DENIED = "registration.denied"
    CANCELLED = "registration.cancelled"
    JOINED = "registration.joined"
    ATTENDED = "registration.attended"
    ERASED = "registration.erased"


def make_message(
    event: AnyEvent, public_id: str, status: str, *, now: datetime
) -> dict[str, Any] | None:
    """Describe somebody new for endpoints, as `storage.newcomers` takes it; None without any."""
    if not event.has_webhooks:
        return None
    return webhooks.make_happening(
        Happening.CREATED, event.id, person=public_id, status=status, now=now
    )


def tell(
    session: Session,
    event: AnyEvent,
    registration: Registration,
    happening: Happening,
    *,
    now: datetime,
) -> None:
    """Queue word of a happening for every endpoint that wants it, after the registration changed.

    The caller holds the registration's lock, so that what happens to it is told in order.

    Side effects: a row for each endpoint that wants to know.
    """
    if not event.has_webhooks:
        return
    said = webhooks.make_happening(
        happening, event.id, person=registration.public_id, status=registration.status, now=now
    )
    if webhooks.add_messages(session, said, registration.id):
        job_requests.wake_workers(session)
