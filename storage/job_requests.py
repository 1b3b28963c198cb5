"""Asking for work: adding jobs to the queue, and making those that wait due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from .models import Job, JobState
from .statements import Statement, is_postgresql, rowcount, table_of

CHANNEL = "uketsuke_jobs"
"""PostgreSQL's NOTIFY channel that wakes the workers at commit."""


@dataclass(frozen=True)
class JobAbout:
    """A kind of job that is about one row; its payload has the row's id under `name`."""

    kind: str
    prefix: str
    name: str

    def key(self, number: int) -> str:
        return f"{self.prefix}:{number}"

    def write_key(self, number: SQLColumnExpression[int]) -> ColumnElement[str]:
        """Write what makes the key of a row's id within a statement."""
        return literal(f"{self.prefix}:") + cast(number, String)


ZOOM_SYNC = JobAbout("zoom.sync", "zoom", "registration_id")
ZOOM_SETTLE = JobAbout("zoom.settle", "settle", "event_id")
MAIL = JobAbout("mail", "mail", "mail_id")

_NEW = {"state": JobState.READY, "generation": 1, "attempts": 0, "crashes": 0, "reason": ""}
_NOTIFY = Statement(lambda _: text(f"NOTIFY {CHANNEL}"))


def enqueue(
    session: Session,
    *,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    event_id: int | None = None,
    run_at: datetime,
    now: datetime,
) -> None:
    """Ask for work: add the job, or raise its generation and make it ready again.

    A running job stays with its worker; the raised generation keeps that worker from finishing it.
    """
    _upsert(session, kind, key, payload, event_id, run_at=run_at, now=now, keeps_time=False)


def enqueue_about(
    session: Session,
    about: JobAbout,
    number: int,
    *,
    event_id: int,
    run_at: datetime,
    now: datetime,
) -> None:
    """Ask for work about one row, as `enqueue`."""
    enqueue(
        session,
        kind=about.kind,
        key=about.key(number),
        payload={about.name: number},
        event_id=event_id,
        run_at=run_at,
        now=now,
    )


def enqueue_about_each(
    session: Session,
    about: JobAbout,
    numbers: Sequence[int],
    *,
    event_id: int,
    run_at: datetime,
    now: datetime,
) -> None:
    """Ask for work about each of many rows of an event, as `enqueue_about`."""
    _UPSERT.change_for_each(
        session,
        [
            _write(
                *(about.kind, about.key(number), {about.name: number}, event_id),
                run_at=run_at,
                now=now,
            )
            for number in numbers
        ],
    )
    wake_workers(session)


def ensure(
    session: Session,
    *,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    event_id: int | None = None,
    run_at: datetime,
    now: datetime,
) -> None:
    """As `enqueue`, but a job that waits already keeps its time.

    For work that many things ask for: new requests must not put it off further and further.
    """
    _upsert(session, kind, key, payload, event_id, run_at=run_at, now=now, keeps_time=True)


class Asked(NamedTuple):
    """What was asked of a job last, and whether it is done."""

    generation: int
    state: str
    payload: Mapping[str, Any]


def read_asked(session: Session, key: str) -> Asked | None:
    """Return what was asked of a job last, if anything.

    After `enqueue` in the same transaction nobody else can ask before this one ends.
    """
    found = select(Job.generation, Job.state, Job.payload).where(Job.key == key)
    row = session.execute(found).one_or_none()
    return None if row is None else Asked(*row)


def wake_workers(session: Session) -> None:
    """Tell idle workers at commit; on SQLite they notice that the file changed."""
    if is_postgresql(session) and "has_woken" not in session.info:
        session.info["has_woken"] = True
        _NOTIFY.change(session, {})


def hasten(session: Session, keys: Sequence[str], *, now: datetime) -> int:
    """Make jobs due now; return how many of them were waiting."""
    changed = session.execute(
        update(Job)
        .where(Job.key.in_(keys), Job.state == JobState.READY)
        .values(
            run_at=now,
            due_since=case((Job.due_since < now, Job.due_since), else_=now),
            updated_at=now,
        )
    )
    wake_workers(session)
    return rowcount(changed)


def _upsert(
    session: Session,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    event_id: int | None,
    *,
    run_at: datetime,
    now: datetime,
    keeps_time: bool,
) -> None:
    values = _write(kind, key, payload, event_id, run_at=run_at, now=now)
    (_UPSERT_KEEPING_TIME if keeps_time else _UPSERT).change(session, values)
    wake_workers(session)


def _write(
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    event_id: int | None,
    *,
    run_at: datetime,
    now: datetime,
) -> dict[str, Any]:
    """Lay out the row of a job that is asked for the first time."""
    return _NEW | {
        "kind": kind,
        "key": key,
        "payload": dict(payload),
        "event_id": event_id,
        "run_at": run_at,
        "due_since": run_at,
        "created_at": now,
        "updated_at": now,
    }


def select_job(
    about: JobAbout,
    rows: FromClause,
    event_id: ColumnElement[int],
    *,
    run_at: ColumnElement[datetime],
    now: ColumnElement[datetime],
) -> Select[Any]:
    """Write a SELECT of a job about each of some rows, on PostgreSQL."""
    columns = {
        "kind": literal(about.kind),
        "key": about.write_key(rows.c.id),
        "payload": func.json_build_object(about.name, rows.c.id),
        "event_id": event_id,
        "run_at": run_at,
        "due_since": run_at,
        "created_at": now,
        "updated_at": now,
        **{name: literal(value) for name, value in _NEW.items()},
    }
    return select(*(value.label(name) for name, value in columns.items()))


def upsert_from(insert: Any, jobs: Any) -> Any:
    """Write the INSERT of jobs from `select_job`; on a key that exists it does as `enqueue`."""
    names = list(jobs.selected_columns.keys())
    statement = insert(table_of(Job)).from_select(names, jobs, include_defaults=False)
    return _on_conflict(statement, keeps_time=False)


def _on_conflict(statement: Any, *, keeps_time: bool) -> Any:
    """Build the upsert: a running job stays as it is, and one that waits may keep its time."""
    is_running, is_ready = Job.state == JobState.RUNNING, Job.state == JobState.READY
    is_left = or_(is_running, is_ready) if keeps_time else is_running
    is_due_before = and_(or_(is_running, is_ready), Job.due_since <= statement.excluded.due_since)
    return statement.on_conflict_do_update(
        index_elements=[Job.key],
        set_={
            "generation": Job.generation + 1,
            "state": case((is_left, Job.state), else_=JobState.READY),
            "attempts": case((is_left, Job.attempts), else_=0),
            "crashes": case((is_left, Job.crashes), else_=0),
            "run_at": case((is_left, Job.run_at), else_=statement.excluded.run_at),
            "due_since": case((is_due_before, Job.due_since), else_=statement.excluded.due_since),
            "payload": statement.excluded.payload,
            "event_id": statement.excluded.event_id,
            "reason": case((is_left, Job.reason), else_=""),
            "updated_at": statement.excluded.updated_at,
        },
    )


_UPSERT = Statement(lambda insert: _on_conflict(insert(table_of(Job)), keeps_time=False))
_UPSERT_KEEPING_TIME = Statement(
    lambda insert: _on_conflict(insert(table_of(Job)), keeps_time=True)
)
