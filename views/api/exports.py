"""Everybody of an event as one file, the same as the dashboard's."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response
from flask.typing import ResponseReturnValue

from services.api_keys import Caller, Scope
from services.audit import Action, Fact
from services.registration_exports import ExportTable
from services.spreadsheets import write_csv
from services.texts import LOCALES
from storage import registration_pages
from storage.registration_lists import CHUNK
from storage.registration_pages import Narrowing
from storage.session import Database

from ..places import name_place
from ..site import get_site
from .access import bp, need_event, needs, read_query, refuse_parameter
from .registrations import list_hidden, read_narrowing, record_list


@bp.get("/events/<slug>/export.csv", endpoint="export_registrations")
@needs(Scope.REGISTRATIONS_EXPORT)
def export(caller: Caller, slug: str) -> ResponseReturnValue:
    """Stream a file; each part is read by itself, so that a slow reader holds no transaction."""
    site = get_site()
    query = read_query("status", "lang")
    wanted = read_narrowing(query)
    with site.database.read() as session:
        event = need_event(session, caller, slug)
        locale = query.get("lang", event.default_locale)
        if locale not in LOCALES:
            refuse_parameter("lang", f"must be one of {', '.join(LOCALES)}")
        hidden = list_hidden(session, caller, event)
        now = site.read_clock()
        table = ExportTable(session, event, locale, name_place, hidden=hidden, attendance_at=now)
        event_id, about = event.id, f"event:{event.public_id}"
    facts: dict[str, Fact] = {"format": "csv", "filters": "status" if wanted.status else ""}
    record_list(caller, Action.PEOPLE_EXPORTED, about, facts)
    rows = _list_rows(site.database, table, event_id, wanted)
    response = Response(write_csv(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}.csv"'
    return response


def _list_rows(
    database: Database, table: ExportTable, event_id: int, wanted: Narrowing
) -> Iterator[list[str]]:
    yield table.headings
    after: int | None = 0
    while after is not None:
        with database.read() as session:
            page = registration_pages.list_ids(session, event_id, wanted, after=after, limit=CHUNK)
            rows = table.list_rows(session, page.ids) if page.ids else []
        yield from rows
        after = page.next_after
