"""Keeping a job that takes longer than its lease."""

from __future__ import annotations

from datetime import datetime, timedelta

from storage import jobs
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.session import Database

RENEW_AFTER = timedelta(seconds=15)


def renew_lease(
    database: Database, job: ClaimedJob, renewed_at: datetime, *, now: datetime
) -> datetime:
    """Renew a lease that is some time old, and return when it was renewed last.

    Raises:
        LeaseLost: another worker holds the job.
    """
    if now - renewed_at < RENEW_AFTER:
        return renewed_at
    with database.write() as session:
        jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
    return now
