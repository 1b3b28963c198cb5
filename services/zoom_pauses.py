"""When everything at one account or event stands still, and when it goes on.

What concerns everybody is found out once and said once: no job of those who wait uses up a try, and
one probe now and then finds out that it works again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import zoom_pauses
from storage.models import ZoomAccount, ZoomEvent
from storage.zoom_pauses import EVERYBODY, LONGEST_WAIT
from storage.zoom_queue import PROBE_EVERY
from zoom_client import (
    AuthenticationFailed,
    ConfigurationError,
    MeetingNotFound,
    Retryable,
    ScopeMissing,
    ZoomError,
    ZoomOutcomeUnknown,
    ZoomUnreachable,
)

FAILURES_BEFORE_PAUSE = 5
PEOPLE_BEFORE_PAUSE = 3
"""So many different people refused in a row, and none taken in between, are everybody."""
NOTE_SUCCESS_EVERY = timedelta(seconds=10)
TRY_OF_EVENT = timedelta(minutes=1)
"""So long after its account's pause has ended for it, an event's probe has failed or worked."""

_OUTAGES = (ZoomUnreachable, ZoomOutcomeUnknown)
_OF_THE_ACCOUNT = (AuthenticationFailed, ScopeMissing)
_SHOWN_BY_A_LOOK = {e.__name__ for e in (*_OUTAGES, AuthenticationFailed, MeetingNotFound)}

# Somebody has to mend it, and does not become faster by being asked for more often.
_REPAIR_STEPS_SECONDS = (60, 120, 240, 480, LONGEST_WAIT.seconds)


def is_answer(error: ZoomError) -> bool:
    """Tell whether an error says that Zoom works: it refused this one thing and nothing else."""
    return not isinstance(error, Retryable | ConfigurationError)


def record_failure(
    session: Session, account_id: str, event_id: int, error: ZoomError, *, now: datetime
) -> bool:
    """Count what failed, and have everybody wait where it concerns everybody.

    Returns whether this one began a pause.
    """
    if isinstance(error, _OUTAGES):
        account = zoom_pauses.lock_account(session, account_id, now=now)
        account.failures += 1
        account.updated_at = now
        if account.paused_since is None and account.failures < FAILURES_BEFORE_PAUSE:
            return False
        return _pause(account, error, now)
    if isinstance(error, _OF_THE_ACCOUNT):
        account = zoom_pauses.lock_account(session, account_id, now=now)
        account.failures = 0
        return _pause(account, error, now)
    if isinstance(error, ConfigurationError):
        event = zoom_pauses.lock_event(session, event_id, now=now)
        is_everybodys = type(error).__name__ == EVERYBODY
        if is_everybodys and event.refused_in_a_row < PEOPLE_BEFORE_PAUSE:
            # Somebody was taken since it was counted.
            return False
        return _pause(event, error, now)
    return False


def needs_record_of_success(
    session: Session, account_id: str, event_id: int, *, now: datetime
) -> bool:
    """Tell whether a success says anything new; most are one of many."""
    account = zoom_pauses.get_account(session, account_id)
    event = zoom_pauses.get_event(session, event_id)
    if account is None or account.last_success_at is None:
        return True
    is_old = abs(now - account.last_success_at) >= NOTE_SUCCESS_EVERY
    return is_old or account.failures > 0 or _is_paused(account) or _is_paused(event)


def record_success(session: Session, account_id: str, event_id: int, *, now: datetime) -> bool:
    """Record that Zoom did what it was asked; return whether that ended a pause.

    One that began as Zoom refused everybody ends only once it takes somebody.
    """
    rows = _record_answer(session, account_id, event_id, now)
    return sum(resume(row, now) for row in rows if row.pause_problem != EVERYBODY) > 0


def record_look(session: Session, account_id: str, event_id: int, *, now: datetime) -> bool:
    """Record that Zoom told of a meeting; return whether that ended a pause.

    Whether a permission or a setting still lacks for more than that it does not show.
    """
    rows = _record_answer(session, account_id, event_id, now)
    return sum(resume(row, now) for row in rows if is_shown_by_a_look(row)) > 0


def record_refused_walk(
    session: Session, account_id: str, event_id: int, error: ScopeMissing, *, now: datetime
) -> bool:
    """Record that an app may not list registrants; return whether that ended the account's pause.

    People are added by another scope, so that nobody has to wait for this one: Zoom answers, and
    takes the credentials. An event whose pause was to end by a walk is told of with the scope.
    """
    account = zoom_pauses.lock_account(session, account_id, now=now)
    account.failures = 0
    account.updated_at = now
    if is_walked_for(session, event_id):
        _pause(zoom_pauses.lock_event(session, event_id, now=now), error, now)
    return is_shown_by_a_look(account) and resume(account, now)


def is_shown_by_a_look(paused: ZoomAccount | ZoomEvent) -> bool:
    """Tell whether it ends a pause that Zoom tells of a meeting."""
    return paused.pause_problem in _SHOWN_BY_A_LOOK


def is_outage(paused: ZoomAccount) -> bool:
    """Tell whether an account stands still because Zoom does not answer."""
    return _is_paused(paused) and paused.pause_problem in {error.__name__ for error in _OUTAGES}


def is_standing(session: Session, account_id: str, event_id: int) -> bool:
    """Tell whether an event's jobs wait for a probe."""
    return _is_paused(zoom_pauses.get_account(session, account_id)) or _is_paused(
        zoom_pauses.get_event(session, event_id)
    )


