"""Registering people from a table: read, looked through by somebody, then added row by row."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, job_requests, people_imports
from storage.models import Event, PeopleImport, PeopleImportRow

from .chosen_dates import ask_for_dates
from .events import read_current_form, read_link_policy
from .formulas import defuse
from .memberships import may_change_people
from .people_adding import AlreadyRegistered, add_by_hand
from .people_files import FileProblem
from .questions import FormDefinition
from .registrations import RegistrationNotOpen
from .submissions import Submission

JOB_KIND = "people.import"
KEPT_FOR = timedelta(days=30)


class ImportState(StrEnum):
    """How far a table has come."""

    READING = "reading"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


class RowResult(StrEnum):
    """What became of a row; the first of them is success."""

    ADDED = "added"
    KNOWN = "known"
    INVALID = "invalid"
    CLOSED = "closed"


class RowRefused(ValueError):
    """Nobody can be registered from a row; the message says why, in the words of the import."""


ReadRow = Callable[[FormDefinition, PeopleImport, Sequence[str]], Submission]
"""Makes a submission of a row's cells.

Raises:
    RowRefused: something in it is missing or wrong.
"""


def begin_import(
    session: Session,
    event: Event,
    content: bytes,
    *,
    file_name: str,
    locale: str,
    now: datetime,
) -> PeopleImport:
    """Store a file and the job that reads it."""
    table = people_imports.add_import(
        session, event.id, content, file_name=file_name, locale=locale, now=now
    )
    _enqueue(session, table, now)
    return table


def keep_rows(session: Session, import_id: int, first: int, rows: Sequence[list[str]]) -> None:
    """Store rows that were read; position 0 is the first below the headings."""
    cleaned = [[_undo_defusing(cell) for cell in cells] for cells in rows]
    people_imports.add_rows(session, import_id, first, cleaned)


def end_reading(session: Session, import_id: int, headings: Sequence[str], total: int) -> None:
    """Have the columns confirmed; the file is not needed any more."""
    table = people_imports.lock_import(session, import_id)
    table.headings, table.total = [_undo_defusing(cell) for cell in headings], total
    table.state = ImportState.READY
    people_imports.delete_file(session, import_id)


def refuse(session: Session, import_id: int, problem: FileProblem, *, now: datetime) -> None:
    table = people_imports.lock_import(session, import_id)
    table.state, table.problem, table.ended_at = ImportState.REFUSED, problem, now
    people_imports.delete_file(session, import_id)
    people_imports.delete_rows(session, import_id)


def start_import(
    session: Session,
    table: PeopleImport,
    columns: Mapping[int, str],
    *,
    basis: str,
    locale: str,
    words_locale: str,
    by: int | None,
    now: datetime,
) -> bool:
    """Have the rows added by a worker; False if somebody has started it already.

    `by` is the id of the organizer who asks for it.
    """
    table = people_imports.lock_import(session, table.id)
    if table.state != ImportState.READY:
        return False
    table.columns = {str(place): name for place, name in columns.items()}
    table.basis, table.locale, table.words_locale = basis, locale, words_locale
    table.state = ImportState.RUNNING
    _enqueue(session, table, now, by=by)
    return True


def stop_import(session: Session, table: PeopleImport, *, now: datetime) -> None:
    """Leave the rows alone that have not had their turn; whoever was added stays."""
    table = people_imports.lock_import(session, table.id)
    if table.state in (ImportState.READY, ImportState.RUNNING):
        table.state, table.ended_at = ImportState.DONE, now


def read_columns(table: PeopleImport) -> dict[int, str]:
    return {int(place): name for place, name in table.columns.items()}


def import_next(
    session: Session, import_id: int, read_row: ReadRow, *, by: int | None, now: datetime
) -> bool:
    """Register whoever stands in the next row and note the result; return whether any is left.

    Both are one transaction: whoever dies in between has done neither. It ends where the organizer
    who asked for it may do so no more.
    """
    table = people_imports.get_import_by_id(session, import_id)
    if table is None or table.state != ImportState.RUNNING:
        return False
    event = events.need_event(session, table.event_id)
    if by is not None and not may_change_people(session, event, by):
        stop_import(session, table, now=now)
        return False
    row = people_imports.get_next_row(session, table)
    if row is not None:
        row.result, row.reason = _add(session, event, table, row, read_row, now)
        table.done += 1
    if row is None or table.done >= table.total:
        table.state, table.ended_at = ImportState.DONE, now
    return table.state == ImportState.RUNNING


def _add(
    session: Session,
    event: Event,
    table: PeopleImport,
    row: PeopleImportRow,
    read_row: ReadRow,
    now: datetime,
) -> tuple[RowResult, str]:
    try:
        definition = ask_for_dates(session, event, read_current_form(session, event), now=now)
        submission = read_row(definition, table, row.cells)
    except RowRefused as refusal:
        return RowResult.INVALID, str(refusal)
    submission = replace(submission, nonce=secrets.token_urlsafe(16))
    policy = read_link_policy(session, event)
    try:
        with session.begin_nested():
            add_by_hand(session, event, submission, basis=table.basis, policy=policy, now=now)
    except AlreadyRegistered as known:
        return RowResult.KNOWN, known.known_as
    except RegistrationNotOpen as refusal:
        return RowResult.CLOSED, refusal.state
    return RowResult.ADDED, ""


def _enqueue(
    session: Session, table: PeopleImport, now: datetime, *, by: int | None = None
) -> None:
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{table.id}",
        payload={"import_id": table.id, "organizer_id": by},
        event_id=table.event_id,
        run_at=now,
        now=now,
    )


def _undo_defusing(cell: str) -> str:
    """Take away the apostrophe with which an export of ours makes a formula harmless."""
    is_defused = cell.startswith("'") and defuse(cell[1:]) == cell
    return cell[1:] if is_defused else cell
