"""Tasks on many people: which there are, who is next, and what became of each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import PeopleTask, PeopleTaskItem, PeopleTaskPart, Registration
from .registration_index import read_ids, write_ids

PART = 4_096


def add_task(
    session: Session, event_id: int, act: str, registration_ids: Sequence[int], *, now: datetime
) -> PeopleTask:
    """Store who is to be acted on, in this order: a million in some hundred rows."""
    task = PeopleTask(event_id=event_id, act=act, total=len(registration_ids), created_at=now)
    session.add(task)
    session.flush()
    session.add_all(
        PeopleTaskPart(
            task_id=task.id,
            number=number,
            ids=write_ids(array("Q", registration_ids[number * PART : (number + 1) * PART])),
        )
        for number in range(-(-len(registration_ids) // PART))
    )
    session.flush()
    return task


def get_task(session: Session, event_id: int, public_id: str) -> PeopleTask | None:
    return session.scalar(
        select(PeopleTask).where(PeopleTask.event_id == event_id, PeopleTask.public_id == public_id)
    )


def get_task_by_id(session: Session, task_id: int) -> PeopleTask | None:
    return session.get(PeopleTask, task_id)


def list_open(session: Session, event_id: int) -> list[PeopleTask]:
    """List the tasks that are not over, the newest first."""
    return list(
        session.scalars(
            select(PeopleTask)
            .where(PeopleTask.event_id == event_id, PeopleTask.ended_at.is_(None))
            .order_by(PeopleTask.id.desc())
        )
    )


def add_next_item(session: Session, task: PeopleTask) -> PeopleTaskItem | None:
    """Return the next person of a task; they are taken in order, so `done` says who it is."""
    part = session.get(PeopleTaskPart, (task.id, task.done // PART))
    ids = read_ids(part.ids) if part else array("Q")
    place = task.done % PART
    if place >= len(ids):
        return None
    item = PeopleTaskItem(
        task_id=task.id, position=task.done, registration_id=ids[place], result=""
    )
    session.add(item)
    return item


def count_results(session: Session, task_id: int) -> dict[str, int]:
    rows = session.execute(
        select(PeopleTaskItem.result, func.count())
        .where(PeopleTaskItem.task_id == task_id, PeopleTaskItem.result != "")
        .group_by(PeopleTaskItem.result)
    )
    return {result: count for result, count in rows}


def has_result(session: Session, task_id: int, result: str) -> bool:
    found = select(PeopleTaskItem.position).where(
        PeopleTaskItem.task_id == task_id, PeopleTaskItem.result == result
    )
    return session.scalar(found.limit(1)) is not None


def list_results(
    session: Session, task_id: int, *, except_result: str, after: int, limit: int
) -> list[tuple[PeopleTaskItem, Registration]]:
    """List those who have another result than one, from a position on."""
    rows = session.execute(
        select(PeopleTaskItem, Registration)
        .join(Registration, Registration.id == PeopleTaskItem.registration_id)
        .where(
            PeopleTaskItem.task_id == task_id,
            PeopleTaskItem.result.not_in(("", except_result)),
            PeopleTaskItem.position >= after,
        )
        .order_by(PeopleTaskItem.position)
        .limit(limit)
    )
    return [(item, registration) for item, registration in rows]
