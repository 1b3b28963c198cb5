"""Saying in a mail where somebody stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from services.chosen_dates import has_date_ahead
from services.event_dates import EventDate, list_ahead, takes_choice
from services.joining import read_end_state
from services.registration_changes import is_by_organizer
from services.registrations import Status
from storage.models import Event, Registration

# All still lazy: their language is that of the mail, which is set when it is drawn.
_STANDINGS: Mapping[str, str] = {
    Status.APPROVED: lazy_gettext("You are registered, and your place is kept."),
    Status.PENDING: lazy_gettext(
        "Your request is waiting for approval. You will get your join link by email once the "
        "organizer approves."
    ),
    Status.WAITLISTED: lazy_gettext(
        "You are on the waiting list. If a seat becomes free, we will email you."
    ),
    Status.DENIED: lazy_gettext("We are sorry: you cannot take part this time."),
    Status.CANCELLED: lazy_gettext("Your registration was cancelled."),
    "by_organizer": lazy_gettext(
        "The organizer has cancelled your registration. If you would like to take part after all, "
        "please ask the organizer."
    ),
}
_WITHOUT_DATE: Mapping[str, str] = {
    Status.APPROVED: lazy_gettext(
        "The dates that you chose are over or cancelled. If others have places left, change your "
        "registration to choose them."
    ),
    Status.PENDING: lazy_gettext(
        "The dates that you chose are over or cancelled. If you choose other dates, your request "
        "goes on waiting for approval."
    ),
    Status.WAITLISTED: lazy_gettext(
        "The dates that you chose are over or cancelled. If you choose other dates, you keep your "
        "place on the waiting list."
    ),
    "cancelled": lazy_gettext(
        "All dates that you chose are cancelled. Please choose others on the page below, or cancel "
        "your registration."
    ),
    "lost": lazy_gettext("All your dates are cancelled, and there are no others."),
    "rest": lazy_gettext("All dates that were still ahead are cancelled, and there are no others."),
}


def write_standing(
    session: Session, event: Event, registration: Registration, *, no_date: str, now: datetime
) -> str:
    """Say where a registration stands, `no_date` before all else; nothing once nobody can join."""
    if read_end_state(event, now):
        return ""
    status = Status(registration.status)
    if status is Status.CANCELLED and is_by_organizer(session, registration):
        return _STANDINGS["by_organizer"]
    return no_date or _STANDINGS[status]


def write_no_date(
    session: Session,
    event: Event,
    registration: Registration,
    dates: Sequence[EventDate],
    *,
    now: datetime,
) -> str:
    """Say to whom none of their `dates` is ahead what they can do; empty to anybody else."""
    status = registration.status
    if status in (Status.DENIED, Status.CANCELLED):
        return ""
    if has_date_ahead(session, event, registration, now=now):
        return ""
    are_cancelled = all(date.is_gone for date in dates)
    if not (takes_choice(event) and list_ahead(event, now=now)):
        return _WITHOUT_DATE["lost" if are_cancelled else "rest"]
    is_coming = status == Status.APPROVED
    return _WITHOUT_DATE["cancelled" if is_coming and are_cancelled else status]
