"""What SQLAlchemy leaves to each database: upserts and counted changes.

Building a statement takes SQLAlchemy several times as long as running it takes SQLite. What every
registration needs is therefore built once, with parameters: a constant beside the function that
runs it, or, where the databases have words of their own, a cached function of their `insert`.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached

Row = TypeVar("Row", bound=DeclarativeBase)


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


def table_of(model: type[DeclarativeBase]) -> Table:
    """Return a model's table: an INSERT into it skips what the ORM does for each row."""
    return cast("Table", model.__table__)


def attach(session: Session, row: Row) -> Row:
    """Have the session know an object as the row that was just inserted, without reading it."""
    make_transient_to_detached(row)
    session.add(row)
    return row
