"""Whether the database would take a registration now, asked without leaving anything in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from .session import Database

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


def measure_clock_difference(database: Database, *, now: datetime) -> timedelta:
    """Return by how much the database server's clock is ahead of ours; SQLite has none."""
    if database.is_sqlite:
        return timedelta()
    with database.read() as session:
        at: datetime = session.scalar(text("SELECT clock_timestamp()"))
    return at.astimezone(UTC) - now
