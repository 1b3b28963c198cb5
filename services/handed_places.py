"""The place that a wrong address leaves to the right one, however full the event is.

At Zoom the two are two people, and the right one may find no place before the wrong one has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import job_lists, job_requests, submissions, zoom_registrants
from storage.models import Event, Registration, ZoomRegistrant

from . import place_signs
from .chosen_dates import has_date_ahead, read_chosen
from .deliveries import Delivery
from .events import LinkPolicy
from .kept_dates import list_held
from .registrations import HOLDS_SEAT, Status, status_for_new, sync_key

Changed = tuple[str, ZoomRegistrant]
"""Somebody, and the delivery that they had until now."""


def find_place(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    policy: LinkPolicy,
    now: datetime,
) -> Status | None:
    """Return the status in which somebody hands on their place, with all of their dates.

    Whom an organizer has approved stays so where the screen shows the link, which had it. Else it
    was who reads that mailbox, and whether the address was known there must not show.
    """
    if registration.status not in HOLDS_SEAT:
        return None
    if not has_date_ahead(session, event, registration, now=now):
        return None
    is_decided = policy is LinkPolicy.SHOW and registration.status == Status.APPROVED
    return Status.APPROVED if is_decided else status_for_new(event)


def keep_dates(session: Session, wrong: Registration, right: Registration) -> None:
    """Have somebody, just registered, added at least for those dates that the wrong address has.

    It may have asked Zoom for further ones, or be about to, which turn out to be full.
    """
    before = zoom_registrants.get_zoom_registrant(session, wrong.id)
    after = zoom_registrants.get_zoom_registrant(session, right.id)
    if before is None or after is None:
        return
    had, chosen = list_held(before), {*read_chosen(session, right)}
    if kept := had & chosen:
        after.kept_dates = sorted(kept)
        after.refused_dates = before.refused_dates


def wait_for_place(
    session: Session, wrong: Registration, right: Registration, *, now: datetime
) -> None:
    """Have somebody added once the wrong address has left Zoom, or a little later at the latest.

    `right` was just registered. Side effects: their job is put off.
    """
    registrant = zoom_registrants.get_zoom_registrant(session, wrong.id)
    if right.status != Status.APPROVED or registrant is None:
        return
    if registrant.registrant_id is None and registrant.attempt_started_at is None:
        return
    job_requests.enqueue_about(
        session,
        job_requests.ZOOM_SYNC,
        right.id,
        event_id=right.event_id,
        run_at=now + place_signs.LOOK_EVERY,
        now=now,
    )


def hand_on(
    session: Session, event: Event, changed: Sequence[Changed], *, now: datetime
) -> list[Changed]:
    """Have those added whose wrong address has left Zoom; return who leaves a place to anybody.

    Side effects: their jobs, and where Zoom takes nobody more others are tried only after them.
    """
    left = {person.registration_id: person for before, person in changed if _left(before, person)}
    heirs = submissions.map_corrected(session, [*left]) if left else {}
    handed_on = set()
    for wrong_id, right_id in heirs.items():
        registrant = zoom_registrants.get_zoom_registrant(session, right_id)
        if registrant is not None and registrant.delivery == Delivery.REGISTERED:
            continue
        key = sync_key(right_id)
        if not job_requests.hasten(session, [key], now=now):
            job_lists.retry(session, key, now=now)
        if event.closed_by_zoom:
            place_signs.let_go_first(session, left[wrong_id], right_id, now=now)
            handed_on.add(wrong_id)
    return [one for one in changed if one[1].registration_id not in handed_on]


def _left(before: str, registrant: ZoomRegistrant) -> bool:
    return before != registrant.delivery and place_signs.has_left(before, registrant)
