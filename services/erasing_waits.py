"""What an erasing that was asked for still waits for, and who comes meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import job_lists, submissions
from storage.models import Job, JobState, Registration, SubmissionRow

from .registrations import Status, sync_key

JOB_KIND = "erase"


@dataclass(frozen=True)
class Wait:
    """An erasing that waits for Zoom, with why it does as far as that is known.

    `is_stuck`: nothing goes on by itself before the event is over.
    """

    reason: str
    is_stuck: bool


def find_wait(session: Session, registration: Registration) -> Wait | None:
    """Say why somebody who is to be erased is not forgotten yet; None where nobody is waited for.

    Whoever was let in again meanwhile is not waited for.
    """
    job = get_open_job(session, registration)
    if job is None or registration.status != Status.CANCELLED:
        return None
    letting_go = job_lists.get_job(session, sync_key(registration.id))
    for holding in (job, letting_go):
        if holding is not None and holding.state == JobState.PARKED:
            return Wait(holding.reason, is_stuck=True)
    is_under_way = letting_go is not None and letting_go.state != JobState.DONE
    return Wait(letting_go.reason if letting_go and is_under_way else "", is_stuck=False)


def list_newer(session: Session, registration: Registration) -> list[SubmissionRow] | None:
    """List the forms with the address of somebody who is still to be erased, by which somebody new
    is registered afterwards; None where nobody is erased.
    """
    job = get_open_job(session, registration)
    if job is None or registration.status != Status.CANCELLED:
        return None
    since = datetime.fromisoformat(job.payload["since"])
    return submissions.list_repeats_since(session, registration.id, since)


def get_open_job(session: Session, registration: Registration) -> Job | None:
    job = job_lists.get_job(session, make_key(registration))
    return job if job is not None and job.state != JobState.DONE else None


def make_key(registration: Registration) -> str:
    return f"{JOB_KIND}:{registration.id}"
