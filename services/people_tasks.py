"""Acting on more people than one request can: a job that does one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, job_requests, people_tasks, registrations
from storage.models import Event, PeopleTask, Registration

from .memberships import may_change_people
from .people_acts import Act, ActResult, act_on_one_of

JOB_KIND = "people"


def start_task(
    session: Session,
    event: Event,
    act: Act,
    registration_ids: Sequence[int],
    *,
    by: int | None,
    now: datetime,
) -> PeopleTask:
    """Store a task and the job that does it; `by` is the id of the organizer who asks for it."""
    task = people_tasks.add_task(session, event.id, act, registration_ids, now=now)
    since = registrations.find_last_change(session)
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{task.id}",
        payload={"task_id": task.id, "organizer_id": by, "since": since},
        event_id=event.id,
        run_at=now,
        now=now,
    )
    return task


def do_next(
    session: Session,
    task_id: int,
    *,
    by: int | None,
    since: int | None = None,
    now: datetime,
) -> bool:
    """Act on the next person of a task and note the result; return whether anybody is left.

    Both are one transaction: whoever dies in between has done neither. The task ends where the
    organizer who asked for it may do so no more. Whose status has changed `since` then, which is
    the last change that there was, is left as they are.
    """
    task = people_tasks.get_task_by_id(session, task_id)
    if task is None or task.ended_at is not None:
        return False
    event = events.need_event(session, task.event_id)
    if by is not None and not may_change_people(session, event, by):
        stop_task(task, now=now)
        return False
    item = people_tasks.add_next_item(session, task)
    if item is not None:
        registration = registrations.get_registration(session, item.registration_id)
        assert registration is not None, "registrations are not deleted"

        def came_before(result: ActResult) -> bool:
            return people_tasks.has_result(session, task_id, result)

        def has_changed(person: Registration) -> bool:
            return since is not None and _has_moved(session, person, since)

        item.result = act_on_one_of(
            session,
            event,
            registration,
            Act(task.act),
            came_before=came_before,
            has_changed=has_changed,
            now=now,
        )
        task.done += 1
    if item is None or task.done >= task.total:
        task.ended_at = now
    return task.ended_at is None


def _has_moved(session: Session, registration: Registration, since: int) -> bool:
    changes = registrations.list_changes(session, registration.id, after=since)
    return any(change.before.get("status") != change.after.get("status") for change in changes)


def stop_task(task: PeopleTask, *, now: datetime) -> None:
    """Leave alone whoever has not had their turn; what was done stays."""
    if task.ended_at is None:
        task.ended_at = now
