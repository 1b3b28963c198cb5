"""The people of an event: found, filtered, and acted on several at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services import audit
from services.attendance_verdicts import read_attendance
from services.audit import Action, Fact
from services.dates import format_short
from services.members import Member, Permission
from services.people_acts import Act, ActResult, act_on_one_of
from services.people_imports import ImportState
from services.registration_index import may_be_mailed
from storage import people, people_imports, people_tasks, registration_index
from storage.models import Event, PeopleImport, Registration
from storage.registration_lists import FullRow, read_full_rows

from ..locale import read_locale
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .attendance_words import describe_verdict
from .event_headings import view_event
from .people_columns import ATTENDANCE, Column, choose_columns, list_columns, write_cells
from .people_filters import (
    MOST_COUNTED,
    count_found,
    list_filters,
    list_sorts,
    read_people,
    read_query,
    refresh_index,
)

PAGE = 50
BULK = (Act.APPROVE, Act.DENY, Act.CANCEL, Act.RESEND, Act.RETRY, Act.LINK)


@bp.get("/events/<event>/people", endpoint="list_people")
@needs(Permission.SEE_PEOPLE)
def list_people(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    refresh_index(member, event)
    with site.database.read() as session:
        found = need_event(session, member, event)
        totals = registration_index.list_totals(session, found.id)
        filters = list_filters(session, member, found, totals)
        query = read_query(filters)
        page = read_people(session, found, query, filters, limit=PAGE)
        rows = _read_in_order(session, page.ids)
        total = sum(totals.get("status", {}).values())
        is_whole = not page.next and not query.begin
        count = len(page.ids) if is_whole else count_found(session, found, query, total)
        view = view_event(found)
        columns = choose_columns(session, member, found, list_columns(session, member, found))
        works = _list_works(session, found)
        came = _describe_attendance(session, found, columns, page.ids)
        shown = [_view_listed(session, found, columns, row, came) for row in rows]
    asked: dict[str, Fact] = {
        "filters": " ".join(sorted(query.chosen)),
        "is_searched": bool(query.text),
    }
    record_list(member, f"event:{event}", len(shown), asked)
    return render_template(
        "organizer/people.html",
        event=view,
        here="people",
        filters=filters,
        query=query,
        people=shown,
        works=works,
        columns=columns,
        sorts=list_sorts(filters),
        next=query.write(at=page.next) if page.next else "",
        count=count,
        is_more=bool(query.text) and count > MOST_COUNTED,
        most=MOST_COUNTED,
        total=total,
        bulk=[(act, words.ACT[act]) for act in BULK],
    )


@bp.post("/events/<event>/people", endpoint="act_on_people")
@needs(Permission.CHANGE_PEOPLE)
def act_on_people(member: Member, event: str) -> ResponseReturnValue:
    """Ask whether it is meant, with the count; then do it, one person after the other."""
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        found = need_event(session, member, event)
        chosen = people.list_people(session, found.id, request.form.getlist("person")[:PAGE])
        names = [(one.public_id, words.write_name(one), one.status) for one in chosen]
        view = view_event(found)
    act = read_act(BULK)
    shown = {"event": view, "list_url": _write_list_url()}
    if not names or act is None:
        return render_template("organizer/people_act.html", **shown, people=[], act=None), 422
    if request.form.get("sure") != "yes":
        record_list(member, f"event:{event}", len(names))
        asked = {"people": names, "act": act, "label": words.ACT[act]}
        effect = words.ACT_EFFECT[act]
        return render_template("organizer/people_act.html", **shown, **asked, effect=effect)
    before = dict(zip(request.form.getlist("person"), request.form.getlist("status"), strict=False))
    results = []
    seen: set[ActResult] = set()
    for public_id, name, _status in names:
        with site.database.write() as session:
            here = need_event(session, member, event)
            person = people.get_person(session, here.id, public_id)
            assert person is not None, "registrations are not deleted while they are shown"
            result = act_on_one_of(
                session,
                here,
                person,
                act,
                came_before=seen.__contains__,
                has_changed=partial(stands_otherwise, before.get(public_id)),
                now=now,
            )
            facts: dict[str, Fact] = {"act": str(act), "result": str(result), "several": len(names)}
            object_ = f"registration:{public_id}"
            audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
        seen.add(result)
        results.append((public_id, name, words.RESULT[result]))
    return render_template(
        "organizer/people_done.html", **shown, results=results, label=words.ACT[act]
    )


def stands_otherwise(before: str | None, person: Registration) -> bool:
    """Tell whether somebody has another status than a page showed; one without it says nothing."""
    return before is not None and person.status != before


def _write_list_url() -> str:
    """Return the list as it was asked for, to go back to."""
    asked = urlencode(list(request.args.items(multi=True)))
    return f"{request.path}?{asked}" if asked else request.path


def read_act(acts: Collection[Act] = tuple(Act)) -> Act | None:
    asked = request.form.get("act", "")
    return Act(asked) if asked in acts else None


def view_row(event: Event, full: FullRow) -> dict[str, Any]:
    person = full.row.registration
    return {
        "public_id": person.public_id,
        "name": words.write_name(person),
        "email": person.email,
        "number": full.row.number,
        "status": words.STATUS[person.status],
        "status_kind": words.STATUS_KIND.get(person.status, ""),
        "delivery": words.DELIVERY[full.row.delivery],
        "delivery_kind": words.DELIVERY_KIND.get(full.row.delivery, ""),
        "is_mailable": may_be_mailed(full),
        "is_proven": person.proven_at is not None,
        "clicks": person.join_clicks,
        "registered": format_short(person.created_at, event.timezone, read_locale()),
    }


def _list_works(session: Session, event: Event) -> list[tuple[str, str, int, int]]:
    """List what is under way: its place below the event, its name, how many of how many."""
    tasks = (
        (f"tasks/{task.public_id}", str(words.ACT[Act(task.act)]), task.done, task.total)
        for task in people_tasks.list_open(session, event.id)
    )
    tables = (_view_table(table) for table in people_imports.list_open(session, event.id))
    return [*tasks, *tables]


def _view_table(table: PeopleImport) -> tuple[str, str, int, int]:
    """Name a table that waits to be looked through, or count how far one has come."""
    place = f"imports/{table.public_id}"
    if table.state == ImportState.READY:
        return place, gettext("The table is read: check its columns"), 0, 0
    return place, gettext("Add people from a table"), table.done, table.total


def _describe_attendance(
    session: Session, event: Event, columns: list[Column], ids: list[int]
) -> dict[int, str]:
    """Say of each person whether they came; nothing is read where nobody looks at it."""
    if all(column.name != ATTENDANCE for column in columns):
        return {}
    known = read_attendance(session, event, ids, now=get_site().read_clock())
    return {key: describe_verdict(one.whole, event.timezone) for key, one in known.items()}


def _view_listed(
    session: Session, event: Event, columns: list[Column], full: FullRow, came: Mapping[int, str]
) -> dict[str, Any]:
    view = view_row(event, full) | {ATTENDANCE: came.get(full.row.registration.id, "")}
    return view | {"cells": write_cells(session, event, columns, full=full, view=view)}


def _read_in_order(session: Session, ids: list[int]) -> list[FullRow]:
    rows: Mapping[int, FullRow] = {
        full.row.registration.id: full for full in read_full_rows(session, ids)
    }
    return [rows[key] for key in ids if key in rows]


def record_list(
    member: Member, about: str, count: int, asked: Mapping[str, Fact] | None = None
) -> None:
    """Record that so many people's names were shown, and by which filters."""
    site = get_site()
    facts: dict[str, Fact] = {"count": count, **(asked or {})}
    with site.database.write() as session:
        audit.record(
            session, member, Action.PEOPLE_LISTED, about, facts=facts, now=site.read_clock()
        )
