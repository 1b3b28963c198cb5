"""What a person without a join link may be told: until when, and whether waiting helps at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_lists, zoom_registrants
from storage.events import AnyEvent
from storage.models import JobState, Registration

from .chosen_dates import read_start
from .dates import format_short
from .deliveries import Delivery
from .kept_dates import WAITS as KEEPS_DATES
from .overview import name_problem
from .registrations import sync_key

# Limits that end at an hour which is known; everything else may be over in a minute.
# Who keeps the dates that they had waits for long only where it is for Zoom's next day.
_OF_A_DAY = ("PersonDayLimited", "AccountDayLimited", "HostDayLimited", "BudgetSpent", KEEPS_DATES)
_WORTH_TELLING = timedelta(minutes=15)
_STEP = timedelta(minutes=10)


@dataclass(frozen=True)
class Wait:
    """Why there is no link yet.

    `opens_at` is from when on there will be one, where Zoom's limits say so, at full ten minutes;
    `is_too_late` says that the event, or the person's next date of a series, has begun by then.
    `needs_help` says that waiting does not help: the organizer has to.
    """

    opens_at: datetime | None = None
    is_too_late: bool = False
    needs_help: bool = False


def read_wait(
    session: Session, event: AnyEvent, registration: Registration, *, now: datetime
) -> Wait | None:
    """Return what an approved person waits for; None where there is a link."""
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    if registrant is not None and registrant.join_url is not None:
        return None
    job = job_lists.get_job(session, sync_key(registration.id))
    if job is None or registrant is None:
        return Wait()
    if registrant.delivery == Delivery.REFUSED or job.state == JobState.PARKED:
        return Wait(needs_help=True)
    is_long = job.state == JobState.READY and job.run_at - now >= _WORTH_TELLING
    if not is_long or name_problem(job.reason) not in _OF_A_DAY:
        return Wait()
    opens_at = _round_up(job.run_at)
    starts_at = read_start(session, event, registration, now=now)
    return Wait(opens_at=opens_at, is_too_late=opens_at > starts_at)


def write_opening(wait: Wait | None, timezone: str, locale: str) -> str:
    """Write from when on a person's link opens; empty where nobody knows."""
    if wait is None or wait.opens_at is None:
        return ""
    return format_short(wait.opens_at, timezone, locale)


def _round_up(at: datetime) -> datetime:
    """Return the next full ten minutes: the queue moves on from then, one after the other."""
    begun = at.replace(minute=at.minute // 10 * 10, second=0, microsecond=0)
    return begun if begun == at else begun + _STEP
