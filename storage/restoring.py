"""What has to be changed in a database that was put back: who held what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import String, and_, cast, delete, literal, or_, select, update
from sqlalchemy.orm import Session

from .models import (
    AccessLink,
    ApiKey,
    Job,
    JobState,
    Mail,
    OrganizerMail,
    OrganizerSession,
    PeopleImport,
    PeopleTask,
    RateBucket,
    Registration,
    WorkerHeartbeat,
    ZoomConnection,
    ZoomRegistrant,
)
from .statements import rowcount

_UNSENT = ("queued", "sending", "unknown", "again")
_OPEN = (JobState.READY, JobState.RUNNING)


def hold_mails(session: Session, *, reason: str, now: datetime) -> int:
    """Hold back every mail that had not been sent, with its job, and return how many."""
    keys = literal("mail:").concat(cast(Mail.id, String))
    is_held = Job.key.in_(select(keys).where(Mail.state.in_(_UNSENT)))
    # What was refused or given up is parked already, and stays so with its own reason.
    session.execute(
        update(Job)
        .where(
            Job.kind == "mail",
            or_(Job.state.in_(_OPEN), and_(Job.state == JobState.PARKED, is_held)),
        )
        .values(state=JobState.PARKED, reason=reason, owner=None, lease_until=None, updated_at=now)
    )
    held = session.execute(
        update(Mail).where(Mail.state.in_(_UNSENT)).values(state="held", error=reason)
    )
    return rowcount(held)


def end_mails_with_a_button(session: Session, *, reason: str, now: datetime) -> list[int]:
    """End the jobs of mails that ask for a press of their button; return whose, by submission."""
    waiting = Job.kind == "proof_mail", Job.state.in_(_OPEN)
    payloads = session.scalars(select(Job.payload).where(*waiting).order_by(Job.id)).all()
    session.execute(
        update(Job)
        .where(*waiting)
        .values(state=JobState.DONE, reason=reason, owner=None, lease_until=None, updated_at=now)
    )
    return [payload["submission_id"] for payload in payloads]


def forget_processes(session: Session, *, now: datetime) -> None:
    """Forget the workers of before: what they held, how often they died, Zoom's token, limits."""
    session.execute(
        update(Job)
        .where(Job.state == JobState.RUNNING)
        .values(state=JobState.READY, owner=None, lease_until=None, run_at=now)
    )
    session.execute(update(Job).where(Job.state != JobState.DONE).values(crashes=0, updated_at=now))
    session.execute(delete(WorkerHeartbeat))
    session.execute(delete(RateBucket))
    session.execute(update(ZoomConnection).values(token=None, token_lease_until=None))


def end_access(session: Session, *, now: datetime) -> None:
    """End what let organizers and programs in: sessions, links and keys may have ended since."""
    session.execute(delete(OrganizerSession))
    session.execute(update(ApiKey).where(ApiKey.revoked_at.is_(None)).values(revoked_at=now))
    session.execute(update(AccessLink).where(AccessLink.used_at.is_(None)).values(used_at=now))
    session.execute(
        update(OrganizerMail).where(OrganizerMail.state.in_(_UNSENT)).values(state="dropped")
    )


def end_tasks(session: Session, *, now: datetime) -> None:
    """End what somebody had asked for with many people: how far it came since is not known."""
    session.execute(update(PeopleTask).where(PeopleTask.ended_at.is_(None)).values(ended_at=now))
    is_open = PeopleImport.state.in_(("reading", "ready", "running"))
    session.execute(update(PeopleImport).where(is_open).values(state="done", ended_at=now))


def list_undelivered(
    session: Session, *, status: str
) -> Iterator[tuple[Registration, ZoomRegistrant]]:
    """List registrations of a status of whom Zoom, as far as was known, had nobody."""
    rows = session.execute(
        select(Registration, ZoomRegistrant)
        .join(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
        .where(Registration.status == status, ZoomRegistrant.zoom_status.is_(None))
        .order_by(Registration.id)
    )
    yield from ((registration, registrant) for registration, registrant in rows)
