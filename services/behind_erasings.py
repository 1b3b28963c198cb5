"""Who has sent the form with the address of somebody who is still to be erased.

They are registered by themselves once that is done, and nobody can be with that address before. So
where it stands still, or takes long, they wait for an organizer to see to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_lists, registrations, submissions
from storage.models import Registration, SubmissionRow

from .erasing_waits import JOB_KIND, Wait, find_wait, read_before

PATIENCE = timedelta(hours=1)
"""So long an erasing that goes on by itself may hold somebody up before organizers are told."""


@dataclass(frozen=True)
class Behind:
    """A form that waits for an erasing, and from when on an organizer should see to it."""

    form: SubmissionRow
    former: Registration
    wait: Wait

    @property
    def due_at(self) -> datetime:
        came_at, stuck_at = self.form.created_at, self.wait.stuck_at
        latest = came_at + PATIENCE
        return latest if stuck_at is None else min(latest, max(came_at, stuck_at))


def list_behind(session: Session, *, event_id: int | None = None) -> list[Behind]:
    """List who waits for an erasing, at one event or all; the first one first."""
    jobs = {
        job.payload["registration_id"]: job
        for job in job_lists.list_open(session, JOB_KIND, event_id=event_id)
    }
    waits: dict[int, tuple[Registration, Wait | None]] = {}
    found = []
    for form in submissions.list_repeats_of(session, list(jobs)):
        former_id = form.registration_id
        assert former_id is not None, "it was found by that"
        if read_before(jobs[former_id].payload).has(form):
            continue
        if former_id not in waits:
            former = registrations.get_registration(session, former_id)
            assert former is not None, "registrations are not deleted"
            waits[former_id] = former, find_wait(session, former)
        former, wait = waits[former_id]
        if wait is not None:
            found.append(Behind(form, former, wait))
    return found


def list_due(session: Session, *, event_id: int | None = None, now: datetime) -> list[Behind]:
    """As `list_behind`, of those alone who wait for an organizer."""
    return [one for one in list_behind(session, event_id=event_id) if one.due_at <= now]
