"""Tables of people that organizers have sent: storing them, and noting what became of each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from .models import PeopleImport, PeopleImportFile, PeopleImportRow

ROWS_AT_ONCE = 500


def add_import(
    session: Session,
    event_id: int,
    content: bytes,
    *,
    file_name: str,
    locale: str,
    now: datetime,
) -> PeopleImport:
    """Store a file as it was sent."""
    table = PeopleImport(
        event_id=event_id, file_name=file_name, locale=locale, words_locale=locale, created_at=now
    )
    session.add(table)
    session.flush()
    session.add(PeopleImportFile(import_id=table.id, content=content))
    session.flush()
    return table


def get_import(session: Session, event_id: int, public_id: str) -> PeopleImport | None:
    return session.scalar(
        select(PeopleImport).where(
            PeopleImport.event_id == event_id, PeopleImport.public_id == public_id
        )
    )


def get_import_by_id(session: Session, import_id: int) -> PeopleImport | None:
    return session.get(PeopleImport, import_id)


def lock_import(session: Session, import_id: int) -> PeopleImport:
    """Lock and return a table, so that nobody else starts it meanwhile."""
    return session.get_one(PeopleImport, import_id, with_for_update=True, populate_existing=True)


def list_open(session: Session, event_id: int) -> list[PeopleImport]:
    """List the tables that are not over, the newest first."""
    return list(
        session.scalars(
            select(PeopleImport)
            .where(PeopleImport.event_id == event_id, PeopleImport.ended_at.is_(None))
            .order_by(PeopleImport.id.desc())
        )
    )


def read_file(session: Session, import_id: int) -> bytes | None:
    return session.scalar(
        select(PeopleImportFile.content).where(PeopleImportFile.import_id == import_id)
    )


def delete_file(session: Session, import_id: int) -> None:
    session.execute(delete(PeopleImportFile).where(PeopleImportFile.import_id == import_id))


def delete_rows(session: Session, import_id: int) -> None:
    session.execute(delete(PeopleImportRow).where(PeopleImportRow.import_id == import_id))


def count_rows(session: Session, import_id: int) -> int:
    """Count the rows that are stored: they come in order."""
    last = session.scalar(
        select(func.max(PeopleImportRow.position)).where(PeopleImportRow.import_id == import_id)
    )
    return 0 if last is None else last + 1


def add_rows(session: Session, import_id: int, first: int, rows: Sequence[Sequence[str]]) -> None:
    session.execute(
        insert(PeopleImportRow),
        [
            {"import_id": import_id, "position": first + n, "cells": list(cells)}
            for n, cells in enumerate(rows)
        ],
    )


def get_next_row(session: Session, table: PeopleImport) -> PeopleImportRow | None:
    """Return the next row; rows are taken in order, so `done` says which one it is."""
    return session.get(PeopleImportRow, (table.id, table.done))


def list_rows(
    session: Session, import_id: int, *, after: int, limit: int, except_result: str | None = None
) -> list[PeopleImportRow]:
    """List rows from a position on, all or those that have another result than one."""
    rows = select(PeopleImportRow).where(
        PeopleImportRow.import_id == import_id, PeopleImportRow.position >= after
    )
    if except_result is not None:
        rows = rows.where(PeopleImportRow.result.not_in(("", except_result)))
    return list(session.scalars(rows.order_by(PeopleImportRow.position).limit(limit)))


def count_results(session: Session, import_id: int) -> dict[str, int]:
    rows = session.execute(
        select(PeopleImportRow.result, func.count())
        .where(PeopleImportRow.import_id == import_id, PeopleImportRow.result != "")
        .group_by(PeopleImportRow.result)
    )
    return {result: count for result, count in rows}


def forget_imports(session: Session, *, before: datetime) -> None:
    """Drop tables that were sent before a moment: what came of them stands at the people."""
    session.execute(delete(PeopleImport).where(PeopleImport.created_at < before))
