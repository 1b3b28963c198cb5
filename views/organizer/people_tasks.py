"""Acting on all whom a filter finds, and watching how it goes."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services import audit
from services.audit import Action
from services.dates import format_moment
from services.members import Member, Permission
from services.people_acts import Act, ActResult
from services.people_tasks import start_task, stop_task
from storage import people_tasks, registration_index
from storage.models import Event, PeopleTask

from ..locale import read_locale
from ..numbers import read_number
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event
from .people import BULK, read_act, record_list
from .people_filters import count_found, list_filters, read_query, refresh_index

PAGE = 200


@bp.post("/events/<event>/people/all", endpoint="act_on_all")
@needs(Permission.CHANGE_PEOPLE)
def act_on_all(member: Member, event: str) -> ResponseReturnValue:
    """Ask with the count whether all whom the filter finds are meant; then hand it to a worker.

    Whoever has come meanwhile is not among those who were meant: then it is asked again.
    """
    site = get_site()
    now = site.read_clock()
    act = read_act(BULK)
    refresh_index(member, event)
    # Searching takes long among many, and holds up nobody who registers.
    with site.database.read() as session:
        found = need_event(session, member, event)
        totals = registration_index.list_totals(session, found.id)
        query = read_query(list_filters(session, member, found, totals))
        ids: list[int] = []
        if "sure" in request.form:
            batches = registration_index.list_ids(session, found.id, query.wanted)
            ids = [key for batch in batches for key in batch]
        total = sum(totals.get("status", {}).values())
        count = len(ids) or count_found(session, found, query, total, most=None)
        if act is None or request.form.get("sure") != str(len(ids)) or not ids:
            page = render_template(
                "organizer/people_all.html",
                event=view_event(found),
                here="people",
                query=query,
                count=count,
                act=act,
                label=words.ACT[act] if act else "",
                effect=words.ACT_EFFECT[act] if act else "",
            )
            return page, 200 if act and count else 422
    with site.database.write() as session:
        found = need_event(session, member, event)
        task = start_task(session, found, act, ids, by=member.organizer_id, now=now)
        task_id = task.public_id
        facts: dict[str, audit.Fact] = {
            "act": str(act),
            "count": task.total,
            "filters": " ".join(sorted(query.chosen)),
        }
        object_ = f"task:{task_id}"
        audit.record(session, member, Action.PEOPLE_CHANGED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/tasks/{task_id}", code=303)


@bp.get("/events/<event>/tasks/<task>", endpoint="show_task")
@needs(Permission.SEE_PEOPLE)
def show_task(member: Member, event: str, task: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        view = _view(session, found, task)
        view |= _list_names(session, _need_task(session, found, task))
    if view["rows"]:
        record_list(member, f"task:{task}", len(view["rows"]))
    return render_template("organizer/task.html", here="people", **view)


@bp.get("/events/<event>/tasks/<task>/progress", endpoint="show_task_progress")
@needs(Permission.SEE_PEOPLE, is_polled=True)
def show_task_progress(member: Member, event: str, task: str) -> ResponseReturnValue:
    """Return the part of the page that changes, for a page that is open; it names nobody."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        view = _view(session, found, task)
    return render_template("organizer/_task.html", **view)


@bp.post("/events/<event>/tasks/<task>/stop", endpoint="stop_task")
@needs(Permission.CHANGE_PEOPLE)
def stop(member: Member, event: str, task: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        stop_task(_need_task(session, found, task), now=now)
        facts: dict[str, audit.Fact] = {"act": "stop"}
        audit.record(session, member, Action.PEOPLE_CHANGED, f"task:{task}", facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/tasks/{task}", code=303)


def _need_task(session: Session, event: Event, public_id: str) -> PeopleTask:
    task = people_tasks.get_task(session, event.id, public_id)
    if task is None:
        abort(404)
    return task


def _view(session: Session, event: Event, public_id: str) -> dict[str, Any]:
    task = _need_task(session, event, public_id)
    counts = people_tasks.count_results(session, task.id)
    return {
        "event": view_event(event),
        "task": {"public_id": task.public_id, "done": task.done, "total": task.total},
        "label": words.ACT[Act(task.act)],
        "ended": format_moment(task.ended_at, event.timezone, read_locale())
        if task.ended_at
        else "",
        "counts": [
            (text, counts.get(result, 0))
            for result, text in words.RESULT.items()
            if result is ActResult.DONE or counts.get(result)
        ],
        "has_names": any(counts.get(result) for result in words.RESULT if result != ActResult.DONE),
    }


def _list_names(session: Session, task: PeopleTask) -> dict[str, Any]:
    """List those who have another result than most."""
    after = read_number(request.args.get("after", "0"))
    if after is None:
        abort(400)
    rows = people_tasks.list_results(
        session, task.id, except_result=ActResult.DONE, after=after, limit=PAGE + 1
    )
    return {
        "rows": [
            (person.public_id, words.write_name(person), words.RESULT[ActResult(item.result)])
            for item, person in rows[:PAGE]
        ],
        "after": rows[PAGE][0].position if len(rows) > PAGE else None,
    }
