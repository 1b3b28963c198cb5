"""The queue of jobs for Zoom, which stands still where a pause says so, but for probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import Session

from . import jobs, zoom_pauses
from .jobs import POISONOUS_AFTER, ClaimedJob
from .models import Job, ZoomAccount, ZoomEvent

PROBE_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class ProbingJob(ClaimedJob):
    """A job that tries whether what is paused works again; until then no other one does."""

    paused: ZoomAccount | ZoomEvent
    until: datetime


def has_due(session: Session, *, kinds: Sequence[str], now: datetime) -> bool:
    """Tell whether a claim may find something: a job, or that it is time for a probe."""
    if jobs.has_due(session, kinds=kinds, now=now, where=_is_free()):
        return True
    probes = [paused.probe_at for paused in _list_paused(session)]
    return any(probe_at is not None and probe_at <= now for probe_at in probes)


def claim(
    session: Session, *, kinds: Sequence[str], owner: str, lease_seconds: float, now: datetime
) -> ClaimedJob | None:
    """Take the job that has been due for longest, of what does not stand still or as a probe."""
    job = jobs.claim(
        session,
        kinds=kinds,
        owner=owner,
        lease_seconds=lease_seconds,
        now=now,
        where=_is_free(),
    )
    if job is not None:
        return job
    for paused in _list_paused(session):
        kind = _find_probing_kind(session, paused, now)
        if kind is None or kind not in kinds:
            continue
        until = now + PROBE_EVERY
        if not zoom_pauses.take_probe(session, paused, until=until, now=now):
            continue
        job = jobs.claim(
            session,
            kinds=[kind],
            owner=owner,
            lease_seconds=lease_seconds,
            now=now,
            where=Job.event_id.in_(zoom_pauses.select_events_to_probe(paused)),
        )
        if job is not None and job.crashes < POISONOUS_AFTER:
            return ProbingJob(**vars(job), paused=paused, until=until)
        # What its workers died of is put aside unasked.
        zoom_pauses.give_probe_back(session, paused, until=until, now=now)
        return job
    return None


def give_probe_back(session: Session, job: ProbingJob, *, now: datetime) -> None:
    """Let the next job be the probe at once, as there was nothing to ask Zoom for this one."""
    zoom_pauses.give_probe_back(session, job.paused, until=job.until, now=now)


def _find_probing_kind(
    session: Session, paused: ZoomAccount | ZoomEvent, now: datetime
) -> str | None:
    """Return the kind of job that tries it: in an outage a walk, which cannot add anybody twice.

    After an event nothing may be left but asking who came, and where nobody waits but the dates of
    a series.
    """
    is_outage = isinstance(paused, ZoomAccount) and paused.failures > 0
    kinds = ("zoom.settle", "zoom.sync") if is_outage else ("zoom.sync", "zoom.settle")
    where = Job.event_id.in_(zoom_pauses.select_events_to_probe(paused))
    for kind in (*kinds, "zoom.attendance", "zoom.dates"):
        if jobs.has_due(session, kinds=[kind], now=now, where=where):
            return kind
    return None


def _list_paused(session: Session) -> list[ZoomAccount | ZoomEvent]:
    return [*zoom_pauses.list_paused_accounts(session), *zoom_pauses.list_paused_events(session)]


def _is_free() -> ColumnElement[bool]:
    """Return a condition for jobs that wait for no probe; a reason says that one was tried."""
    return or_(
        Job.event_id.is_(None),
        Job.event_id.not_in(zoom_pauses.select_standing_events()),
        and_(Job.reason == "", Job.event_id.in_(zoom_pauses.select_events_of_first_tries())),
    )
