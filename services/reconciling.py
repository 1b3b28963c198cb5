"""Comparing an event's registrations with whom Zoom has: after a restore, or changes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from storage import known_registrants
from storage.models import Event
from storage.registration_lists import list_registrants
from zoom_client import Registrant, RegistrantStatus

from .addresses import email_key
from .deliveries import renew_links
from .keys import KeyRing
from .registrations import Status
from .settling import index_by_address


@dataclass(frozen=True)
class Difference:
    """One address that Zoom and we have differently; empty where one side has nobody."""

    email: str
    here: str
    at_zoom: str


def compare(
    session: Session, event: Event, people: Sequence[Registrant], *, keys: KeyRing
) -> list[Difference]:
    """Return who differs, by address; whom Zoom had before our form is left out.

    Whoever waits for the worker, or was refused by Zoom, differs by rights and is left out too.

    Args:
        people: all registrants of the event at Zoom.

    Side effects: links are stored as Zoom has them now.
    """
    renew_links(session, event, people)
    at_zoom = {key: str(person.status) for key, person in index_by_address(people).items()}
    ours = {
        registration.email.lower(): (registration.status, registrant)
        for registration, registrant in list_registrants(session, event.id)
    }
    found = [
        Difference(email, "", status)
        for email, status in at_zoom.items()
        if email not in ours
        and not known_registrants.is_known(
            session, event.id, keys.list_email_hashes(email_key(email))
        )
    ]
    for email, (status, registrant) in ours.items():
        if registrant is not None and registrant.zoom_status is None:
            continue
        is_let_in = at_zoom.get(email) == RegistrantStatus.APPROVED
        if is_let_in != (status == Status.APPROVED):
            found.append(Difference(email, status, at_zoom.get(email, "")))
    return sorted(found, key=lambda difference: difference.email)
