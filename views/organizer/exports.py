"""Files of an event's people: exactly those whom the filter of the list shows."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from flask import Response, abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from services import audit
from services.audit import Action
from services.members import Member, Permission
from services.registration_exports import ExportTable
from services.spreadsheets import (
    MOST_XLSX_ROWS,
    FileFormat,
    write_cp932,
    write_csv,
    write_xlsx,
)
from storage import registration_index
from storage.invitation_links import has_links_of_people
from storage.registration_lists import CHUNK
from storage.session import Database

from ..locale import read_locale
from ..places import name_place
from ..site import get_site
from .access import bp, need_event, needs
from .invitation_links import write_link
from .people_filters import list_filters, list_hidden, read_query, refresh_index

_NAMES = {
    FileFormat.XLSX: (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    FileFormat.CSV: ("csv", "text/csv; charset=utf-8"),
    FileFormat.CP932: ("zip", "application/zip"),
}


@dataclass(frozen=True)
class Chosen:
    """Who is written: the ids of all whom a filter finds, in the order in which they came."""

    table: ExportTable
    ids: array[int]


@bp.get("/events/<event>/people/export", endpoint="export_people")
@needs(Permission.EXPORT_PEOPLE, proof=True)
def export_people(member: Member, event: str) -> ResponseReturnValue:
    """Stream a file; each part is read by itself, so that a slow reader holds no transaction."""
    site = get_site()
    now = site.read_clock()
    asked = request.args.get("format", FileFormat.XLSX)
    if asked not in set(FileFormat):
        abort(400)
    kind = FileFormat(asked)
    refresh_index(member, event)
    # Searching takes long among many, and holds up nobody who registers.
    with site.database.read() as session:
        found = need_event(session, member, event)
        totals = registration_index.list_totals(session, found.id)
        query = read_query(list_filters(session, member, found, totals))
        found_ids = registration_index.list_ids(session, found.id, query.wanted)
        hidden = list_hidden(session, member, found)
        link = write_link(found, "") if has_links_of_people(session, found.id) else ""
        table = ExportTable(
            session,
            found,
            read_locale(),
            name_place,
            hidden=hidden,
            write_link=(lambda code: link + code) if link else None,
            attendance_at=now,
        )
        chosen = Chosen(table, array("Q", chain.from_iterable(found_ids)))
        count = len(chosen.ids)
        slug = found.slug
    if kind is FileFormat.XLSX and count >= MOST_XLSX_ROWS:
        abort(422)
    facts: dict[str, audit.Fact] = {
        "count": count,
        "format": str(kind),
        "filters": " ".join(sorted(query.chosen)),
        "is_searched": bool(query.text),
    }
    with site.database.write() as session:
        object_ = f"event:{event}"
        audit.record(session, member, Action.PEOPLE_EXPORTED, object_, facts=facts, now=now)
    ending, media_type = _NAMES[kind]
    response = Response(_write(site.database, chosen, kind), mimetype=None)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}.{ending}"'
    return response


def _write(database: Database, chosen: Chosen, kind: FileFormat) -> Iterator[bytes]:
    rows = _list_rows(database, chosen)
    if kind is FileFormat.XLSX:
        return write_xlsx(rows)
    if kind is FileFormat.CSV:
        return write_csv(rows)
    headings = (gettext("Receipt number"), gettext("Column"), gettext("Character"))
    return write_cp932(rows, headings=headings)


def _list_rows(database: Database, chosen: Chosen) -> Iterator[list[str]]:
    yield chosen.table.headings
    for start in range(0, len(chosen.ids), CHUNK):
        with database.read() as session:
            rows = chosen.table.list_rows(session, chosen.ids[start : start + CHUNK])
        yield from rows
