"""Whether the database would take a registration now."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from .limits import Bucket, spend
from .session import Database

_LITTLE_ROOM = 64 * 1024  # bytes; SQLite begins its smallest file with half of it
_NO_ROOM = "53100"  # PostgreSQL's disk_full
_IS_READ_ONLY = text(
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
)


def is_writable(database: Database) -> bool:
    """Tell whether a transaction may write; on SQLite the write lock is taken for a moment.

    Raises:
        SQLAlchemyError: the database does not answer, or is a file that may only be read.
    """
    with database.write() as session:
        return database.is_sqlite or not session.scalar(_IS_READ_ONLY)


def write_something(database: Database, *, now: datetime) -> None:
    """Commit one small row, which is forgotten within hours.

    On a full disk a transaction may begin and write: only its end is refused.

    Raises:
        SQLAlchemyError: it was not kept; see `is_disk_full`.
    """
    with database.write() as session:
        spend(session, Bucket("readiness", interval=1.0, burst=3600), now=now.timestamp())


def is_disk_full(database: Database, error: SQLAlchemyError) -> bool:
    """Tell whether an error means that the database's disk is full.

    SQLite has several errors for that, depending on the file that could not grow: there the disk is
    asked.
    """
    if database.is_sqlite:
        return shutil.disk_usage(Path(database.place).absolute().parent).free < _LITTLE_ROOM
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") == _NO_ROOM


def measure_clock_difference(database: Database, *, now: datetime) -> timedelta:
    """Return by how much the database server's clock is ahead of ours; SQLite has none."""
    if database.is_sqlite:
        return timedelta()
    with database.read() as session:
        at: datetime = session.scalar(text("SELECT clock_timestamp()"))
    return at.astimezone(UTC) - now
