"""Bringing a database to the schema of this version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from .ciphers import Cipher
from .database_files import has_file, make_file
from .session import BUSY_TIMEOUT_MS, Database, take_all_time

_LOCK = 0x756B6574  # "uket": one migration at a time on a PostgreSQL server
_LOCK_SECONDS = 2
_IN_THE_WAY = {"55P03": "lock not available", "40P01": "deadlock"}
_TRIES = 20
_PAUSE_SECONDS = 1.0
_WAIT_MS = 600_000


class DatabaseTooNew(Exception):
    """The database was migrated by a newer version of Uketsuke, whose schema is of no use here."""


class DatabaseBusy(Exception):
    """Others held a table at each of many tries to migrate; nothing was changed."""


class DatabaseSilent(ValueError):
    """Nobody can tell whether there is a database: it does not answer."""


def upgrade(database: Database, *, on_step: Callable[[], None] | None = None) -> None:
    """Migrate to the newest schema, alone; a database that can be used is left untouched.

    Args:
        on_step: called after each revision, before anything is committed.

    Raises:
        DatabaseTooNew: this version cannot work with the database's schema.
        DatabaseBusy: others were in the way all the time.
    """
    make_file(database)
    for tries_left in reversed(range(_TRIES)):
        if not describe_misfit(database):
            return
        try:
            with _exclusive(database) as connection:
                _upgrade(connection, on_step)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY:
                raise
            if not tries_left:
                raise DatabaseBusy from error
            time.sleep(_PAUSE_SECONDS)


def adopt(
    database: Database,
    make_safe: Callable[[Session], None],
    *,
    bring: Callable[[Connection], None] = lambda connection: None,
) -> None:
    """Take in a database that was put back: its schema becomes this version's, and it is changed.

    All in one transaction, with `bring` as its beginning, which may put the tables there.
    """
    with _exclusive(database) as connection:
        bring(connection)
        _upgrade(connection, None)
        joined = Session(connection, join_transaction_mode="create_savepoint")
        with joined as session, session.begin():
            make_safe(session)


def describe_misfit(database: Database) -> str:
    """Say in one line why this version cannot work with the database's schema, and what to do.

    Empty if it can: the schema is its own, or a newer one that says that this version's code fits.
    So old processes go on while a rolling upgrade is under way.
    """
    if not has_file(database):
        return _describe_absence(database)
    with database.engine.connect() as connection:
        revision, head = read_revision(connection), get_head()
        if revision == head or _is_newer_and_fits(connection, revision):
            return ""
    if revision is None:
        return _describe_absence(database)
    if is_known(revision):
        return f"The database is of an older version (schema {revision}): run flask migrate."
    return (
        f"The database is of a newer version of Uketsuke (schema {revision}, here {head}): "
        "install that version, or restore the backup from before its upgrade."
    )


def _describe_absence(database: Database) -> str:
    """Name the place: often it is another database that is meant, and a variable is missing."""
    return f"The database {database.place} is not set up: name another one, or run flask migrate."


def needs_upgrade(database: Database) -> bool:
    """Tell whether there is a database with an older schema."""
    if not has_file(database):
        return False
    with database.engine.connect() as connection:
        revision = read_revision(connection)
        return revision is not None and revision != get_head() and is_known(revision)


def is_known(revision: str) -> bool:
    """Tell whether this version can bring a database from a revision to its own."""
    return revision in {script.revision for script in _list_scripts()}


def is_set_up(url: str) -> bool:
    """Tell whether a database was ever migrated, to whatever version; none is made.

    Raises:
        DatabaseSilent: it does not answer.
    """
    database = Database(url, cipher=Cipher([b"nothing is read with it"]))
    if not has_file(database):
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


def _configure(connection: Connection, on_step: Callable[[], None] | None) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes |= {"connection": connection, "on_step": on_step or (lambda: None)}
    return config


def _upgrade(connection: Connection, on_step: Callable[[], None] | None) -> None:
    """Bring the schema to this version's, unless it is newer and fits."""
    from alembic import command

    revision = read_revision(connection)
    if revision is not None and not is_known(revision):
        if _is_newer_and_fits(connection, revision):
            return
        raise DatabaseTooNew(revision)
    command.upgrade(_configure(connection, on_step), "head")
    connection.execute(text("DELETE FROM schema_fit"))
    connection.execute(
        text("INSERT INTO schema_fit (oldest_revision) VALUES (:oldest)"),
        {"oldest": find_oldest_fit()},
    )


def find_oldest_fit() -> str:
    """Return the oldest revision whose code works with this version's schema.

    A migration that only adds what older code can ignore says so with `fits_code_of`; any other
    fits only the code it came with.
    """
    return max(
        str(getattr(script.module, "fits_code_of", script.revision)) for script in _list_scripts()
    )


def _is_newer_and_fits(connection: Connection, revision: str | None) -> bool:
    if revision is None or is_known(revision) or not inspect(connection).has_table("schema_fit"):
        return False
    oldest = connection.execute(text("SELECT oldest_revision FROM schema_fit")).scalar()
    # Revisions are numbers of four digits, so they compare as text.
    return oldest is not None and oldest <= str(get_head())


def _list_scripts() -> list[Any]:
    from alembic.script import ScriptDirectory

    return list(ScriptDirectory(str(_FOLDER)).walk_revisions())


@contextmanager
def _exclusive(database: Database) -> Iterator[Connection]:
    """Open the one transaction in which a migration runs, whole or not at all."""
    writer = database.engine.execution_options(is_writer=True)
    with (
        writer.connect() as connection,
        _set_apart(database, connection),
        connection.begin(),
    ):
        if not database.is_sqlite:
            take_all_time(connection)
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            # Whoever waits for a table keeps everybody else off it meanwhile.
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        yield connection
        if database.is_sqlite and connection.execute(text("PRAGMA foreign_key_check")).all():
            raise RuntimeError("the migration would leave rows without their parents")


@contextmanager
def _set_apart(database: Database, connection: Connection) -> Iterator[None]:
    """Have SQLite wait for another migration, and leave foreign keys alone.

    A batch change rebuilds a table: with foreign keys on, SQLite would delete its children.
    """
    if not database.is_sqlite:
        yield
        return
    # Outside any transaction, where alone the pragma works.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute(f"PRAGMA busy_timeout={_WAIT_MS}")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
