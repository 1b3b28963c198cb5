"""The file of a SQLite database: made once, on purpose, and checked before it is used.

A file that is missing was moved, or lies on a disk that is not mounted; an empty one in its place
would take registrations as if nobody had come before. So a note beside it says that it once
existed. PostgreSQL looks after its own files: nothing is done for it here.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from .session import Database


class DatabaseLost(Exception):
    """The file was there and is not any more."""


class DatabaseDamaged(Exception):
    """The file is no database any more, or a part of one; the message is SQLite's."""


def has_file(database: Database) -> bool:
    """Tell whether there is something to connect to."""
    return not database.is_sqlite or _get_path(database).exists()


def check_file(database: Database) -> None:
    """Look through a database before it is used: a page that is damaged may not be met for weeks.

    Raises:
        DatabaseLost: it is not there, and was.
        DatabaseDamaged: it cannot be read whole.
        OperationalError: nothing can be written to it.
    """
    if not database.is_sqlite:
        return
    if not has_file(database):
        if _get_mark(database).exists():
            raise DatabaseLost(_get_path(database))
        return
    with database.engine.connect() as connection:
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    if found != "ok":
        # Its last line says what was found, those before it where.
        raise DatabaseDamaged(str(found).splitlines()[-1])
    with database.write():
        pass  # its transaction begins as one that writes


def make_file(database: Database) -> None:
    """Make an empty file where there is none; elsewhere a connection never makes one."""
    if database.is_sqlite:
        _get_path(database).touch()


def note_file(database: Database) -> None:
    """Note that the file is there from now on."""
    if database.is_sqlite:
        _get_mark(database).touch()


def forget_file(database: Database) -> None:
    """Let a new database be made in the place of one that is missing."""
    if database.is_sqlite:
        _get_mark(database).unlink(missing_ok=True)


def _get_path(database: Database) -> Path:
    return Path(database.url.database or "")


def _get_mark(database: Database) -> Path:
    path = _get_path(database)
    return path.with_name(f"{path.name}.made")