def is_walked_for(session: Session, event_id: int) -> bool:
    """Tell whether an event's pause may end by a walk through its registrants."""
    event = zoom_pauses.get_event(session, event_id)
    return event is not None and _is_paused(event) and event.pause_problem != EVERYBODY


def is_silent(session: Session, account_id: str, event_id: int) -> bool:
    """Tell whether jobs that only ask Zoom about an event wait for a probe as well."""
    account = zoom_pauses.get_account(session, account_id)
    return _is_paused(account) or is_walked_for(session, event_id)


def _record_answer(
    session: Session, account_id: str, event_id: int, now: datetime
) -> list[ZoomAccount | ZoomEvent]:
    """Note that Zoom answers; return the account, and the event where it stands still."""
    account = zoom_pauses.lock_account(session, account_id, now=now)
    account.failures = 0
    account.last_success_at = account.updated_at = now
    if not _is_paused(account):
        account.probes = 0
    if _is_paused(zoom_pauses.get_event(session, event_id)):
        return [account, zoom_pauses.lock_event(session, event_id, now=now)]
    return [account]


def _pause(paused: ZoomAccount | ZoomEvent, error: ZoomError, now: datetime) -> bool:
    is_new = paused.paused_since is None and not _is_tried_by_event(paused, now)
    if is_new:
        paused.probes = 0
    if paused.paused_since is None:
        paused.paused_since = now
    elif abs(now - paused.paused_since) >= PROBE_EVERY:
        # Before that, it is a call that was under way when the pause began. Long before, by a clock
        # that was set back since, it is a probe.
        paused.probes += 1
    paused.pause_problem = type(error).__name__
    paused.pause_reason = str(error)
    paused.probe_at = now + _find_wait(error, paused.probes)
    paused.updated_at = now
    return is_new


def _find_wait(error: ZoomError, probes: int) -> timedelta:
    if isinstance(error, _OUTAGES):
        return PROBE_EVERY
    return timedelta(seconds=_REPAIR_STEPS_SECONDS[min(probes, len(_REPAIR_STEPS_SECONDS) - 1)])


def resume(paused: ZoomAccount | ZoomEvent, now: datetime) -> bool:
    """End a pause whose row the caller has locked; False if there is none."""
    if paused.paused_since is None:
        return False
    paused.paused_since = paused.probe_at = None
    paused.pause_problem = paused.pause_reason = ""
    paused.probes = 0
    paused.updated_at = now
    return True


def let_event_try(account: ZoomAccount, now: datetime) -> None:
    """End an account's pause for the probe of an event; if that fails it goes on, one probe later.

    The caller has locked the row.
    """
    probes = account.probes + 1
    if resume(account, now):
        account.probes = probes


def _is_tried_by_event(paused: ZoomAccount | ZoomEvent, now: datetime) -> bool:
    return paused.probes > 0 and abs(now - paused.updated_at) < TRY_OF_EVENT


def _is_paused(row: ZoomAccount | ZoomEvent | None) -> bool:
    return row is not None and row.paused_since is not None
