"""Registering somebody new by one statement, where all is as it was a moment ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from storage import newcomers
from storage.arrivals import Expected
from storage.direct_sessions import begins_late
from storage.events import EventHead
from storage.models import SubmissionRow

from .event_dates import takes_choice
from .events import EventState, LinkPolicy, count_seats, get_state
from .registrations import introduce, status_for_new
from .submissions import Submission


def register_alone(
    session: Session,
    event: EventHead,
    submission: Submission,
    expect: Callable[[], Expected],
    *,
    now: datetime,
) -> SubmissionRow | None:
    """Register somebody new by one statement, if that may be the whole transaction.

    None where it may not, where things are not as `expect` says, the address is known, or there is
    more to decide: then nothing is stored, and `register` finds out. `event` is as it was read a
    moment ago.
    """
    if not begins_late(session) or submission.is_suspicious or takes_choice(event):
        return None
    policy, seats = LinkPolicy(event.link_policy), count_seats(event, event.seats_taken)
    # Where nothing may tell whether an address is known, the known and the unknown go one way.
    if policy is not LinkPolicy.SHOW:
        return None
    if seats.are_all_taken or get_state(event, seats, now) is not EventState.OPEN:
        return None
    expected, status = expect(), status_for_new(event)
    newcomer = introduce(session, event, submission, status, policy, now, mailed=0)
    return newcomers.add_alone(session, newcomer, expected)
