"""Pauses at which nobody waits any more who could show whether Zoom works again.

Whoever waited has cancelled, was denied or erased while somebody mended it: a pause that nobody
tries would be told of for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_lists, zoom_pauses, zoom_queue
from storage.job_requests import ZOOM_SETTLE, ZOOM_SYNC, wake_workers
from storage.models import JobState, ZoomAccount, ZoomEvent
from storage.zoom_pauses import EVERYBODY, is_probe_due
from storage.zoom_queue import DOING, LOOKING, PROBE_EVERY

from . import kept_dates, zoom_refusals
from .deliveries import request_walk
from .delivery_stops import describe_ending
from .zoom_pauses import is_shown_by_a_look, is_walked_for, let_event_try, resume


def list_idle(session: Session, *, now: datetime) -> list[ZoomAccount | ZoomEvent]:
    """List what stands still, and has no job that may end it, now or later."""
    return [paused for paused in zoom_queue.list_paused(session) if _is_idle(session, paused, now)]


def look_after_account(session: Session, account_id: str, *, now: datetime) -> bool:
    """End the pause of an account; return whether it was idle.

    Nothing is held up, and whoever comes next finds out. Where somebody waits at an event that
    stands still by itself, the event's probe is the account's as well, which is let go for it once
    both are to be tried. An account that no connection leads to any more is forgotten.
    """
    zoom_pauses.forget_account(session, account_id)
    account = zoom_pauses.get_account(session, account_id)
    if account is None:
        return True
    if not _is_idle(session, account, now):
        return False
    account = zoom_pauses.lock_account(session, account_id, now=now)
    waiting = _list_waiting_events(session, account_id)
    if not waiting:
        return resume(account, now)
    is_due = is_probe_due(account, now=now)
    if is_due and any(is_probe_due(event, now=now) for event in waiting):
        let_event_try(account, now)
        wake_workers(session)
    return False


def look_after_event(session: Session, event_id: int, *, now: datetime) -> bool:
    """Find out whether an event can go on at Zoom; return whether its pause is over.

    Its registrants are looked through, which the next probe does: those who have their links are
    let down by a meeting that is gone, though nobody waits. Where Zoom has refused everybody, that
    shows nothing, and those are tried who were put aside last. A look that was given up is left to
    whoever is told of it.

    Side effects: jobs of the event.
    """
    state, event = zoom_pauses.get_event(session, event_id), events.need_event(session, event_id)
    if state is None or not _is_idle(session, state, now):
        return False
    if describe_ending(event, now=now):
        return resume(zoom_pauses.lock_event(session, event_id, now=now), now)
    if state.pause_problem == EVERYBODY:
        return zoom_refusals.look_after(session, state, now=now)
    walk = job_lists.get_job(session, ZOOM_SETTLE.key(event_id))
    if walk is None or walk.state != JobState.PARKED:
        request_walk(session, event_id, run_at=now, now=now)
    return False


def needs_look(session: Session, event_id: int, *, now: datetime) -> bool:
    """Tell whether an event stands still, and nothing that waits now can end that."""
    state = zoom_pauses.get_event(session, event_id)
    if state is None or not is_walked_for(session, event_id):
        return False
    is_over = describe_ending(events.need_event(session, event_id), now=now)
    return not is_over and not _has_proof(session, state)


def _list_waiting_events(session: Session, account_id: str) -> list[ZoomEvent]:
    """List the events of an account that stand still by themselves, and have jobs to end that."""
    return [
        event
        for event in zoom_pauses.list_paused_events(session, account_id=account_id)
        if _has_proof(session, event)
    ]


def _is_idle(session: Session, paused: ZoomAccount | ZoomEvent, now: datetime) -> bool:
    since = paused.paused_since
    if since is None or abs(now - since) < PROBE_EVERY:
        return False
    return not _has_proof(session, paused)


def _has_proof(session: Session, paused: ZoomAccount | ZoomEvent) -> bool:
    return zoom_queue.has_waiting(
        session, paused, kinds=_list_proofs(paused), but_for=kept_dates.WAITS
    )


def _list_proofs(paused: ZoomAccount | ZoomEvent) -> Sequence[str]:
    """List the kinds of jobs whose success ends a pause."""
    if paused.pause_problem == EVERYBODY:
        return (ZOOM_SYNC.kind,)
    return (*DOING, *LOOKING) if is_shown_by_a_look(paused) else DOING
