"""The queue as an operator sees it: listing what waits or was put aside, retrying, dropping."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, not_, or_, select, update
from sqlalchemy.orm import Session

from .event_ends import is_ahead
from .job_requests import wake_workers
from .models import Event, Job, JobState, Mail, Registration
from .statements import rowcount
from .submissions import get_creating_submission

_OPEN = (JobState.READY, JobState.RUNNING, JobState.PARKED)
_AT_ONCE = 1000


def get_job(session: Session, key: str) -> Job | None:
    return session.scalar(select(Job).where(Job.key == key))


def list_jobs(
    session: Session, *, states: Sequence[str], event_id: int | None = None, limit: int
) -> list[Job]:
    chosen = _choose(states, event_id)
    return list(
        session.scalars(select(Job).where(*chosen).order_by(Job.run_at, Job.id).limit(limit))
    )


def list_open(session: Session, kind: str, *, event_id: int | None = None) -> list[Job]:
    """List the jobs of a kind that are not done, at one event or all."""
    chosen = _choose(_OPEN, event_id)
    return list(session.scalars(select(Job).where(Job.kind == kind, *chosen).order_by(Job.id)))


def list_open_ahead(session: Session, kind: str, *, now: datetime) -> list[Job]:
    """As `list_open`, of all events that are neither over nor cancelled."""
    is_to_come = (Event.status != "cancelled", is_ahead(Event, since=now, now=now))
    chosen = (Job.kind == kind, Job.state.in_(_OPEN), *is_to_come)
    found = select(Job).join(Event, Event.id == Job.event_id).where(*chosen)
    return list(session.scalars(found.order_by(Job.id)))


def map_jobs(session: Session, keys: Sequence[str]) -> dict[str, Job]:
    """Return jobs by their keys, those that there are."""
    found: dict[str, Job] = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = Job.key.in_(keys[start : start + _AT_ONCE])
        found |= {job.key: job for job in session.scalars(select(Job).where(some))}
    return found


def list_subjects(session: Session, found: Sequence[Job]) -> dict[int, tuple[str, str]]:
    """Return the event's slug and the receipt's number that each job is about, by the job's id."""
    slugs = {event_id: slug for event_id, slug in session.execute(select(Event.id, Event.slug))}
    subjects = {}
    for job in found:
        registration_id = _find_registration(session, job)
        created = (
            get_creating_submission(session, registration_id)
            if registration_id is not None
            else None
        )
        subjects[job.id] = (slugs.get(job.event_id or 0, ""), created.number if created else "")
    return subjects


def list_concerned(
    session: Session, event_id: int, state: JobState, *, limit: int
) -> list[tuple[str, str, str]]:
    """Return whom an event's first jobs in a state are about: reason, public id, receipt number."""
    concerned = []
    for job in list_jobs(session, states=(state,), event_id=event_id, limit=limit):
        registration_id = _find_registration(session, job)
        person = session.get(Registration, registration_id) if registration_id else None
        created = get_creating_submission(session, person.id) if person else None
        if person and created:
            concerned.append((job.reason, person.public_id, created.number))
    return concerned


def _find_registration(session: Session, job: Job) -> int | None:
    mail_id: int | None = job.payload.get("mail_id")
    mail = session.get(Mail, mail_id) if mail_id else None
    return mail.registration_id if mail else job.payload.get("registration_id")


def count_jobs(
    session: Session, *, states: Sequence[str], event_id: int | None = None
) -> list[tuple[str, str, str, int]]:
    """Count jobs by kind, state and the beginning of their reason, the most first."""
    head = func.substr(Job.reason, 1, 40)
    rows = session.execute(
        select(Job.kind, Job.state, head, func.count())
        .where(*_choose(states, event_id))
        .group_by(Job.kind, Job.state, head)
        .order_by(func.count().desc(), Job.kind, Job.state)
    )
    return [(kind, state, reason, count) for kind, state, reason, count in rows]


def retry(session: Session, key: str, *, now: datetime) -> bool:
    """Make a parked or waiting job due now with a fresh count of attempts."""
    is_this = (Job.key == key, Job.state.in_((JobState.PARKED, JobState.READY)))
    return _make_due(session, is_this, now) > 0


def retry_parked(
    session: Session,
    *,
    event_id: int | None,
    kind: str | None = None,
    problem: str | None = None,
    excepted: Sequence[str] = (),
    now: datetime,
) -> int:
    """Make all parked jobs due, or those of one event, kind or class of error; return how many.

    Those with an `excepted` class of error stay where they are.
    """
    chosen = _choose((JobState.PARKED,), event_id)
    if kind is not None:
        chosen.append(Job.kind == kind)
    if problem is not None:
        chosen.append(_is_of(problem))
    chosen += [not_(_is_of(other)) for other in excepted]
    return _make_due(session, chosen, now)


def list_parked(
    session: Session, event_id: int, *, problems: Sequence[str], after: int, limit: int
) -> list[Job]:
    """List jobs of an event by id, from one on, that were put aside with a class of error."""
    is_one = or_(*(_is_of(problem) for problem in problems))
    chosen = (*_choose((JobState.PARKED,), event_id), is_one, Job.id > after)
    return list(session.scalars(select(Job).where(*chosen).order_by(Job.id).limit(limit)))


def drop(session: Session, key: str) -> bool:
    """Delete a job that is not running; return False if there was none."""
    changed = session.execute(delete(Job).where(Job.key == key, Job.state != JobState.RUNNING))
    return rowcount(changed) > 0


def _choose(states: Sequence[str], event_id: int | None) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = [Job.state.in_(states)]
    return chosen if event_id is None else [*chosen, Job.event_id == event_id]


def _is_of(problem: str) -> ColumnElement[bool]:
    return or_(Job.reason == problem, Job.reason.startswith(f"{problem}:"))


def _make_due(session: Session, chosen: Sequence[ColumnElement[bool]], now: datetime) -> int:
    values = {"state": JobState.READY, "attempts": 0, "crashes": 0, "reason": ""}
    changed = session.execute(
        update(Job).where(*chosen).values(run_at=now, due_since=now, updated_at=now, **values)
    )
    wake_workers(session)
    return rowcount(changed)
