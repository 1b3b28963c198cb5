"""The queue of jobs for Zoom, which stands still where a pause says so, but for probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import Session

from . import jobs, zoom_pauses
from .job_requests import ZOOM_SETTLE, ZOOM_SYNC
from .jobs import POISONOUS_AFTER, ClaimedJob, DueJobs
from .models import Job, JobState, ZoomAccount, ZoomEvent

PROBE_EVERY = timedelta(seconds=30)

DOING = (ZOOM_SYNC.kind, ZOOM_SETTLE.kind)
LOOKING = ("zoom.attendance", "zoom.dates")
"""The kinds of jobs that may be probes; what these show is only that Zoom tells of a meeting."""


@dataclass(frozen=True, kw_only=True)
class ProbingJob(ClaimedJob):
    """A job that tries whether what is paused works again; until then no other one does."""

    paused: ZoomAccount | ZoomEvent
    until: datetime


def has_due(session: Session, *, kinds: Sequence[str], now: datetime) -> bool:
    """Tell whether a claim may find something: a job, or that it is time for a probe."""
    if _DUE.has_any(session, kinds=kinds, now=now):
        return True
    if not zoom_pauses.has_probe_due(session, now=now):
        return False
    for paused in list_paused(session):
        if zoom_pauses.is_probe_due(paused, now=now):
            probe = _find_probe(session, paused, now)
            if probe is not None and probe[0] in kinds:
                return True
    return False


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
        where=_IS_FREE,
    )
    if job is not None:
        return job
    for paused in list_paused(session):
        probe = _find_probe(session, paused, now)
        if probe is None or probe[0] not in kinds:
            continue
        kind, where = probe
        until = now + PROBE_EVERY
        if not zoom_pauses.take_probe(session, paused, until=until, now=now):
            continue
        job = jobs.claim(
            session,
            kinds=[kind],
            owner=owner,
            lease_seconds=lease_seconds,
            now=now,
            where=where,
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


def list_paused(session: Session) -> list[ZoomAccount | ZoomEvent]:
    """List the accounts and the events that stand still."""
    return [*zoom_pauses.list_paused_accounts(session), *zoom_pauses.list_paused_events(session)]


def has_waiting(
    session: Session, paused: ZoomAccount | ZoomEvent, *, kinds: Sequence[str], but_for: str
) -> bool:
    """Tell whether a job, due or not, is one of those that stand still until a pause ends.

    Of an account those do not count that another pause keeps from being its probe, nor does one
    that waits for a reason which begins with the word `but_for`.
    """
    held = (
        zoom_pauses.select_events_to_probe(paused)
        if isinstance(paused, ZoomAccount)
        else [paused.event_id]
    )
    found = select(Job.id).where(
        Job.state.in_((JobState.READY, JobState.RUNNING)),
        Job.kind.in_(kinds),
        Job.event_id.in_(held),
        not_(Job.reason.startswith(f"{but_for}:")),
    )
    return session.scalar(found.limit(1)) is not None


def list_put_aside_before(
    session: Session, paused: ZoomEvent, *, problems: Sequence[str], limit: int, now: datetime
) -> list[tuple[str, bool]]:
    """List the keys of the last jobs that were put aside before a pause, for some classes of error.

    Those whom Zoom takes once more only today come after all others, and with a True.
    """
    begun_at = paused.paused_since or now
    is_last = Job.key.in_(zoom_pauses.select_jobs_of_last_adds(paused.event_id, now=now))
    found = select(Job.key, is_last).where(
        Job.state == JobState.PARKED,
        Job.kind == ZOOM_SYNC.kind,
        Job.event_id == paused.event_id,
        or_(*(Job.reason.startswith(f"{problem}:") for problem in problems)),
        # What was under way when the pause began ended a moment later.
        Job.updated_at < begun_at + PROBE_EVERY,
    )
    rows = session.execute(found.order_by(is_last, Job.updated_at.desc(), Job.id).limit(limit))
    return [(key, bool(would_be_last)) for key, would_be_last in rows]


def _find_probe(
    session: Session, paused: ZoomAccount | ZoomEvent, now: datetime
) -> tuple[str, ColumnElement[bool]] | None:
    """Return the kind of job that tries it, and which of them: in an outage a walk.

    That cannot add anybody twice. After an event nothing may be left but asking who came, and where
    nobody waits but the dates of a series.
    """
    is_outage = isinstance(paused, ZoomAccount) and paused.failures > 0
    kinds = reversed(DOING) if is_outage else DOING
    for kind in (*kinds, *LOOKING):
        for where in _list_choices(paused, now):
            if jobs.has_due_where(session, kind, where, now=now):
                return kind, where
    return None


def _list_choices(paused: ZoomAccount | ZoomEvent, now: datetime) -> list[ColumnElement[bool]]:
    """List which jobs may be the probe, the better ones first.

    Zoom counts an add that it refuses. Somebody's last one of the day is left for when it takes
    people again, unless somebody says that this is now.
    """
    anybody = Job.event_id.in_(zoom_pauses.select_events_to_probe(paused))
    if isinstance(paused, ZoomAccount) or paused.pause_problem != zoom_pauses.EVERYBODY:
        return [anybody]
    keys = zoom_pauses.select_jobs_of_last_adds(paused.event_id, now=now)
    with_spare_adds = and_(anybody, Job.key.not_in(keys))
    return [with_spare_adds, anybody] if _is_hastened(paused) else [with_spare_adds]


def _is_hastened(paused: ZoomEvent) -> bool:
    """Tell whether somebody has had it tried since the last probe; without it, probes are counted.

    Right after its beginning a pause counts none, and nobody has mended anything.
    """
    since = paused.paused_since
    return (
        paused.probes == 0 and since is not None and abs(paused.updated_at - since) >= PROBE_EVERY
    )


def _is_free() -> ColumnElement[bool]:
    """Return a condition for jobs that wait for no probe; a reason says that one was tried.

    Where Zoom refuses whoever is to be added, what only asks it about them goes on.
    """
    is_first_or_asks = or_(Job.reason == "", Job.kind != ZOOM_SYNC.kind)
    return or_(
        Job.event_id.is_(None),
        Job.event_id.not_in(zoom_pauses.select_standing_events()),
        and_(is_first_or_asks, Job.event_id.in_(zoom_pauses.select_events_of_first_tries())),
    )


_IS_FREE = _is_free()
_DUE = DueJobs(_IS_FREE)
