"""Giving people's data to the recipients whom they have agreed to, with a record of each file."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, redirect, render_template
from flask.typing import ResponseReturnValue

from services import audit
from services.audit import Action
from services.dates import format_moment
from services.facets import list_questions
from services.members import Member, Permission
from services.provisions import list_recipients, list_withheld, record_provision
from services.registration_exports import ExportTable, keep_given
from services.spreadsheets import write_xlsx
from storage import provisions
from storage.registration_lists import CHUNK
from storage.session import Database

from ..locale import read_locale
from ..places import name_place
from ..site import get_site
from .access import bp, need_event, needs
from .event_headings import view_event


@bp.get("/events/<event>/provisions", endpoint="list_provisions")
@needs(Permission.EXPORT_PEOPLE)
def list_all(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        return render_template(
            "organizer/provisions.html",
            event=view_event(found),
            here="people",
            recipients=list_recipients(session, found),
            provisions=[
                (record, format_moment(record.made_at, found.timezone, read_locale()))
                for record in provisions.list_provisions(session, found.id)
            ],
        )


@bp.post("/events/<event>/provisions/<question>", endpoint="make_provision")
@needs(Permission.EXPORT_PEOPLE, proof=True)
def make(member: Member, event: str, question: str) -> ResponseReturnValue:
    """Record what is given, and answer with the file: who agreed, and no others."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        chosen = [r for r in list_recipients(session, found) if r.question_id == question]
        if not chosen or not chosen[0].agreed:
            return redirect(f"/organizer/events/{event}/provisions", code=303)
        [recipient] = chosen
        withheld = list_withheld(list_questions(session, found))
        table = ExportTable(session, found, read_locale(), name_place, hidden=withheld)
        record_provision(
            session,
            found,
            recipient,
            items=keep_given(table.headings),
            author=member.public_id,
            now=now,
        )
        facts: dict[str, audit.Fact] = {"count": len(recipient.agreed), "format": "xlsx"}
        facts["question"] = question
        audit.record(
            session, member, Action.PEOPLE_EXPORTED, f"event:{event}", facts=facts, now=now
        )
        name = f"{found.slug}-{question}.xlsx"
    response = Response(write_xlsx(_list_rows(site.database, table, recipient.agreed)))
    response.headers["Content-Type"] = (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _list_rows(database: Database, table: ExportTable, ids: tuple[int, ...]) -> Iterator[list[str]]:
    yield keep_given(table.headings)
    for start in range(0, len(ids), CHUNK):
        with database.read() as session:
            rows = table.list_rows(session, ids[start : start + CHUNK])
        yield from (keep_given(row) for row in rows)
