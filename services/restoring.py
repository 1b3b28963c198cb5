"""Making a restored site safe, before anything of it runs.

Between the backup and now the site went on: mails were sent and people were added at Zoom of whom
the restored database does not know. Nothing of that may happen a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_lists, restoring
from storage.models import Event, JobState

from . import lapsed_requests
from .audit import COMMAND
from .deliveries import begin_doubt, end_add_unknown
from .delivery_stops import describe_ending
from .erasing import erase_again
from .event_tasks import tell_cancelled
from .events import EventState
from .joining import read_end_state
from .mail_proofs import note_mail
from .registrations import Status

HELD = "HeldBack: perhaps it was sent before the restore"


@dataclass(frozen=True)
class Restored:
    """What was changed: mails held back, people of whom Zoom is asked first, people erased anew."""

    mails_held: int
    doubts: int
    erased: int = 0


def make_safe(session: Session, *, erased: Sequence[str] = (), now: datetime) -> Restored:
    """Hold back mails, have Zoom asked before anybody is added, and let no key of before in.

    Args:
        erased: public ids of people who were erased, perhaps after the backup.
    """
    restoring.forget_processes(session, now=now)
    restoring.end_access(session, now=now)
    restoring.end_tasks(session, now=now)
    known: dict[int, Event] = {event.id: event for event in events.list_events(session)}
    # Who was not told yet of a cancelled event, may have been since: these are held back too.
    # No event is locked for it: nobody else uses what is being restored.
    for event in known.values():
        if event.status == EventState.CANCELLED:
            tell_cancelled(session, event, limit=None, now=now)
    gone = erase_returned(session, erased, now=now)
    mails_held = restoring.hold_mails(session, reason=HELD, now=now)
    for submission_id in restoring.end_mails_with_a_button(session, reason=HELD, now=now):
        # Nobody is asked twice. If it went, its button works all the same.
        note_mail(session, submission_id, was_sent=False, now=now)
    for job in job_lists.list_open(session, lapsed_requests.JOB_KIND):
        # So is who was told perhaps that nothing came of their form.
        if job.event_id is not None and read_end_state(known[job.event_id], now):
            job.state, job.reason = JobState.DONE, HELD
    doubts = 0
    for registration, registrant in restoring.list_undelivered(session, status=Status.APPROVED):
        if describe_ending(known[registration.event_id], now=now):
            continue
        begin_doubt(registrant, now=now)
        end_add_unknown(session, registrant, run_at=now, now=now)
        doubts += 1
    return Restored(mails_held, doubts, gone)


def erase_returned(session: Session, erased: Sequence[str], *, now: datetime) -> int:
    """Erase again whoever of these public ids came back with a backup; return how many."""
    return erase_again(session, erased, actor=COMMAND, note=_note_nothing, now=now)


def _note_nothing(public_id: str) -> None:
    """Add nobody to the list of the erased, from which they come."""
