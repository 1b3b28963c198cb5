"""Tasks on many people: which there are, who is next, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from .models import PeopleTask, PeopleTaskItem, Registration

ITEMS_AT_ONCE = 1_000


def add_task(
    session: Session, event_id: int, act: str, registration_ids: Sequence[int], *, now: datetime
) -> PeopleTask:
    """Store who is to be acted on, in this order."""
    task = PeopleTask(event_id=event_id, act=act, total=len(registration_ids), created_at=now)
    session.add(task)
    session.flush()
    for start in range(0, len(registration_ids), ITEMS_AT_ONCE):
        chosen = enumerate(registration_ids[start : start + ITEMS_AT_ONCE], start)
        session.execute(
            insert(PeopleTaskItem),
            [
                {"task_id": task.id, "position": position, "registration_id": key, "result": ""}
                for position, key in chosen
            ],
        )
    return task


def get_task(session: Session, event_id: int, public_id: str) -> PeopleTask | None:
    return session.scalar(
        select(PeopleTask).where(PeopleTask.event_id == event_id, PeopleTask.public_id == public_id)
    )


def get_task_by_id(session: Session, task_id: int) -> PeopleTask | None:
    return session.get(PeopleTask, task_id)


def get_next_item(session: Session, task: PeopleTask) -> PeopleTaskItem | None:
    """Return whose turn it is: they are done in order, so that `done` says who."""
    return session.get(PeopleTaskItem, (task.id, task.done))


def count_results(session: Session, task_id: int) -> dict[str, int]:
    rows = session.execute(
        select(PeopleTaskItem.result, func.count())
        .where(PeopleTaskItem.task_id == task_id, PeopleTaskItem.result != "")
        .group_by(PeopleTaskItem.result)
    )
    return {result: count for result, count in rows}


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
