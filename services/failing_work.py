"""Work beside registrants at Zoom and mails that fails for a reason that nobody foresaw.

It is tried again for many hours before it is put aside, and nobody waits for it who would ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import overview
from storage.job_requests import ZOOM_SETTLE

from . import (
    attendance_records,
    date_following,
    erasing_waits,
    event_tasks,
    held_mails,
    people_imports,
    people_tasks,
    place_signs,
    webhooks,
)
from .job_failures import JobFailure

KINDS = (
    attendance_records.JOB_KIND,
    date_following.JOB_KIND,
    erasing_waits.JOB_KIND,
    event_tasks.JOB_KIND,
    held_mails.JOB_KIND,
    held_mails.OVER_JOB,
    held_mails.LEFT_JOB,
    people_imports.JOB_KIND,
    people_tasks.JOB_KIND,
    place_signs.JOB_KIND,
    webhooks.JOB_KIND,
    ZOOM_SETTLE.kind,
)

# The database may fail once at anything: it was away, and goes on.
_OUTAGES_IN_A_ROW = 2


@dataclass(frozen=True)
class FailingWork:
    """Open jobs of one kind at which a worker failed last, all with one class of error.

    `times` is how often in a row one of them did at most, `since` when the first of them began to,
    if that is known.
    """

    kind: str
    problem: str
    count: int
    times: int
    since: datetime | None


@dataclass(frozen=True)
class WorkState:
    """`untried` are the kinds of which something is due, and shows nothing since it was asked for.

    So is what is tried again by hand.
    """

    failing: tuple[FailingWork, ...]
    untried: tuple[str, ...]


def read_work(session: Session, *, now: datetime) -> WorkState:
    """Read it, the kind of which most fails first."""
    found: dict[tuple[str, str], list[tuple[JobFailure, int]]] = {}
    untried: set[str] = set()
    for kind, reason, count in overview.list_open_reasons(session, KINDS, now=now):
        failure = JobFailure.read(reason)
        if failure and not (failure.is_outage and failure.times < _OUTAGES_IN_A_ROW):
            found.setdefault((kind, failure.problem), []).append((failure, count))
        elif failure or not reason:
            untried.add(kind)
    failing = [_gather(*of, failures) for of, failures in found.items()]
    failing.sort(key=lambda work: (-work.count, work.kind, work.problem))
    return WorkState(tuple(failing), tuple(sorted(untried)))


def _gather(kind: str, problem: str, failures: Sequence[tuple[JobFailure, int]]) -> FailingWork:
    return FailingWork(
        kind,
        problem,
        count=sum(count for _, count in failures),
        times=max(failure.times for failure, _ in failures),
        since=min((failure.since for failure, _ in failures if failure.since), default=None),
    )
