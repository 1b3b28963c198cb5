"""Refusals in words that nobody knows: of one person, or of whoever comes.

What Zoom refuses somebody for is put aside with that person, who is told to try another address.
Where it refuses one person after the other in such words, no address helps: somebody has to mend
something, and until then everybody waits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_lists, zoom_pauses, zoom_queue
from storage.models import ZoomEvent, ZoomRegistrant
from storage.zoom_pauses import EVERYBODY
from zoom_client import ConfigurationError, ValidationFailed, ZoomError, ZoomRefused

from .deliveries import Delivery, record_problem
from .zoom_pauses import PEOPLE_BEFORE_PAUSE, resume

TAKEN_LATELY = timedelta(minutes=10)
"""For so long whoever was taken after such refusals proves that those were about their people.

Else a few addresses that Zoom does not like would have everybody wait again and again.
"""

CLASSES = (ZoomRefused.__name__, ValidationFailed.__name__)


class EverybodyRefused(ConfigurationError):
    """Zoom refuses whoever comes, and does not say why in words that we know."""


def is_unknown(error: ZoomError) -> bool:
    """Tell whether a refusal says neither that it is about the person nor what else it is about."""
    if isinstance(error, ValidationFailed):
        return error.status is not None and not error.fields
    return isinstance(error, ZoomRefused)


def judge(
    session: Session,
    registrant: ZoomRegistrant,
    error: ZoomError,
    *,
    is_last_word: bool,
    now: datetime,
) -> ZoomError:
    """Return what an unknown refusal means: itself, or that Zoom refuses everybody.

    It counts once for each person, who is marked as refused with it: a worker may die before it has
    done what follows. One that is no `is_last_word` is looked into before it counts. The caller
    holds the person's row.
    """
    state = zoom_pauses.lock_event(session, registrant.event_id, now=now)
    is_everybodys = state.refused_in_a_row >= PEOPLE_BEFORE_PAUSE
    if is_last_word or is_everybodys:
        # It was not about the answers: the last try was made without them, if there are any.
        registrant.sends_answers = True
    if is_everybodys:
        return _make_everybodys(error)
    if not is_last_word or registrant.delivery == Delivery.REFUSED:
        return error
    was_taken = state.taken_at is not None and abs(now - state.taken_at) < TAKEN_LATELY
    most = PEOPLE_BEFORE_PAUSE - 1 if was_taken else PEOPLE_BEFORE_PAUSE
    state.refused_in_a_row = min(state.refused_in_a_row + 1, most)
    state.updated_at = now
    if state.refused_in_a_row >= PEOPLE_BEFORE_PAUSE:
        return _make_everybodys(error)
    record_problem(registrant, Delivery.REFUSED, type(error).__name__, now=now)
    return error


def find_proof(registrant: ZoomRegistrant) -> datetime | None:
    """Return when the call began that proves, once somebody is in, that Zoom takes people.

    None for who comes back and is approved: that Zoom may do while it refuses whoever is to be
    added; unless it is this that it had refused them.
    """
    was_added = registrant.answered_at is None
    return registrant.last_attempt_at if was_added or registrant.problem == EVERYBODY else None


def note_taken(session: Session, event_id: int, *, asked_at: datetime, now: datetime) -> bool:
    """Begin the count anew, as Zoom takes people (again); return whether that ended a pause.

    What was asked before its last such refusal says nothing of what it does since.

    Side effects: where it refused everybody, whom it has refused till then is tried once more.
    """
    state = zoom_pauses.get_event(session, event_id)
    if state is None or not (state.refused_in_a_row or state.pause_problem == EVERYBODY):
        return False
    if asked_at < state.updated_at:
        return False
    if state.pause_problem == EVERYBODY:
        # Jobs before the row, as whoever retries them by hand takes them.
        for problem in CLASSES:
            job_lists.retry_parked(session, event_id=event_id, problem=problem, now=now)
    state = zoom_pauses.lock_event(session, event_id, now=now)
    state.refused_in_a_row = 0
    state.taken_at = state.updated_at = now
    return state.pause_problem == EVERYBODY and resume(state, now)


def look_after(session: Session, state: ZoomEvent, *, now: datetime) -> bool:
    """Go on where Zoom has refused everybody and nobody waits any more who could show otherwise.

    Who were put aside last before that are tried once more, and wait like everybody else if it is
    the same. Where nobody is left to be tried the pause ends, as nothing is held up; whoever comes
    next is still judged by what is known. Returns whether it ended.
    """
    told = PEOPLE_BEFORE_PAUSE - 1
    found = zoom_queue.list_put_aside_before(session, state, problems=CLASSES, limit=told, now=now)
    if not found:
        state = zoom_pauses.lock_event(session, state.event_id, now=now)
        return state.pause_problem == EVERYBODY and resume(state, now)
    for key, would_be_last in found:
        if not would_be_last:
            job_lists.retry(session, key, now=now)
    return False


def _make_everybodys(error: ZoomError) -> EverybodyRefused:
    return EverybodyRefused(
        error.message, status=error.status, code=error.code, tracking_id=error.tracking_id
    )
