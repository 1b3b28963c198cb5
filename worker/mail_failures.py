"""A mail that did not go: for how long it is tried again, and what is put aside."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.messages import MessageRefused
from storage import jobs
from storage.jobs import ClaimedJob

from .backoff import next_try
from .smtp import MailError, MailRefused

MOST_TRIES = 30
"""With the waits between them these take a day, however long nobody tried before or in between."""

NOT_SENT = "not sent: it was not wanted any more"
"""The reason of a job that ends without its mail: one that ends without any was taken."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """`is_final`: no other try will do better."""

    reason: str
    is_final: bool


def judge(job: ClaimedJob, error: MailError | MessageRefused) -> Failure:
    """Tell whether to give up: this mail is refused, or a day of tries is over. It is logged."""
    reason = f"{type(error).__name__}: {error}"
    log.warning("mail not sent", extra={"job": job.key, "reason": reason})
    is_refused = isinstance(error, (MailRefused, MessageRefused))
    return Failure(reason, is_refused or job.attempts >= MOST_TRIES)


def put_off(
    session: Session, job: ClaimedJob, reason: str, *, is_final: bool, now: datetime
) -> None:
    """Have the job tried later, or put aside for somebody to look at."""
    if is_final:
        jobs.park(session, job, reason=reason, now=now)
    else:
        run_at = next_try(job.attempts, now=now)
        jobs.postpone(session, job, run_at=run_at, reason=reason, now=now)
