"""What an organizer does about one person or several, each with its own result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, registrations
from storage.invitation_links import get_link_of
from storage.models import Event, Registration

from . import retrying
from .chosen_dates import has_date_ahead, read_people_dates
from .erasing_waits import find_wait
from .events import EventState, get_end
from .invitation_links import ensure_link_of
from .mails import MailName, choose_word, request_again
from .moves import NothingAhead
from .registration_changes import approve, cancel, deny
from .registrations import ORGANIZER, ChangeRefused, RegistrationNotOpen, Status
from .reinstating import NothingKept, reinstate


class Act(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"
    REINSTATE = "reinstate"
    RESEND = "resend"
    RETRY = "retry"
    LINK = "link"


class ActResult(StrEnum):
    """What became of an act: done, nothing to do, or why not."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FULL = "full"
    CANCELLED = "cancelled"
    ERASED = "erased"
    PAST = "past"
    ENOUGH = "enough"
    OVER = "over"
    IN_TURN = "in_turn"
    PAUSED = "paused"
    ALONE = "alone"
    CHANGED = "changed"


# What is sent again is what the person was told last about where they stand.
_MAIL_OF_STATUS = {
    Status.PENDING: MailName.PENDING,
    Status.WAITLISTED: MailName.WAITLISTED,
    Status.APPROVED: MailName.APPROVED,
    Status.DENIED: MailName.DENIED,
    Status.CANCELLED: MailName.CANCELLED,
}
_CHANGES: dict[Act, Callable[..., None]] = {
    Act.APPROVE: approve,
    Act.DENY: deny,
    Act.CANCEL: cancel,
    Act.REINSTATE: reinstate,
}
_WANTED = {
    Act.APPROVE: Status.APPROVED,
    Act.DENY: Status.DENIED,
    Act.CANCEL: Status.CANCELLED,
}


def act_on(
    session: Session, event: Event, registration: Registration, act: Act, *, now: datetime
) -> ActResult:
    """Do one act about one person. Side effects: as those of the change, or a mail, or a job."""
    if act is Act.RESEND:
        if find_wait(session, registration) is not None:
            return ActResult.ERASED
        name = find_word(session, event, registration, now=now)
        if name is None:
            return ActResult.OVER if now >= get_end(event) else ActResult.PAST
        if name is MailName.EVENT_CANCELLED:
            # Whom the job tells at this moment is told once.
            events.lock_event(session, event.id)
        is_asked = request_again(session, name, registration, now=now)
        return ActResult.DONE if is_asked else ActResult.ENOUGH
    if act is Act.RETRY:
        is_due = retrying.retry_one(session, event, registration.id, now=now)
        return ActResult.DONE if is_due else ActResult.UNCHANGED
    if act is Act.LINK:
        is_new = get_link_of(session, registration.id) is None
        ensure_link_of(session, event, registration, now=now)
        return ActResult.DONE if is_new else ActResult.UNCHANGED
    before = registration.status
    try:
        _CHANGES[act](session, event, registration, actor=ORGANIZER, now=now)
    except NothingKept:
        return ActResult.ERASED
    except NothingAhead:
        return ActResult.PAST
    except ChangeRefused:
        return ActResult.CANCELLED
    except RegistrationNotOpen:
        return ActResult.FULL
    session.flush()
    after = registrations.get_registration(session, registration.id)
    is_changed = after is not None and after.status != before
    return ActResult.DONE if is_changed else ActResult.UNCHANGED


def act_on_seen(
    session: Session,
    event: Event,
    registration: Registration,
    act: Act,
    *,
    has_changed: Callable[[Registration], bool],
    now: datetime,
) -> ActResult:
    """Do one act about somebody of whom a decision may have been taken since they were looked at.

    `has_changed` tells whether they stand otherwise than when it was asked for: then somebody has
    decided meanwhile, and that holds. Side effects: as `act_on`, and the locks of the change that
    follows.
    """
    if act in _CHANGES:
        events.lock_seats(session, event.id)
        locked = registrations.lock_registration(session, registration.id)
        assert locked is not None, "registrations are not deleted while they are shown"
        if not _is_reached(act, locked) and has_changed(locked):
            return ActResult.CHANGED
    return act_on(session, event, registration, act, now=now)


def _is_reached(act: Act, registration: Registration) -> bool:
    """Tell whether somebody stands already as an act would have them, so that it does nothing."""
    if act is Act.REINSTATE:
        return registration.status != Status.CANCELLED
    return registration.status == _WANTED[act]


def act_on_one_of(
    session: Session,
    event: Event,
    registration: Registration,
    act: Act,
    *,
    came_before: Callable[[ActResult], bool],
    has_changed: Callable[[Registration], bool],
    now: datetime,
) -> ActResult:
    """Do one act about somebody out of several, where what concerns all of them is done once.

    `came_before` tells whether somebody before them had a result already. `has_changed` and side
    effects: as `act_on_seen`.
    """
    hold = retrying.find_hold(session, event, registration.id) if act is Act.RETRY else None
    if hold is None:
        return act_on_seen(session, event, registration, act, has_changed=has_changed, now=now)
    result = ActResult(hold)
    if not came_before(result):
        retrying.retry_held(session, event, hold, now=now)
    return result


def find_word(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> MailName | None:
    """Return the mail that says where somebody stands; None where none is about it any more.

    Who could have come to an event that is cancelled, or to dates that all are, is told that; after
    its end, or that of their own dates, there is nothing. Who is being erased is told nothing.
    """
    if find_wait(session, registration) is not None:
        return None
    status = Status(registration.status)
    if status not in (Status.DENIED, Status.CANCELLED):
        if event.status == EventState.CANCELLED:
            return MailName.EVENT_CANCELLED
        if now >= get_end(event):
            return None
        if not has_date_ahead(session, event, registration, now=now):
            mine = read_people_dates(session, event, registration)
            return MailName.DATES if mine and all(date.is_gone for date in mine) else None
    return choose_word(session, _MAIL_OF_STATUS[status], registration)


def list_acts(
    status: Status, *, is_parked: bool, has_word: bool, can_return: bool = False
) -> list[Act]:
    """List what makes sense for somebody in a status, `has_word` if a mail says how they stand.

    `can_return`: as `can_be_reinstated`.
    """
    acts = [Act.REINSTATE] if can_return else []
    if status in (Status.PENDING, Status.WAITLISTED, Status.DENIED):
        acts.append(Act.APPROVE)
    if status in (Status.PENDING, Status.WAITLISTED, Status.APPROVED):
        acts.append(Act.DENY)
    if status is not Status.CANCELLED and status is not Status.DENIED:
        acts.append(Act.CANCEL)
    if is_parked:
        acts.append(Act.RETRY)
    return [*acts, Act.RESEND] if has_word else acts
