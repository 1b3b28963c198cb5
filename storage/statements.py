"""What SQLAlchemy leaves to each database: upserts and counted changes."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import CursorResult
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def insert_for(session: Session) -> Any:
    """Return the `insert` that knows ON CONFLICT on the session's database."""
    if not is_postgresql(session):
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # a tenth of a second that SQLite need not pay

    return postgresql.insert


def rowcount(result: Any) -> int:
    """Return how many rows an UPDATE or DELETE changed."""
    return cast("CursorResult[Any]", result).rowcount
