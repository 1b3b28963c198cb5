"""What is sealed in the database, whatever column it lies in: found by the type `Sealed`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, select, update
from sqlalchemy.orm import Session

from .models import Base, Sealed

SealedColumn: TypeAlias = Column[bytes]


def list_sealed_columns() -> list[SealedColumn]:
    tables = Base.metadata.sorted_tables
    return [column for table in tables for column in table.c if isinstance(column.type, Sealed)]


def describe_column(column: ColumnElement[bytes]) -> str:
    """Say what the values of a column are."""
    assert isinstance(column.type, Sealed), "others are not listed"
    return column.type.what


def list_values(
    session: Session, column: SealedColumn, *, after: Any, limit: int
) -> list[tuple[Any, bytes]]:
    """List sealed values with the keys of their rows, in their order; all come after None."""
    key = _get_key(column)
    statement = select(key, column).where(column.is_not(None)).order_by(key).limit(limit)
    if after is not None:
        statement = statement.where(key > after)
    return [(row[0], row[1]) for row in session.execute(statement)]


def replace_values(
    session: Session,
    column: SealedColumn,
    keys: Sequence[Any],
    replace: Callable[[bytes], bytes | None],
) -> int:
    """Replace the values of rows by what `replace` makes of each as it is now, unless it is None.

    Returns how many were replaced. A row that somebody else holds is left as it is, so that nobody
    waits in a circle.
    """
    key = _get_key(column)
    rows = session.execute(
        select(key, column)
        .where(key.in_(keys), column.is_not(None))
        .order_by(key)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    replaced = 0
    for row_key, value in rows:
        new = replace(value)
        if new is not None:
            session.execute(update(column.table).where(key == row_key).values({column.name: new}))
            replaced += 1
    return replaced


def _get_key(column: SealedColumn) -> Column[Any]:
    [key] = column.table.primary_key
    return key
