"""What an erasing that was asked for still waits for, and who comes meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import erasing, job_lists, submissions
from storage.erasing import Sent
from storage.models import Job, JobState, Registration, SubmissionRow

from .registrations import Outcome, Status, sync_key

JOB_KIND = "erase"


@dataclass(frozen=True)
class Wait:
    """An erasing that waits for Zoom, with why it does as far as that is known.

    `stuck_at` is since when nothing goes on by itself before the event is over, if that is so.
    """

    reason: str
    stuck_at: datetime | None = None

    @property
    def is_stuck(self) -> bool:
        return self.stuck_at is not None


@dataclass(frozen=True)
class Before:
    """What had come when an erasing was asked for; all that comes later is of somebody new.

    Who comes later is decided by the registration's lock, under which this was listed, as machines
    have clocks of their own. A form that was kept aside then, and is known by the registration
    only since, is of somebody new as well: they press their mail's button, or are let in, now.

    `ids` and, among them, `repeats` name forms. They are None in a job of a version that went by
    the time alone, `since`; such a version reads that of ours.
    """

    since: datetime
    ids: frozenset[int] | None = None
    repeats: frozenset[int] | None = None

    def has(self, form: Sent | SubmissionRow) -> bool:
        """Tell whether a form is of who is erased."""
        if self.ids is None or self.repeats is None:
            return form.created_at <= self.since
        return form.id in (self.repeats if form.outcome == Outcome.REPEAT else self.ids)

    def make_payload(self) -> dict[str, object]:
        """Return it as the payload of a job has it."""
        payload: dict[str, object] = {"since": self.since.isoformat()}
        if self.ids is not None and self.repeats is not None:
            payload |= {"ids": sorted(self.ids), "repeats": sorted(self.repeats)}
        return payload


def list_before(session: Session, locked: Registration, *, now: datetime) -> Before:
    """List what has come until now."""
    sent = erasing.list_sent(session, locked)
    repeats = frozenset(form.id for form in sent if form.outcome == Outcome.REPEAT)
    return Before(now, frozenset(form.id for form in sent), repeats)


def read_before(payload: Mapping[str, Any]) -> Before:
    """Read what `Before.make_payload` has made, of this version or an older one."""
    ids, repeats = payload.get("ids"), payload.get("repeats")
    return Before(
        datetime.fromisoformat(payload["since"]),
        None if ids is None else frozenset(ids),
        None if repeats is None else frozenset(repeats),
    )


def find_wait(session: Session, registration: Registration) -> Wait | None:
    """Say why somebody who is to be erased is not forgotten yet; None where nobody is waited for.

    Whoever was let in again meanwhile is not waited for.
    """
    job = get_open_job(session, registration)
    if job is None or registration.status != Status.CANCELLED:
        return None
    return judge_wait(job, job_lists.get_job(session, sync_key(registration.id)))


def judge_wait(job: Job, letting_go: Job | None) -> Wait:
    """As `find_wait`, by the open job of the erasing and that which has Zoom let go."""
    for holding in (job, letting_go):
        if holding is not None and holding.state == JobState.PARKED:
            return Wait(holding.reason, stuck_at=holding.updated_at)
    is_under_way = letting_go is not None and letting_go.state != JobState.DONE
    return Wait(letting_go.reason if letting_go and is_under_way else "")


def list_newer(session: Session, registration: Registration) -> list[SubmissionRow] | None:
    """List the forms with the address of somebody who is still to be erased, by which somebody new
    is registered afterwards; None where nobody is erased.
    """
    job = get_open_job(session, registration)
    if job is None or registration.status != Status.CANCELLED:
        return None
    return pick_newer(session, registration, read_before(job.payload))


def pick_newer(session: Session, registration: Registration, before: Before) -> list[SubmissionRow]:
    """List what changed nothing because the address was known, though nobody was there any more."""
    repeats = submissions.list_all_repeats(session, registration.id)
    return [form for form in repeats if not before.has(form)]


def get_open_job(session: Session, registration: Registration) -> Job | None:
    job = job_lists.get_job(session, make_key(registration))
    return job if job is not None and job.state != JobState.DONE else None


def make_key(registration: Registration) -> str:
    return f"{JOB_KIND}:{registration.id}"
