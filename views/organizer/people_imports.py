"""Registering many people from a table: sent, looked through, then added by a worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services import audit
from services.audit import Action
from services.chosen_dates import with_dates
from services.dates import format_moment
from services.events import read_current_form
from services.formulas import defuse
from services.members import Member, Permission
from services.people_columns import FIXED, QUESTION, guess_columns, list_missing
from services.people_files import MOST_BYTES, MOST_ROWS, FileProblem
from services.people_imports import (
    ImportState,
    RowResult,
    begin_import,
    read_columns,
    start_import,
    stop_import,
)
from services.spreadsheets import write_csv
from services.texts import LOCALES, localize
from storage import people_imports
from storage.models import Event, PeopleImport
from storage.session import Database

from ..bodies import takes_files
from ..locale import read_locale
from ..numbers import read_number
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event

PAGE = 200
SAMPLES = 3
LONGEST_BASIS = 200
ROWS_AT_ONCE = 500


@bp.get("/events/<event>/people/import", endpoint="show_import")
@needs(Permission.CHANGE_PEOPLE)
def show_import(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        return _draw_form(need_event(session, member, event))


@bp.post("/events/<event>/people/import", endpoint="send_import")
@needs(Permission.CHANGE_PEOPLE)
@takes_files(MOST_BYTES)
def send_import(member: Member, event: str) -> ResponseReturnValue:
    """Store a file, or what was pasted, for a worker to read."""
    site = get_site()
    now = site.read_clock()
    file, pasted = request.files.get("file"), request.form.get("table", "")
    content = file.read() if file and file.filename else pasted.encode()
    with site.database.write() as session:
        found = need_event(session, member, event)
        if not content.strip():
            return _draw_form(found, problem=gettext("Choose a file, or paste a table.")), 422
        name = (file.filename or "")[:200] if file else ""
        table = begin_import(session, found, content, file_name=name, locale=read_locale(), now=now)
        table_id = table.public_id
    return redirect(f"/organizer/events/{event}/imports/{table_id}", code=303)


@bp.get("/events/<event>/imports/<table>", endpoint="show_table")
@needs(Permission.CHANGE_PEOPLE)
def show_table(member: Member, event: str, table: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        return _draw_table(session, found, need_import(session, found, table))


@bp.get("/events/<event>/imports/<table>/progress", endpoint="show_table_progress")
@needs(Permission.CHANGE_PEOPLE, is_polled=True)
def show_table_progress(member: Member, event: str, table: str) -> ResponseReturnValue:
    """Return the part of the page that changes, for a page that is open."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        view = _view(session, found, need_import(session, found, table))
    return render_template("organizer/_table.html", **view)


