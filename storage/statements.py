"""What SQLAlchemy leaves to each database, and statements that run at the driver's own speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Executable, Insert, Select, Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.attributes import instance_dict, instance_state
from sqlalchemy.types import TypeEngine

from .direct_sessions import DirectSession
from .models.base import UtcDateTime

Row = TypeVar("Row", bound=DeclarativeBase)
Process = Callable[[Any], Any]

CURSORS = 20
"""So many a connection to PostgreSQL keeps at most; a registration needs half a dozen."""


class Statement:
    """A statement of fixed shape, written with SQLAlchemy and run without it.

    SQLAlchemy takes ten times as long for each run as SQLite does. What every visitor needs is
    therefore compiled once for each kind of database, and its text goes to the driver as it is.

    Args:
        build: returns the statement; it gets the database's own `insert`, which knows ON CONFLICT.
            Parameters are named by `bindparam`, those of an INSERT by the columns of its first run,
            which are all that it ever has.
        is_planned_anew: have PostgreSQL plan each run by its values, which takes it some tenths of
            a millisecond; a plan for any values would read whole tables where few rows fit.
    """

    def __init__(
        self, build: Callable[[Any], Executable], *, is_planned_anew: bool = False
    ) -> None:
        self._build = build
        self._is_planned_anew = is_planned_anew
        self._compiled: dict[tuple[str, int], _Compiled] = {}

    def fetch(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the row of a statement that has one at most.

        SQLite would hold on to what a longer answer has left, and to the moment it was read at.
        """
        return self.fetch_from(*_get_connection(session), values)

    def fetch_early(self, session: Session, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """As `fetch`, but a transaction of its own where the session has not begun one."""
        if not isinstance(session, DirectSession):
            return self.fetch(session, values)
        return self.fetch_from(session.early, session.dialect, values)

    def fetch_all(self, session: Session, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return all rows; for some hundreds at a time, read over and over."""
        pooled, dialect = _get_connection(session)
        compiled = self._compile(dialect, values)
        cursor = _get_cursor(pooled, compiled.text)
        try:
            cursor.execute(compiled.text, compiled.bind(values), **compiled.options)
            rows = cursor.fetchall()
        except compiled.driver_error as error:
            raise translate_error(error, pooled, dialect, compiled.text) from error
        return [compiled.read(row) or () for row in rows] if compiled.readers else rows

    def fetch_from(
        self, pooled: Any, dialect: Dialect, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """As `fetch`, where there is no session but a connection of the pool."""
        compiled = self._compile(dialect, values)
        cursor = _get_cursor(pooled, compiled.text)
        try:
            cursor.execute(compiled.text, compiled.bind(values), **compiled.options)
            return compiled.read(cursor.fetchone())
        except compiled.driver_error as error:
            raise translate_error(error, pooled, dialect, compiled.text) from error

    def change(self, session: Session, values: Mapping[str, Any]) -> int:
        """Return how many rows were changed."""
        return self.change_on(*_get_connection(session), values)

    def change_on(self, pooled: Any, dialect: Dialect, values: Mapping[str, Any]) -> int:
        """As `change`, where there is no session but a connection of the pool."""
        return self._change(pooled, self._compile(dialect, values), values)

    def insert_all(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of the same columns, all of them given, by one statement."""
        if not rows:
            return
        pooled, dialect = _get_connection(session)
        compiled = self._compile(dialect, rows[0], len(rows))
        names = _number(tuple(rows[0]), len(rows))
        values = [row[name] for row in rows for name in rows[0]]
        self._change(pooled, compiled, dict(zip(names, values, strict=True)))

    def change_for_each(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Do as `change` with each of many rows; on PostgreSQL none waits for the answer before."""
        if not rows:
            return
        pooled, dialect = _get_connection(session)
        compiled = self._compile(dialect, rows[0])
        cursor = _get_cursor(pooled, compiled.text)
        try:
            cursor.executemany(compiled.text, [compiled.bind(row) for row in rows])
        except compiled.driver_error as error:
            raise translate_error(error, pooled, dialect, compiled.text) from error

    def _change(self, pooled: Any, compiled: _Compiled, values: Mapping[str, Any]) -> int:
        cursor = _get_cursor(pooled, compiled.text)
        try:
            cursor.execute(compiled.text, compiled.bind(values), **compiled.options)
        except compiled.driver_error as error:
            raise translate_error(error, pooled, compiled.dialect, compiled.text) from error
        return int(cursor.rowcount)

    def _compile(self, dialect: Dialect, values: Mapping[str, Any], rows: int = 0) -> _Compiled:
        compiled = self._compiled.get((dialect.name, rows))
        if compiled is None:
            statement, names = self._build(_get_insert(dialect.name)), list(values)
            if rows:
                statement, names = _repeat(statement, names, rows)
            is_unprepared = self._is_planned_anew and dialect.name == "postgresql"
            options = {"prepare": False} if is_unprepared else {}
            compiled = _compile(statement, dialect, names, options)
            self._compiled[dialect.name, rows] = compiled
        return compiled


@dataclass(frozen=True)
class _Compiled:
    """A statement's text for one kind of database.

    `order` names the parameters where they go by position, else they go by name. `constants` are
    those that the statement itself has. `options` are for the driver.
    """

    text: str
    dialect: Dialect
    driver_error: type[Any]
    order: tuple[str, ...] | None
    constants: Mapping[str, Any]
    binders: Mapping[str, Process]
    readers: tuple[tuple[int, Process], ...]
    options: Mapping[str, Any]

    def bind(self, values: Mapping[str, Any]) -> Any:
        bound = {**self.constants, **values}
        for name, process in self.binders.items():
            bound[name] = process(bound[name])
        return bound if self.order is None else [bound[name] for name in self.order]

    def read(self, row: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if row is None or not self.readers:
            return row
        read = list(row)
        for place, process in self.readers:
            read[place] = process(read[place])
        return tuple(read)


def translate_error(error: Any, pooled: Any, dialect: Dialect, statement: str) -> DBAPIError:
    """Make the error that SQLAlchemy would have raised; it shows nothing that was typed.

    Side effects: a connection that is lost is invalidated.
    """
    is_lost = dialect.is_disconnect(error, pooled.driver_connection, None)
    if is_lost:
        pooled.invalidate(error)
    return cast(
        DBAPIError,
        DBAPIError.instance(
            statement,
            {},
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=dialect,
        ),
    )


def _repeat(statement: Executable, names: list[str], rows: int) -> tuple[Executable, list[str]]:
    """Give an INSERT several rows of parameters with numbered names."""
    assert isinstance(statement, Insert)
    types = {column.name: column.type for column in statement.table.columns}
    numbered = _number(tuple(names), rows)
    each = iter(numbered)
    values = [
        {name: bindparam(next(each), type_=types[name]) for name in names} for _ in range(rows)
    ]
    return statement.values(values), list(numbered)


@cache
def _number(names: tuple[str, ...], rows: int) -> tuple[str, ...]:
    """Return the names of the parameters of so many rows, one after the other."""
    return tuple(f"{name}_{number}" for number in range(rows) for name in names)


def _get_cursor(pooled: Any, text: str) -> Any:
    """Return a cursor that a connection keeps, as each new one costs psycopg much.

    psycopg's learns anew how parameters are written and columns are read where it last ran another
    text, a tenth of what a registration's statements cost on our side: so each has its own. It
    holds what was last read until it runs again.
    """
    cursors, connection = pooled.info.setdefault("cursors", {}), pooled.driver_connection
    make = getattr(connection, "make_raw_cursor", None)
    name = "" if make is None else text
    cursor = cursors.get(name)
    if cursor is None:
        if len(cursors) == CURSORS:
            cursors.clear()
        cursor = cursors[name] = (make or connection.cursor)()
    return cursor


def _get_connection(session: Session) -> tuple[Any, Dialect]:
    """Return the pooled connection of a session, and what is particular to its database."""
    if isinstance(session, DirectSession):
        return session.pooled, session.dialect
    connection = session.connection()
    return connection.connection, connection.dialect


def _compile(
    statement: Executable, dialect: Dialect, names: list[str], options: Mapping[str, Any]
) -> _Compiled:
    is_insert = isinstance(statement, Insert)
    compiled: Any = statement.compile(  # type: ignore[attr-defined]
        dialect=_number_parameters(dialect), column_keys=names if is_insert else None
    )
    defaults = {column.name: column.default for column in compiled.insert_prefetch}
    if compiled.post_compile_params or not all(value.is_scalar for value in defaults.values()):
        raise ValueError(f"not of fixed shape: {compiled}")
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    return _Compiled(
        text=str(compiled),
        dialect=dialect,
        driver_error=dialect.loaded_dbapi.Error,
        order=None if compiled.positiontup is None else tuple(compiled.positiontup),
        constants={name: value for name, value in compiled.params.items() if name not in names}
        | {name: default.arg for name, default in defaults.items()},
        binders={
            name: process
            for bound, name in compiled.bind_names.items()
            if (process := _get_binder(bound.type, dialect))
        },
        readers=tuple(
            (place, process)
            for place, column in enumerate(columns)
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ),
        options=options,
    )


@cache
def _number_parameters(dialect: Dialect) -> Dialect:
    """Return a dialect that writes PostgreSQL's own `$1`, which the driver need not translate."""
    if dialect.name != "postgresql":
        return dialect
    return type(dialect)(paramstyle="numeric_dollar")  # type: ignore[call-arg]


def _get_binder(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    if isinstance(kind, UtcDateTime):
        return _get_moment_binder(dialect)
    process: Process | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return process


@cache
def _get_moment_binder(dialect: Dialect) -> Process:
    """Return one for all columns: a registration writes the same moment in a dozen of them."""
    process = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert process is not None, "it has one on each"
    return lru_cache(maxsize=64)(process)


def _get_insert(dialect_name: str) -> Any:
    if dialect_name != "postgresql":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # a tenth of a second that SQLite need not pay

    return postgresql.insert


def is_postgresql(session: Session) -> bool:
    return _get_dialect(session).name == "postgresql"


def insert_for(session: Session) -> Any:
    """Return the `insert` that knows ON CONFLICT on the session's database."""
    return _get_insert(_get_dialect(session).name)


def _get_dialect(session: Session) -> Dialect:
    return session.dialect if isinstance(session, DirectSession) else session.get_bind().dialect


def rowcount(result: Any) -> int:
    """Return how many rows an UPDATE or DELETE changed."""
    return cast("CursorResult[Any]", result).rowcount


def table_of(model: type[DeclarativeBase]) -> Table:
    """Return a model's table: an INSERT into it skips what the ORM does for each row."""
    return cast("Table", model.__table__)


@cache
def _list_defaults(model: type[DeclarativeBase]) -> dict[str, Any]:
    """Return by column what a new row has that was given nothing: a default, or NULL."""
    columns: Any = table_of(model).columns
    return {
        column.key: column.default.arg if column.default and column.default.is_scalar else None
        for column in columns
    }


def attach(session: Session, model: type[Row], values: Mapping[str, Any]) -> Row:
    """Have the session know a row that was inserted or read by a Statement as an object of its own.

    Columns without a value have what an INSERT gives them. It does what SQLAlchemy's own loading
    does (`sqlalchemy.orm.loading`): what a session is asked to do with a new or a detached object
    costs ten times that. The session must not know the row.
    """
    mapper = model.__mapper__
    row = cast(Row, mapper.class_manager.new_instance())
    instance_dict(row).update({**_list_defaults(model), **values})
    state: Any = instance_state(row)
    state.key = mapper.identity_key_from_primary_key((values["id"],))
    state.session_id = session.hash_key
    session.identity_map.add(state)
    return row
