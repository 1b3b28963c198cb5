"""The queue of work for other systems, as workers take from it; `job_requests` puts work in.

Its jobs are rows in the database of the registrations themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    exists,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from .models import Job, JobState
from .statements import Statement, rowcount

POISONOUS_AFTER = 3
"""So many workers may die while they hold a job; then somebody has to look at it."""

GIVEN_UP = "GivenUp"
"""The class of the reason for which these are put aside, and what fails again and again."""

LEASE_SECONDS = 60.0
"""So long a worker may hold a job without a sign of life; a remote call takes less than half."""

CLOCK_TOLERANCE = timedelta(minutes=1)

_ANY = true()


@dataclass(frozen=True)
class ClaimedJob:
    """A job as one worker holds it: only this owner may finish this generation.

    `reason` says why it was handed back last.
    """

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    generation: int
    attempts: int
    crashes: int
    owner: str
    created_at: datetime
    event_id: int | None = None
    reason: str = ""


def claim(
    session: Session,
    *,
    kinds: Sequence[str],
    owner: str,
    lease_seconds: float,
    now: datetime,
    where: ColumnElement[bool] = _ANY,
) -> ClaimedJob | None:
    """Take the job that has been due for longest, counting the attempt before it is made.

    `where` narrows the choice. One with `POISONOUS_AFTER` crashes is taken to be put aside, not to
    be done.
    """
    for due in _list_ways_to_be_due(now, now + CLOCK_TOLERANCE):
        found = select(Job).where(*due, _is_of(kinds), where).order_by(Job.run_at).limit(1)
        if job := session.scalar(found.with_for_update(skip_locked=True)):
            return take(job, owner=owner, lease_seconds=lease_seconds, now=now)
    return None


def count_due(session: Session, kind: str, *, event_id: int, most: int, now: datetime) -> int:
    """Count the jobs of one event that wait for a worker and are due, up to a number."""
    due = select(Job.id).where(*_is_waiting(kind, event_id, now)).limit(most)
    return len(session.scalars(due).all())


def lock_due(
    session: Session, kind: str, *, event_id: int | None, limit: int, now: datetime
) -> list[Job]:
    """List the jobs of one event that are due, the oldest first, for `take` in this transaction."""
    return list(
        session.scalars(
            select(Job)
            .where(*_is_waiting(kind, event_id, now))
            .order_by(Job.run_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def take(job: Job, *, owner: str, lease_seconds: float, now: datetime) -> ClaimedJob:
    """Claim a job that this transaction has locked, counting the attempt before it is made."""
    if job.state == JobState.RUNNING:
        # Its lease ran out: whoever held it has died, perhaps of it.
        job.crashes += 1
    job.state = JobState.RUNNING
    job.attempts += 1
    job.owner = owner
    job.lease_until = now + timedelta(seconds=lease_seconds)
    job.updated_at = now
    return ClaimedJob(
        id=job.id,
        kind=job.kind,
        key=job.key,
        payload=job.payload,
        event_id=job.event_id,
        generation=job.generation,
        attempts=job.attempts,
        crashes=job.crashes,
        owner=owner,
        created_at=job.created_at,
        reason=job.reason,
    )


class DueJobs:
    """Tells whether a claim would find something, without taking the database's write lock.

    Workers ask before each job and when idle each second, so it is one statement, written once for
    each choice of kinds. `where` narrows the choice as in `claim`.
    """

    def __init__(self, where: ColumnElement[bool] = _ANY) -> None:
        self._where = where
        self._statements: dict[tuple[str, ...], Statement] = {}

    def has_any(self, session: Session, *, kinds: Sequence[str], now: datetime) -> bool:
        statement = self._statements.get(tuple(kinds))
        if statement is None:
            statement = self._statements[tuple(kinds)] = self._write(kinds)
        values = {"now": now, "soon": now + CLOCK_TOLERANCE}
        return statement.fetch(session, values) is not None

    def _write(self, kinds: Sequence[str]) -> Statement:
        # Written out: a list of values would be of no fixed shape.
        is_of_kinds = Job.kind.in_([literal(kind) for kind in kinds])
        now, soon = (bindparam(name, type_=Job.run_at.type) for name in ("now", "soon"))
        found = [
            exists().where(*due, is_of_kinds, self._where)
            for due in _list_ways_to_be_due(now, soon)
        ]
        # By a plan for any values, PostgreSQL would read all jobs that were ever done.
        return Statement(lambda _: select(literal(1)).where(or_(*found)), is_planned_anew=True)


_DUE = DueJobs()


def has_due(session: Session, *, kinds: Sequence[str], now: datetime) -> bool:
    """Tell whether a claim would find a job of some kinds, as `DueJobs`."""
    return _DUE.has_any(session, kinds=kinds, now=now)


def has_due_where(
    session: Session, kind: str, where: ColumnElement[bool], *, now: datetime
) -> bool:
    """As `has_due`, for a condition that is another one each time."""
    ways = _list_ways_to_be_due(now, now + CLOCK_TOLERANCE)
    found = (select(Job.id).where(*due, Job.kind == kind, where).limit(1) for due in ways)
    return any(session.scalar(one) is not None for one in found)


def hold(session: Session, job: ClaimedJob, *, lease_seconds: float, now: datetime) -> None:
    """Check that the job is still ours, and renew its lease.

    Raises:
        LeaseLost: another worker has taken it; nothing of this one may be stored.
    """
    hold_all(session, [job], lease_seconds=lease_seconds, now=now)


def hold_all(
    session: Session, batch: Sequence[ClaimedJob], *, lease_seconds: float, now: datetime
) -> None:
    """As `hold`, for jobs of one worker by one statement: if one is lost, nothing may be stored."""
    values = {"lease_until": now + timedelta(seconds=lease_seconds), "updated_at": now}
    _change_held(session, batch, values)


def finish(
    session: Session,
    job: ClaimedJob,
    *,
    reason: str = "",
    again_at: datetime | None = None,
    now: datetime,
) -> None:
    """End the job, or make it ready again if its work was needed anew meanwhile.

    A reason says why it ends without its work done, `again_at` when it is done anew, if not now.

    Raises:
        LeaseLost: as `hold`.
    """
    _release(session, [job], JobState.DONE, reason=reason, again_at=again_at, now=now)


def finish_all(session: Session, batch: Sequence[ClaimedJob], *, now: datetime) -> None:
    """As `finish`, for jobs of one worker by one statement, each by its own generation.

    Raises:
        LeaseLost: one of them is lost; nothing may be stored.
    """
    _release(session, batch, JobState.DONE, now=now)


def postpone(
    session: Session,
    job: ClaimedJob,
    *,
    run_at: datetime,
    reason: str,
    now: datetime,
    is_attempt: bool = True,
    is_firm: bool = False,
) -> None:
    """Hand the job back until `run_at`; without `is_attempt` this try does not count.

    A generation raised meanwhile makes it due at once, as the wish has changed. With `is_firm` it
    waits all the same, for something that the change does not bring nearer.
    """
    _release(
        session,
        [job],
        JobState.READY,
        run_at=run_at,
        reason=reason,
        attempts=Job.attempts if is_attempt else Job.attempts - 1,
        is_firm=is_firm,
        now=now,
    )


def repeat(session: Session, job: ClaimedJob, *, at: datetime, now: datetime) -> None:
    """Hand back work that is done for now and due anew at a time; until then it is not late.

    A generation raised meanwhile makes it due at once.
    """
    attempts = Job.attempts - 1
    _release(session, [job], JobState.READY, run_at=at, due_since=at, attempts=attempts, now=now)


def park(session: Session, job: ClaimedJob, *, reason: str, now: datetime) -> None:
    """Put the job aside with a reason until somebody retries it."""
    _release(session, [job], JobState.PARKED, reason=reason, now=now)


def let_go(session: Session, owner: str, *, run_at: datetime, reason: str, now: datetime) -> None:
    """Hand back whatever is held by one who does nothing now, each as one more try.

    How many workers died of it before stays known.
    """
    session.execute(
        update(Job)
        .where(Job.owner == owner, Job.state == JobState.RUNNING)
        .values(
            state=JobState.READY,
            run_at=run_at,
            reason=reason,
            owner=None,
            lease_until=None,
            updated_at=now,
        )
    )


class LeaseLost(Exception):
    """The lease ran out and another worker holds the job now."""


def _is_waiting(kind: str, event_id: int | None, now: datetime) -> list[ColumnElement[bool]]:
    return [
        Job.state == JobState.READY,
        Job.kind == kind,
        Job.run_at <= now,
        Job.event_id == event_id,
    ]


def _is_of(kinds: Sequence[str]) -> ColumnElement[bool]:
    # SQLite reads an index in order for an equality alone, and would sort the whole queue for IN.
    return Job.kind == kinds[0] if len(kinds) == 1 else Job.kind.in_(kinds)


def _list_ways_to_be_due(now: Any, soon: Any) -> list[list[ColumnElement[bool]]]:
    """List which jobs may be claimed, each way with a search of its own.

    One condition for all would read every due job. A job stored in the future comes from a clock
    that was set back since; its times mean nothing. Two machines whose clocks differ by more than
    the tolerance, after which it is `soon`, would take each other's jobs too early, as their leases
    do.
    """
    return [
        [Job.state == JobState.RUNNING, or_(Job.lease_until <= now, Job.updated_at > soon)],
        [Job.state == JobState.READY, Job.run_at <= now],
        [Job.state == JobState.READY, Job.run_at > soon, Job.updated_at > soon],
    ]


def _release(
    session: Session,
    batch: Sequence[ClaimedJob],
    state: JobState,
    *,
    run_at: datetime | None = None,
    due_since: datetime | None = None,
    reason: str = "",
    attempts: Any = Job.attempts,
    is_firm: bool = False,
    again_at: datetime | None = None,
    now: datetime,
) -> None:
    """Let go of jobs in a state; those whose generation was raised meanwhile become ready.

    The latter begin with a fresh count at `again_at`, by default at once; `is_firm` ignores that a
    generation was raised.
    """
    is_kept = true() if is_firm else _is_of_generation(batch)
    values = {
        "state": case((is_kept, state), else_=JobState.READY),
        "attempts": case((is_kept, attempts), else_=0),
        "run_at": case((is_kept, _moment(run_at or now)), else_=_moment(again_at or now)),
        "reason": reason,
    }
    if due_since is not None:
        values["due_since"] = case((is_kept, _moment(due_since)), else_=_moment(now))
    released = {"owner": None, "lease_until": None, "crashes": 0, "updated_at": now}
    _change_held(session, batch, released | values)


def _moment(at: datetime) -> ColumnElement[datetime]:
    """Give a time the type of the column: by itself SQLite would get it without its zone."""
    return literal(at, Job.run_at.type)


def _is_of_generation(batch: Sequence[ClaimedJob]) -> ColumnElement[bool]:
    """Return a condition for those of a batch whose generation is as it was when claimed."""
    return tuple_(Job.id, Job.generation).in_([(job.id, job.generation) for job in batch])


def _change_held(session: Session, batch: Sequence[ClaimedJob], values: dict[str, Any]) -> None:
    """Change jobs that one worker holds, all or none."""
    (owner,) = {job.owner for job in batch}
    changed = session.execute(
        update(Job)
        .where(
            Job.id.in_([job.id for job in batch]), Job.owner == owner, Job.state == JobState.RUNNING
        )
        .values(**values)
    )
    if rowcount(changed) < len(batch):
        raise LeaseLost(", ".join(job.key for job in batch))