@bp.post("/events/<event>/imports/<table>", endpoint="start_table")
@needs(Permission.CHANGE_PEOPLE)
def start_table(member: Member, event: str, table: str) -> ResponseReturnValue:
    """Have the rows added, once the columns are confirmed and the basis of consent is given."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        sent = need_import(session, found, table)
        columns = _read_columns(session, found, sent)
        basis = request.form.get("basis", "").strip()[:LONGEST_BASIS]
        problems = _find_problems(session, found, columns, basis)
        if problems and sent.state == ImportState.READY:
            page = _draw_table(session, found, sent, columns=columns, problems=problems)
            return page, 422
        is_started = not problems and start_import(
            session,
            sent,
            columns,
            basis=basis,
            locale=_read_language(sent),
            words_locale=read_locale(),
            by=member.organizer_id,
            now=now,
        )
        if is_started:
            facts: dict[str, audit.Fact] = {"rows": sent.total}
            object_ = f"import:{table}"
            audit.record(session, member, Action.PEOPLE_IMPORTED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/imports/{table}", code=303)


@bp.post("/events/<event>/imports/<table>/stop", endpoint="stop_table")
@needs(Permission.CHANGE_PEOPLE)
def stop(member: Member, event: str, table: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        sent = need_import(session, need_event(session, member, event), table)
        stop_import(session, sent, now=now)
        facts: dict[str, audit.Fact] = {"act": "stop"}
        object_ = f"import:{table}"
        audit.record(session, member, Action.PEOPLE_IMPORTED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/imports/{table}", code=303)


@bp.get("/events/<event>/imports/<table>/report", endpoint="download_table_report")
@needs(Permission.CHANGE_PEOPLE)
def download_report(member: Member, event: str, table: str) -> ResponseReturnValue:
    """Write the table as it was sent, with the result before each row."""
    site = get_site()
    with site.database.write() as session:
        found = need_event(session, member, event)
        sent = need_import(session, found, table)
        facts: dict[str, audit.Fact] = {"count": sent.total, "format": "csv"}
        object_ = f"import:{table}"
        now = site.read_clock()
        audit.record(session, member, Action.PEOPLE_EXPORTED, object_, facts=facts, now=now)
        session.flush()
        headings = [gettext("Row"), gettext("Result"), gettext("Reason"), *sent.headings]
        # While the rows are written nobody knows the reader's language any more.
        meaning = {str(code): str(text) for code, text in words.ROW_RESULT.items()}
        meaning |= {code: str(text) for code, text in words.ROW_REASON.items()}
        rows = _list_report(site.database, sent.id, headings, meaning)
    response = Response(write_csv(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}-import.csv"'
    return response


def need_import(session: Session, event: Event, public_id: str) -> PeopleImport:
    table = people_imports.get_import(session, event.id, public_id)
    if table is None:
        abort(404)
    return table


def _list_report(
    database: Database, import_id: int, headings: list[str], meaning: dict[str, str]
) -> Iterator[list[str]]:
    """Yield rows, each part read by itself, so that a slow reader holds no transaction."""
    yield [defuse(heading) for heading in headings]
    after = 0
    while True:
        with database.read() as session:
            rows = people_imports.list_rows(session, import_id, after=after, limit=ROWS_AT_ONCE)
        if not rows:
            return
        after = rows[-1].position + 1
        for row in rows:
            said = [meaning.get(text, text) for text in (row.result, row.reason)]
            cells = [str(row.position + 2), *said, *row.cells]
            missing = [""] * (len(headings) - len(cells))
            yield [defuse(cell) for cell in [*cells, *missing][: len(headings)]]


def _read_columns(session: Session, event: Event, table: PeopleImport) -> dict[int, str]:
    allowed = {name for name, _ in _list_targets(session, event)}
    asked = ((n, request.form.get(f"column-{n}", "")) for n in range(len(table.headings)))
    return {place: name for place, name in asked if name in allowed}


def _find_problems(
    session: Session, event: Event, columns: dict[int, str], basis: str
) -> list[str]:
    labels = dict(_list_targets(session, event))
    questions = read_current_form(session, event).questions
    names = [labels[name] for name in list_missing(columns, questions)]
    problems = []
    if names:
        joined = (gettext(", ")).join(names)
        problems.append(gettext("Say which columns hold these: %(names)s", names=joined))
    if len(set(columns.values())) < len(columns):
        problems.append(gettext("Two columns hold the same. Leave one of them out."))
    if not basis:
        problems.append(gettext("Enter how the people agreed to being registered"))
    return problems


def _list_targets(session: Session, event: Event) -> list[tuple[str, str]]:
    """List what a column can hold, in words."""
    questions = (
        q
        for q in with_dates(event, read_current_form(session, event)).questions
        if not q.is_consent
    )
    return [
        *((name, str(words.COLUMN[name])) for name in FIXED),
        *((QUESTION + q.id, localize(q.label, read_locale())) for q in questions),
    ]


def _read_language(table: PeopleImport) -> str:
    asked = request.form.get("language", "")
    return asked if asked in LOCALES else table.locale


def _draw_form(event: Event, problem: str = "") -> str:
    return render_template(
        "organizer/people_import.html",
        event=view_event(event),
        here="people",
        problem=problem,
        typed=request.form.get("table", ""),
        most=f"{MOST_ROWS:,}",
        most_mb=MOST_BYTES // 2**20,
    )


def _draw_table(
    session: Session,
    event: Event,
    table: PeopleImport,
    *,
    columns: dict[int, str] | None = None,
    problems: list[str] | None = None,
) -> str:
    samples = people_imports.list_rows(session, table.id, after=0, limit=SAMPLES)
    if columns is None:
        questions = with_dates(event, read_current_form(session, event)).questions
        columns = read_columns(table) or guess_columns(table.headings, questions)
    return render_template(
        "organizer/table.html",
        here="people",
        columns=[
            (
                heading,
                [row.cells[place] for row in samples if place < len(row.cells)],
                columns.get(place, ""),
            )
            for place, heading in enumerate(table.headings)
        ],
        targets=_list_targets(session, event),
        languages=words.LOCALE,
        language=_read_language(table),
        basis=request.form.get("basis", ""),
        problems=problems or [],
        **_view(session, event, table),
    )


def _view(session: Session, event: Event, table: PeopleImport) -> dict[str, Any]:
    after = read_number(request.args.get("after", "0"))
    if after is None:
        abort(400)
    rows = people_imports.list_rows(
        session, table.id, after=after, limit=PAGE + 1, except_result=RowResult.ADDED
    )
    counts = people_imports.count_results(session, table.id)
    emails = [place for place, name in read_columns(table).items() if name == "email"]
    return {
        "event": view_event(event),
        "table": table,
        "ended": format_moment(table.ended_at, event.timezone, read_locale())
        if table.ended_at
        else "",
        "problem": words.FILE_PROBLEM[FileProblem(table.problem)] if table.problem else "",
        "counts": [(text, counts.get(result, 0)) for result, text in words.ROW_RESULT.items()],
        "rows": [
            (
                row.position + 2,
                "".join(row.cells[place] for place in emails if place < len(row.cells)),
                words.ROW_RESULT[RowResult(row.result)],
                words.ROW_REASON.get(row.reason, row.reason),
            )
            for row in rows[:PAGE]
        ],
        "after": rows[PAGE].position if len(rows) > PAGE else None,
    }
