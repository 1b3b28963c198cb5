"""Copying a whole database out and in: SQLite by itself, PostgreSQL with its own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from . import migrate
from .ciphers import Cipher
from .pg_scripts import ScriptRefused, play
from .session import BUSY_TIMEOUT_MS, Database, take_all_time

# Without a row in these a database was made, but never used.
_PRECIOUS = ("event", "submission", "registration", "mail")
_OF_THE_SCHEMA = {"alembic_version"}
_NOT_EMPTY = "the database holds something already: --replace keeps it aside"
_ENDING_SECONDS = 3.0
_LOCK_NOT_AVAILABLE = "55P03"
_IN_USE = "the database is in use: stop every flask serve, web and worker first"


class BackupError(Exception):
    """A backup cannot be made or put back; the message says why in one line."""


@dataclass(frozen=True)
class Content:
    """What a copy holds: the revision of its schema, and the rows of each table."""

    schema: str
    counts: dict[str, int]


class Dump(Protocol):
    """One kind of database. `folder` is where its copies have to be unpacked; None for anywhere."""

    folder: Path | None

    def write(self, copy: Path) -> Content: ...

    def restore(
        self,
        copy: Path,
        schema: str,
        counts: Mapping[str, int],
        *,
        keep_aside_as: str | None,
        make_safe: Callable[[Session], None],
    ) -> None: ...


class SqliteDump:
    """Copies a SQLite file; never by copying its bytes, which would tear what is being written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._path = Path(database.url.database or "")
        self.folder: Path | None = self._path.absolute().parent
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, copy: Path) -> Content:
        with closing(self._connect(self._path)) as source:
            try:
                source.execute("VACUUM INTO ?", (str(copy),))
            except sqlite3.Error as error:
                raise BackupError(f"the database could not be copied: {error}") from error
        return self._check(copy)

    def restore(
        self,
        copy: Path,
        schema: str,
        counts: Mapping[str, int],
        *,
        keep_aside_as: str | None,
        make_safe: Callable[[Session], None],
    ) -> None:
        with self._hold(keep_aside_as):
            _compare(self._check(copy), Content(schema, dict(counts)))
            made = Database(f"sqlite:///{copy}", cipher=Cipher([b"nothing is read with it"]))
            try:
                migrate.adopt(made, make_safe)
            finally:
                made.dispose()
            self._leave_wal(copy).close()
            copy.chmod(0o600)
            sync(copy)
            if keep_aside_as is not None and self._path.exists():
                self._path.rename(self._path.with_name(f"{self._path.name}.{keep_aside_as}"))
            copy.replace(self._path)
            sync(self._path.absolute().parent)

    @contextmanager
    def _hold(self, keep_aside_as: str | None) -> Iterator[None]:
        """Let nobody use the database that is there, if it may be replaced at all."""
        self._database.dispose()
        if not self._path.exists():
            yield
            return
        with closing(self._connect(self._path)) as found:
            if keep_aside_as is None and any(
                found.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone()  # noqa: S608
                for table in _list_tables(found).intersection(_PRECIOUS)
            ):
                raise BackupError(_NOT_EMPTY)
        with closing(self._leave_wal(self._path)) as found:
            found.execute("BEGIN EXCLUSIVE")
            yield

    def _leave_wal(self, path: Path) -> sqlite3.Connection:
        """Put everything into the one file, which succeeds only if nobody else has it open."""
        found = self._connect(path)
        try:
            (mode,) = found.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError:
            mode = "busy"
        if mode != "delete":
            found.close()
            raise BackupError(_IN_USE)
        return found

    def _check(self, copy: Path) -> Content:
        """Read a copy through, and count its rows."""
        try:
            with closing(self._connect(copy)) as made:
                found = made.execute("PRAGMA integrity_check").fetchone()
                if found != ("ok",) or made.execute("PRAGMA foreign_key_check").fetchone():
                    raise BackupError(f"the copy is not sound: {found[0]}")
                (schema,) = made.execute("SELECT version_num FROM alembic_version").fetchone()
                counts = {
                    table: made.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
                    for table in sorted(_list_tables(made) - _OF_THE_SCHEMA)
                }
        except sqlite3.DatabaseError as error:
            raise BackupError(f"the copy is not sound: {error}") from error
        return Content(schema, counts)

    def _connect(self, path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


class PostgresqlDump:
    """Runs `pg_dump` and `pg_restore`, which must be at least as new as the server."""

    folder: Path | None = None

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, copy: Path) -> Content:
        with self._database.engine.begin() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            # It stands still for as long as the dump takes.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            take_all_time(connection)
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            content = _read_content(connection)
            self._run(
                *("pg_dump", "--format=custom", "--compress=0", "--no-owner", "--no-privileges"),
                *(f"--snapshot={snapshot}", f"--schema={_get_schema(connection)}"),
                f"--file={copy}",
            )
        return content

    def restore(
        self,
        copy: Path,
        schema: str,
        counts: Mapping[str, int],
        *,
        keep_aside_as: str | None,
        make_safe: Callable[[Session], None],
    ) -> None:
        wanted = copy.with_name("wanted")
        wanted.write_text(self._list_entries(copy))

        def bring(connection: Connection) -> None:
            _make_room(connection, keep_aside_as)
            self._fill(connection, copy, wanted)
            _compare(_read_content(connection), Content(schema, dict(counts)))

        self._database.dispose()
        # In one transaction with all that follows: whatever ends this, or the server, at whatever
        # moment leaves the database that was there.
        migrate.adopt(self._database, make_safe, bring=bring)

    def _list_entries(self, copy: Path) -> str:
        """List what to restore: all but the schema itself, which is there already."""
        lines = self._run("pg_restore", "--list", str(copy), needs_database=False).splitlines()
        return "\n".join(line for line in lines if " SCHEMA " not in line)

    def _fill(self, connection: Connection, copy: Path, wanted: Path) -> None:
        """Have `pg_restore` write the copy as SQL, and run that in our transaction."""
        options = ("--no-owner", "--no-privileges", f"--use-list={wanted}", "--file=-")
        command = [_find_program("pg_restore"), *options, str(copy)]
        with TemporaryFile("w+") as said:
            # Ended early, its pipe is closed, of which it dies.
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as writing:  # noqa: S603
                try:
                    play(connection, writing.stdout or ())
                except ScriptRefused as error:
                    raise BackupError(f"the database refuses it: {error}") from error
            if writing.returncode:
                said.seek(0)
                raise _fail("pg_restore", writing.returncode, said.read())

    def _run(self, program: str, *arguments: str, needs_database: bool = True) -> str:
        url = self._database.url.set(drivername="postgresql", password=None)
        address = f"--dbname={url.render_as_string(hide_password=False)}"
        environ = dict(os.environ)
        if self._database.url.password is not None:
            # Not among the arguments, which everybody on the machine can read.
            environ["PGPASSWORD"] = str(self._database.url.password)
        done: Any = subprocess.run(  # noqa: S603 - our own arguments
            [_find_program(program), *([address] if needs_database else []), *arguments],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise _fail(program, done.returncode, done.stderr)
        return str(done.stdout)


def _find_program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is missing: install PostgreSQL's client programs")
    return found


def _fail(program: str, code: int, said: str) -> BackupError:
    lines = said.strip().splitlines() or [f"it ended with {code}"]
    return BackupError(f"{program} failed: {lines[0]}")


def _make_room(connection: Connection, keep_aside_as: str | None) -> None:
    """Leave an empty schema; nobody else writes into the former one any more."""
    _refuse_others(connection)
    tables = inspect(connection).get_table_names()
    if keep_aside_as is None and any(
        connection.execute(text(f'SELECT 1 FROM "{table}" LIMIT 1')).first()  # noqa: S608
        for table in set(tables).intersection(_PRECIOUS)
    ):
        raise BackupError(_NOT_EMPTY)
    schema = _get_schema(connection)
    try:
        for table in tables:
            # Of a process that starts meanwhile, which may read the former site until the end.
            connection.execute(text(f'LOCK TABLE "{table}" IN EXCLUSIVE MODE'))
        if keep_aside_as is None:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        else:
            aside = f"{schema}_{keep_aside_as}"
            connection.execute(text(f'ALTER SCHEMA "{schema}" RENAME TO "{aside}"'))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise BackupError(_IN_USE) from error
    connection.execute(text(f'CREATE SCHEMA "{schema}"'))


_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def _refuse_others(connection: Connection) -> None:
    """Raise if somebody else is connected; our own connections of before may still be ending."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while connection.execute(_OTHERS).scalar_one():
        if time.monotonic() > deadline:
            raise BackupError(_IN_USE)
        time.sleep(0.1)
        # Else a transaction goes on seeing who was there when it looked first.
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))


def _list_tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return {name for (name,) in rows}


def _get_schema(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def _read_content(connection: Connection) -> Content:
    tables = sorted(set(inspect(connection).get_table_names()) - _OF_THE_SCHEMA)
    counts = {
        table: int(
            connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()  # noqa: S608
        )
        for table in tables
    }
    return Content(str(migrate.read_revision(connection)), counts)


def _compare(found: Content, expected: Content) -> None:
    if found != expected:
        raise BackupError("the backup does not hold what its manifest says")


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
