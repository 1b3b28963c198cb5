"""Adding many people with one call: who can be, and what the answer means.

A batch has room for names and addresses alone. Its answer names each address with its link, so the
link is kept at once; what it does not tell, when Zoom first had the person, the next walk does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import zoom_registrants
from storage.models import Registration, ZoomRegistrant
from zoom_client import AddedRegistrant

from .deliveries import Step, keep_added, plan_step
from .new_registrants import asks_for_answers
from .person_limits import find_next_add

# Zoom takes no more at once.
MOST = 30
# From so many who wait on, one after the other would keep the last one waiting for seconds.
MANY = 10

REFUSED = "BatchRefused"
"""What `ZoomRegistrant.problem` says of who is added alone, as a batch with them was refused."""


def choose_for_batch(
    session: Session, registration_ids: Sequence[int], *, now: datetime
) -> list[int]:
    """Return those who can be added together, in the same order, 30 at most."""
    rows = {
        registrant.registration_id: (registration, registrant)
        for registrant, registration in zoom_registrants.list_by_ids(session, registration_ids)
    }
    fitting = [
        registration_id
        for registration_id in registration_ids
        if registration_id in rows and fits_batch(session, *rows[registration_id], now=now)
    ]
    return fitting[:MOST]


def fits_batch(
    session: Session, registration: Registration, registrant: ZoomRegistrant, *, now: datetime
) -> bool:
    """Tell whether somebody is still to be added, sends no answers, and had no trouble so far."""
    return (
        plan_step(registration, registrant) is Step.ADD
        and not registrant.problem
        and find_next_add(registrant, now=now) is None
        and not (
            registrant.sends_answers and asks_for_answers(session, registration.form_version_id)
        )
    )


def index_added(people: Iterable[AddedRegistrant]) -> dict[str, AddedRegistrant]:
    """Index a batch's answer by address, without entries that are ambiguous or name nobody."""
    people = [person for person in people if person.email]
    addresses = [str(person.email).lower() for person in people]
    ids = [person.registrant_id for person in people]
    return {
        address: person
        for address, person in zip(addresses, people, strict=True)
        if addresses.count(address) == 1 and ids.count(person.registrant_id) == 1
    }


def record_batch_added(
    session: Session, registrant: ZoomRegistrant, added: AddedRegistrant, *, now: datetime
) -> None:
    """Store whom a batch made; the caller has found them by their address."""
    keep_added(registrant, added, now=now)
    if added.join_url:
        zoom_registrants.write_join_url(session, registrant, added.join_url)
