"""Registering somebody new by one statement, where all is as it was a moment ago."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import newcomers
from storage.arrivals import Expected
from storage.direct_sessions import begins_late
from storage.events import EventHead
from storage.models import SubmissionRow

from .event_dates import takes_choice
from .events import EventState, LinkPolicy, Seats, get_state
from .registrations import introduce, status_for_new
from .submissions import Submission


def register_at_once(
    session: Session,
    event: EventHead,
    submission: Submission,
    expected: Expected | None,
    *,
    now: datetime,
) -> SubmissionRow | None:
    """Register somebody new by one statement, if that may be the whole transaction.

    None where it may not, where things are not as `expected`, or the address is known, or there is
    more to decide: then nothing is stored, and `register` finds out. `event` is as it was read a
    moment ago.
    """
    if expected is None or not begins_late(session):
        return None
    if submission.is_suspicious or takes_choice(event):
        return None
    if get_state(event, Seats(0, event.capacity), now) is not EventState.OPEN:
        return None
    status, policy = status_for_new(event), LinkPolicy(event.link_policy)
    newcomer = introduce(session, event, submission, status, policy, now, mailed=0)
    return newcomers.add_alone(session, newcomer, expected)
