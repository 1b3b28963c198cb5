"""Joining: what the page behind a join link shows, and what its button records."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import registration_index, registrations
from storage.events import AnyEvent
from storage.models import Event, Registration, SubmissionRow, ZoomRegistrant

from .deliveries import Delivery
from .events import EventState, LinkPolicy, get_end
from .happenings import Happening, tell
from .registrations import Outcome, Status

EARLY = timedelta(minutes=10)
JOINS_ONCE_IN = timedelta(hours=12)


class JoinState(StrEnum):
    """What the join page shows; where there is no link to wait for it is the registration's."""

    READY = "ready"
    WAITING = "waiting"
    BY_MAIL = "by_mail"
    REFUSED = "refused"
    PENDING = "pending"
    WAITLISTED = "waitlisted"
    DENIED = "denied"
    CANCELLED = "cancelled"
    ENDED = "ended"
    EVENT_CANCELLED = "event_cancelled"
    NO_DATE = "no_date"


def read_join_state(
    event: Event,
    registration: Registration,
    registrant: ZoomRegistrant | None,
    *,
    submission: SubmissionRow | None,
    policy: LinkPolicy,
    now: datetime,
) -> JoinState:
    """Decide what `/j/` shows. `submission` is given where the link was read on a screen."""
    if over := read_end_state(event, now):
        return over
    if registration.status != Status.APPROVED:
        return JoinState(registration.status)
    if registrant is not None and registrant.delivery == Delivery.REFUSED:
        return JoinState.REFUSED
    if registrant is None or registrant.join_url is None:
        return JoinState.WAITING
    if submission is not None and not _may_open_from_screen(submission, registrant, policy):
        return JoinState.BY_MAIL
    return JoinState.READY


def read_end_state(event: AnyEvent, now: datetime) -> JoinState | None:
    """Return why nobody can join any more, whoever asks; None while people can."""
    if event.status == EventState.CANCELLED:
        return JoinState.EVENT_CANCELLED
    return JoinState.ENDED if now >= get_end(event) else None


def may_be_changed(event: AnyEvent, registration: Registration, *, now: datetime) -> bool:
    """Tell whether names and answers may be changed: there is something to change them for."""
    is_coming = registration.status not in (Status.CANCELLED, Status.DENIED)
    return is_coming and read_end_state(event, now) is None


def is_early(starts_at: datetime, now: datetime) -> bool:
    return now < starts_at - EARLY


def record_click(
    session: Session,
    event: Event,
    registration: Registration,
    *,
    came_by_mail: bool,
    now: datetime,
) -> None:
    """Count a click on the join button; the mail's link proves the address.

    Others are told once in twelve hours: people press again when their line broke, and come to the
    next date of a series.
    """
    if event.has_webhooks:
        # Of two clicks at once the second has to see the first.
        registrations.lock_registration(session, registration.id)
        before = registration.last_clicked_at
        if before is None or before <= now - JOINS_ONCE_IN:
            tell(session, event, registration, Happening.JOINED, now=now)
    registrations.count_join_click(session, registration, now=now)
    if came_by_mail:
        prove_address(registration, now=now)


def prove_address(registration: Registration, *, now: datetime) -> None:
    if registration.proven_at is None:
        registration.proven_at = now
        registration_index.mark_person(registration)


def _may_open_from_screen(
    submission: SubmissionRow, registrant: ZoomRegistrant, policy: LinkPolicy
) -> bool:
    if submission.code_used_at is not None:
        return True
    is_own = submission.outcome == Outcome.CREATED
    return policy is LinkPolicy.SHOW and is_own and registrant.is_new_to_zoom is True
