"""Who has sent the form with the address of somebody who is still to be erased.

They are registered by themselves once that is done, and nobody can be with that address before. So
where it stands still, or takes long, they wait for an organizer to see to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import job_lists, registrations, submissions
from storage.models import Job, Registration, SubmissionRow

from .erasing_waits import JOB_KIND, Wait, judge_wait, read_before
from .registrations import Status, sync_key

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


def list_behind(session: Session, *, event_id: int) -> list[Behind]:
    """List who waits for an erasing at an event, the first one first."""
    return _list_behind(session, job_lists.list_open(session, JOB_KIND, event_id=event_id))


def list_due(session: Session, *, event_id: int, now: datetime) -> list[Behind]:
    """As `list_behind`, of those alone who wait for an organizer."""
    return [one for one in list_behind(session, event_id=event_id) if one.due_at <= now]


def list_due_ahead(session: Session, *, now: datetime) -> dict[int, list[Behind]]:
    """As `list_due`, by event: of all that are neither over nor cancelled and have somebody."""
    found: dict[int, list[Behind]] = {}
    for one in _list_behind(session, job_lists.list_open_ahead(session, JOB_KIND, now=now)):
        if one.due_at <= now:
            found.setdefault(one.form.event_id, []).append(one)
    return found


def _list_behind(session: Session, open_jobs: Sequence[Job]) -> list[Behind]:
    """Find them by as many statements for hundreds as for one: a worker looks each minute."""
    jobs = {job.payload["registration_id"]: job for job in open_jobs}
    before = {former_id: read_before(job.payload) for former_id, job in jobs.items()}
    newer = [
        (form.registration_id, form)
        for form in submissions.list_repeats_of(session, list(jobs))
        if form.registration_id is not None and not before[form.registration_id].has(form)
    ]
    ids = sorted({former_id for former_id, _ in newer})
    formers = {one.id: one for one in registrations.list_registrations(session, ids)}
    letting_go = job_lists.map_jobs(session, [sync_key(former_id) for former_id in ids])
    return [
        Behind(
            form,
            formers[former_id],
            judge_wait(jobs[former_id], letting_go.get(sync_key(former_id))),
        )
        for former_id, form in newer
        # Whoever was let in again meanwhile is not waited for.
        if formers[former_id].status == Status.CANCELLED
    ]
