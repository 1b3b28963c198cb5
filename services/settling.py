"""Judging doubts by one walk through an event's registrants at Zoom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import zoom_registrants
from storage.models import Event, ZoomRegistrant
from zoom_client import Registrant, RegistrantStatus

from .deliveries import (
    LOOKS_BEFORE_ADDING_AGAIN,
    doubt_status,
    record_gone,
    record_read,
    record_whether_new,
)
from .keys import KeyRing
from .registrations import request_sync

BETWEEN_LOOKS = timedelta(seconds=60)

# What lies later than a walk could end was stored by a clock that has been set back since.
LONGEST_WALK = timedelta(hours=1)

# So many in one transaction: whoever registers meanwhile waits for it on SQLite.
AT_ONCE = 100


@dataclass(frozen=True)
class Judged:
    """How far a judging has come: the last registration, None at the end; and who is left."""

    last: int | None
    needs_look: bool


def settle_unknown(
    session: Session,
    event: Event,
    found: Mapping[str, Registrant],
    *,
    looked_from: datetime,
    after: int = 0,
    keys: KeyRing,
    now: datetime,
) -> Judged:
    """Judge adds of unknown outcome by one walk through the event's registrants.

    Args:
        found: all of Zoom's registrants by lower-cased address.
        looked_from: when the walk began; an attempt that ended later is not judged.
        after: the registration up to which they are judged already.

    Side effects: locks of those who are judged; deliveries that are settled go on.
    """
    needs_look = False
    ids = zoom_registrants.list_unknown(session, event.id, after=after, limit=AT_ONCE)
    # Who was settled, or put in doubt anew, until the lock was there is not judged as they were.
    for registrant, registration in zoom_registrants.lock_by_ids(session, ids):
        if registrant.attempt_started_at is None:
            continue
        ended_at = registrant.attempt_ended_at
        if ended_at is None or looked_from <= ended_at <= looked_from + LONGEST_WALK:
            needs_look = needs_look or ended_at is not None
            continue
        read = found.get(registration.email.lower())
        if read is not None:
            record_read(session, registration, registrant, read, keys=keys, now=now)
        elif not _is_missed_for_good(registrant, looked_from):
            needs_look = True
            continue
        else:
            record_gone(registrant, now=now)
        session.flush()
        request_sync(session, registration, now=now)
    return Judged(ids[-1] if ids else None, needs_look)


def tell_new_from_known(
    session: Session,
    event: Event,
    found: Mapping[str, Registrant],
    *,
    looked_from: datetime,
    after: int = 0,
    keys: KeyRing,
    now: datetime,
) -> Judged:
    """Find out by the same walk who of those added in batches is new to Zoom; as above.

    Whom Zoom lists as not let in, though the batch was answered with their link, is read by
    themselves.

    Side effects: locks of those who are judged; deliveries of the latter go on.
    """
    needs_look = False
    ids = zoom_registrants.list_unread(session, event.id, after=after, limit=AT_ONCE)
    for registrant, registration in zoom_registrants.lock_by_ids(session, ids):
        if registrant.is_new_to_zoom is not None or registrant.join_url is None:
            continue
        read = found.get(registration.email.lower())
        answered_at = registrant.answered_at
        if read is not None and read.id == registrant.registrant_id:
            record_whether_new(session, registration, registrant, read, keys=keys)
            if RegistrantStatus.APPROVED == registrant.zoom_status != read.status:
                doubt_status(registrant, now=now)
                session.flush()
                request_sync(session, registration, now=now)
        elif answered_at is None or looked_from - answered_at < BETWEEN_LOOKS:
            needs_look = True
        else:
            # Who cannot be told from somebody known gets the link by mail alone.
            registrant.is_new_to_zoom = False
    return Judged(ids[-1] if ids else None, needs_look)


def index_by_address(people: Iterable[Registrant]) -> dict[str, Registrant]:
    """Index registrants by address; an approved one wins over what else Zoom has of it."""
    index: dict[str, Registrant] = {}
    for person in people:
        key = person.email.lower()
        if key not in index or person.status == RegistrantStatus.APPROVED:
            index[key] = person
    return index


def _is_missed_for_good(registrant: ZoomRegistrant, looked_from: datetime) -> bool:
    """Count a walk that missed the person; two, a minute apart, mean that Zoom has nobody."""
    last = registrant.last_missed_at
    if last is None or abs(looked_from - last) >= BETWEEN_LOOKS:
        registrant.missed_looks += 1
        registrant.last_missed_at = looked_from
    return registrant.missed_looks >= LOOKS_BEFORE_ADDING_AGAIN
