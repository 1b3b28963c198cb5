"""Bringing a database to the schema of this version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from .ciphers import Cipher
from .session import Database

_LOCK = 0x756B6574  # "uket": one migration at a time on a PostgreSQL server


class DatabaseTooNew(Exception):
    """The database was migrated by a newer version of Uketsuke."""


class DatabaseSilent(ValueError):
    """Nobody can tell whether there is a database: it does not answer."""


def upgrade(database: Database) -> None:
    """Migrate to the newest schema, alone; a database that is up to date is left untouched.

    Raises:
        DatabaseTooNew: this version does not know the database's schema.
    """
    if is_current(database):
        return
    from alembic import command

    with _exclusive(database) as connection:
        _check_not_newer(connection)
        command.upgrade(_configure(connection), "head")


def is_current(database: Database) -> bool:
    """Tell whether the database has exactly this version's schema."""
    with database.engine.connect() as connection:
        return read_revision(connection) == get_head()


def is_set_up(url: str) -> bool:
    """Tell whether a database was ever migrated, to whatever version; none is made.

    Raises:
        DatabaseSilent: it does not answer.
    """
    database = Database(url, cipher=Cipher([b"nothing is read with it"]))
    if database.is_sqlite and not Path(database.url.database or "").exists():
        return False
    try:
        with database.engine.connect() as connection:
            return read_revision(connection) is not None
    except SQLAlchemyError as error:
        raise DatabaseSilent("there is no secret yet, and the database does not answer") from error
    finally:
        database.dispose()


def read_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


@cache
def get_head() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_FOLDER)).get_current_head()


_FOLDER = Path(__file__).parent / "migrations"


def _configure(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _check_not_newer(connection: Connection) -> None:
    from alembic.script import ScriptDirectory

    revision = read_revision(connection)
    known = {script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseTooNew(revision)


@contextmanager
def _exclusive(database: Database) -> Iterator[Connection]:
    """Open the one transaction in which a migration runs, whole or not at all."""
    writer = database.engine.execution_options(is_writer=True)
    with (
        writer.connect() as connection,
        _without_foreign_keys(database, connection),
        connection.begin(),
    ):
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        yield connection
        if database.is_sqlite and connection.execute(text("PRAGMA foreign_key_check")).all():
            raise RuntimeError("the migration would leave rows without their parents")


@contextmanager
def _without_foreign_keys(database: Database, connection: Connection) -> Iterator[None]:
    """A batch change rebuilds a table: with foreign keys on, SQLite would delete its children."""
    if not database.is_sqlite:
        yield
        return
    # Outside any transaction, where alone the pragma works.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
