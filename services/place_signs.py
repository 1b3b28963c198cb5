"""Signs that Zoom may have a place where it takes nobody more.

Each is a job, stored with what it is a sign of. What the event says is left to the worker that
follows it (`zoom_closings`) and locks the event: here it may be just about to be closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from storage import job_requests, zoom_registrants
from storage.job_requests import Asked
from storage.jobs import ClaimedJob
from storage.models import Event, JobState, ZoomRegistrant

from .deliveries import Delivery
from .event_dates import takes_choice
from .full_dates import list_full

JOB_KIND = "places"

LOOK_EVERY = timedelta(minutes=1)
"""How often to look what became of somebody; mostly their own job has this done at once."""

OPEN = (JobState.READY, JobState.RUNNING)


@dataclass(frozen=True)
class Sign:
    """What a job of this kind tells, in one of four forms.

    - `freed_at`: a place came free then, on each of `dates`, or on all where those are None.
    - `freed_at` and `tried`: the same, but that person has the place first; others follow once what
      becomes of them is decided.
    - `tried`: somebody is being tried, and what becomes of them is looked after.
    - `is_look`: nothing came free; which dates are full is to be told anew.
    """

    freed_at: datetime | None = None
    tried: int | None = None
    dates: Collection[str] | None = None
    is_look: bool = False

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Sign:
        freed_at = payload.get("freed_at")
        return cls(
            freed_at=datetime.fromisoformat(freed_at) if freed_at else None,
            tried=payload.get("tried"),
            dates=payload.get("dates"),
            is_look=payload.get("is_look", False),
        )

    def to_payload(self) -> dict[str, object]:
        payload = {
            "freed_at": self.freed_at and self.freed_at.isoformat(),
            "tried": self.tried,
            "dates": None if self.dates is None else sorted(self.dates),
            "is_look": self.is_look,
        }
        return {name: value for name, value in payload.items() if value not in (None, False)}


def request_try(
    session: Session, event_id: int, *, dates: Collection[str] | None = None, now: datetime
) -> None:
    """Have a worker go on if Zoom takes nobody, and remember it otherwise: a place came free.

    `dates` are those with a place, None for all. Those that come free at once are one sign: who
    wants several of them has them all. No other sign is written over.
    """
    sign, key = Sign(freed_at=now, dates=dates), write_key(event_id)
    if dates is None:
        _ask(session, event_id, key, sign, run_at=now, now=now)
    elif dates:
        which = sha256(",".join(sorted(dates)).encode()).hexdigest()[:16]
        _ask(session, event_id, f"{key}:dates:{which}", sign, run_at=now, now=now)


def request_look(session: Session, event: Event, *, now: datetime) -> None:
    """Have a worker look which dates are full: refusals tell more or less, or dates changed."""
    if event.closed_by_zoom and takes_choice(event):
        key = f"{write_key(event.id)}:look"
        _ask(session, event.id, key, Sign(is_look=True), run_at=now, now=now)


def look_after(
    session: Session, event_id: int, tried: int, job: ClaimedJob | None, *, now: datetime
) -> bool:
    """Have a worker look what becomes of somebody.

    It takes the place of any sign for all dates that waits, or comes meanwhile; returns whether
    there is one. `job` is the sign that is followed just now, and is none.
    """
    key, at = write_key(event_id), now + LOOK_EVERY
    before = job_requests.read_asked(session, key) or Asked(0, JobState.DONE, {})
    _ask(session, event_id, key, Sign(tried=tried), run_at=at, now=now)
    asked = job_requests.read_asked(session, key) or before
    is_own = job is not None and (job.key, job.generation) == (key, before.generation)
    waits = before.state in OPEN and Sign.from_payload(before.payload).freed_at is not None
    return (waits and not is_own) or asked.generation > before.generation + 1


def note_left(
    session: Session,
    registrant: ZoomRegistrant,
    dates: Collection[str],
    *,
    comes_back: bool,
    now: datetime,
) -> None:
    """Have those tried who want a date that somebody has left.

    Who left it to be added anew takes those first that they want still.
    """
    event_id, kept = registrant.event_id, registrant.kept_dates if comes_back else None
    request_try(session, event_id, dates={*dates} - {*(kept or ())}, now=now)
    if kept:
        moved = registrant.registration_id
        sign = Sign(freed_at=now, tried=moved, dates=kept)
        key, run_at = f"{write_key(event_id)}:{moved}", now + LOOK_EVERY
        _ask(session, event_id, key, sign, run_at=run_at, now=now)


def let_go_first(
    session: Session, registrant: ZoomRegistrant, registration_id: int, *, now: datetime
) -> None:
    """Have others tried for somebody's place only once it is decided who has it first.

    `registrant` has left Zoom; where people choose dates, the place is one on each of theirs.
    """
    key, dates = write_key(registrant.event_id), registrant.occurrence_ids or None
    if dates:
        key = f"{key}:{registration_id}"
    sign = Sign(freed_at=now, tried=registration_id, dates=dates)
    _ask(session, registrant.event_id, key, sign, run_at=now + LOOK_EVERY, now=now)


def note_ended(session: Session, event: Event, *, now: datetime) -> None:
    """Have the job that waits for whoever is tried look now: it may have been them."""
    if event.closed_by_zoom:
        job_requests.hasten(session, [write_key(event.id)], now=now)


def note_delivered(
    session: Session,
    event: Event,
    changed: Iterable[tuple[str, ZoomRegistrant]],
    *,
    now: datetime,
) -> None:
    """Go on where Zoom takes nobody, if it took or let go somebody.

    `changed` are people with their delivery until now. The event was read in this transaction.
    """
    new = [(before, person) for before, person in changed if person.delivery != before]
    freed = [person.occurrence_ids for before, person in new if has_left(before, person)]
    is_full = bool(event.closed_by_zoom)
    if is_full and not freed and not job_requests.hasten(session, [write_key(event.id)], now=now):
        # A call that was under way when Zoom refused somebody else tells nothing.
        taken = [person for _, person in new if _was_taken_since(event.refused_at, person)]
        freed = [person.occurrence_ids for person in taken]
        if full := list_full(event):
            # Whoever is taken for other dates tells nothing of these.
            freed = [[*full.intersection(dates)] if dates else None for dates in freed]
            freed = [dates for dates in freed if dates != []]
    if freed and not all(freed):
        request_try(session, event.id, now=now)
    elif freed:
        request_try(session, event.id, dates={d for dates in freed for d in dates or ()}, now=now)


def find_freed(session: Session, sign: Sign) -> set[str] | None:
    """Return the dates on which a sign tells of a place, None for all.

    Whoever left them to be added anew has them again, or not.
    """
    if sign.dates is None:
        return None
    moved = zoom_registrants.get_zoom_registrant(session, sign.tried) if sign.tried else None
    if moved is None or moved.join_url is None:
        return {*sign.dates}
    return {*sign.dates} - {*(moved.occurrence_ids or ())}


def has_left(before: str, registrant: ZoomRegistrant) -> bool:
    """Tell whether somebody had a place at Zoom until now; who was refused had none."""
    was_there = before == Delivery.REGISTERED or registrant.registrant_id is not None
    return registrant.delivery == Delivery.WITHDRAWN and was_there


def _was_taken_since(refused_at: datetime | None, registrant: ZoomRegistrant) -> bool:
    if registrant.delivery != Delivery.REGISTERED or registrant.last_attempt_at is None:
        return False
    return refused_at is None or registrant.last_attempt_at > refused_at


def write_key(event_id: int) -> str:
    """Write the key of the job that names who is tried; those of other signs begin with it."""
    return f"{JOB_KIND}:{event_id}"


def _ask(
    session: Session,
    event_id: int,
    key: str,
    sign: Sign,
    *,
    run_at: datetime,
    now: datetime,
) -> None:
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=key,
        payload={"event_id": event_id, **sign.to_payload()},
        event_id=event_id,
        run_at=run_at,
        now=now,
    )
