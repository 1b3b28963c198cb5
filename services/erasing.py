"""Erasing somebody: end the registration, have Zoom let go, then forget who it was.

What stays is a row that counts as cancelled and, of each box, the wording and the answer: evidence
that names nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import (
    attendance,
    erasing,
    events,
    job_requests,
    registration_index,
    registrations,
    zoom_registrants,
)
from storage.erasing import RETURNED
from storage.models import Event, Registration, SubmissionRow
from zoom_client import RegistrantStatus

from .deliveries import CHANGING
from .delivery_stops import describe_ending
from .erasing_waits import (
    JOB_KIND,
    Before,
    get_open_job,
    list_before,
    make_key,
    pick_newer,
    read_before,
)
from .events import read_link_policy
from .happenings import Happening, tell
from .held_mails import request_word_of_left
from .lapsed_requests import request_word_if_lapsed
from .registration_changes import end_for_good
from .registrations import (
    Outcome,
    RegistrationNotOpen,
    Status,
    release,
    request_sync,
)
from .submissions import Doubt

BETWEEN_LOOKS = timedelta(seconds=30)

ERASED = "erased"
"""The action of the last entry in the history of somebody who was erased."""

_AT_ZOOM = (RegistrantStatus.APPROVED, RegistrantStatus.PENDING, CHANGING)

Note = Callable[[str], None]
"""Adds a public id to the list that is kept apart from the database; marked, it takes it off."""


def is_erased(registration: Registration) -> bool:
    return not registration.email


def erase(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    actor: str,
    note: Note,
    now: datetime,
) -> bool:
    """End a registration without a mail, and forget who it was; return whether that is done.

    While Zoom has the person the address is needed to take them away there: a worker looks after
    it, and forgets the rest then. Links end at once. Asked for again, Zoom is asked again where it
    had refused. Side effects: as those of a cancellation, the entry in the list of the erased,
    jobs.
    """
    locked = end_for_good(session, event, registration, actor=actor, now=now)
    erasing.drop_mails(session, locked.id)
    note(locked.public_id)
    begun = get_open_job(session, locked)
    is_at_zoom = _is_at_zoom(session, event, locked, now)
    # What came since it was asked for first is of somebody new.
    before = read_before(begun.payload) if begun else list_before(session, locked, now=now)
    if not is_at_zoom and begun is None:
        _forget(session, event, locked, actor, before, now)
        return True
    if is_at_zoom:
        request_sync(session, locked, now=now)
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=make_key(locked),
        payload={"registration_id": locked.id, "actor": actor} | before.make_payload(),
        event_id=event.id,
        run_at=now + BETWEEN_LOOKS if is_at_zoom else now,
        now=now,
    )
    return False


def go_on(
    session: Session,
    registration_id: int,
    *,
    actor: str,
    before: Before,
    note: Note,
    now: datetime,
) -> bool:
    """Forget somebody as soon as Zoom has let them go; return whether there is more to wait for.

    Whoever was let in again meanwhile stays. What came with the address after `before` is of
    somebody new, who registers now; where the event takes nobody any more it is held for the
    organizer, and told if nothing comes of it.
    """
    found = registrations.get_registration(session, registration_id)
    if found is None or is_erased(found):
        return False
    event = events.need_event(session, found.event_id)
    events.lock_seats(session, event.id)
    locked = registrations.lock_registration(session, registration_id)
    assert locked is not None, "registrations are not deleted"
    if locked.status != Status.CANCELLED:
        note(f"{RETURNED}{locked.public_id}")
        return False
    if _is_at_zoom(session, event, locked, now):
        return True
    newer = pick_newer(session, locked, before)
    erasing.drop_mails(session, locked.id)
    _forget(session, event, locked, actor, before, now)
    _set_aside(session, newer)
    for row in newer:
        # Else it stays held, which the organizer sees.
        with suppress(RegistrationNotOpen):
            release(session, event, row, policy=read_link_policy(session, event), now=now)
    if left := [row for row in newer if row.outcome == Outcome.HELD]:
        # They have one address: one mail says it.
        request_word_if_lapsed(session, event, left[-1], now=now)
        request_word_of_left(session, event.id, now=now)
    return False


def _set_aside(session: Session, newer: Sequence[SubmissionRow]) -> None:
    for row in newer:
        row.outcome, row.held_for, row.registration_id = Outcome.HELD, Doubt.ERASING, None
    session.flush()


def erase_again(
    session: Session, public_ids: Sequence[str], *, actor: str, note: Note, now: datetime
) -> int:
    """Erase whoever came back with a backup; return how many."""
    count = 0
    for public_id in public_ids:
        found = registrations.get_registration_by_public_id(session, public_id)
        if found is not None and not is_erased(found):
            event = events.need_event(session, found.event_id)
            erase(session, event, found, actor=actor, note=note, now=now)
            count += 1
    return count


def _is_at_zoom(session: Session, event: Event, registration: Registration, now: datetime) -> bool:
    """Tell whether Zoom has, or perhaps has, somebody whom it can still be told to let go.

    What was made of the last call says nothing of it: Zoom may have refused to let them go.
    """
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    if registrant is None or describe_ending(event, now=now):
        return False
    return registrant.attempt_started_at is not None or registrant.zoom_status in _AT_ZOOM


def _forget(
    session: Session,
    event: Event,
    registration: Registration,
    actor: str,
    before: Before,
    now: datetime,
) -> None:
    in_place = f"erased:{registration.public_id}"
    sent = erasing.list_sent(session, registration)
    sent_ids = [form.id for form in sent if before.has(form)]
    erasing.forget(session, registration, in_place=in_place, sent_ids=sent_ids)
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    if registrant is not None:
        registrant.registrant_id = registrant.join_url = None
    attendance.erase_rows(session, registration.id)
    registration.updated_at = now
    registrations.add_change(
        session, registration.id, actor=actor, action=ERASED, before={}, after={}, now=now
    )
    registration_index.mark(session, registration.id)
    tell(session, event, registration, Happening.ERASED, now=now)
