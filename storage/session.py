"""Connections and transactions on SQLite and PostgreSQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from math import inf
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import URL, Engine, PoolProxiedConnection, create_engine, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PatienceEnded
from sqlalchemy.orm import Session

from .ciphers import Cipher
from .direct_sessions import WITHOUT_BEGIN, DirectSession
from .patience import BEGIN_IMMEDIATE, Patience, begin_immediately, limit_locks
from .statements import Statement, translate_error
from .write_queue import WriteQueue

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5_000

# SQLite's own patience sleeps longer each time, up to 100 ms, while others come and go: whoever
# waits to write asks again after this long instead, until the same time is up.
ASK_AGAIN_MS = 1
STATEMENT_TIMEOUT_MS = 15_000

SPARE_CONNECTIONS = 20
"""What a pool opens beyond one for each thread, and closes after use: nobody has to wait."""

# A server that was cut off says nothing: without these a thread would wait for it for hours.
_NOTICING_SILENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_BEGIN = Statement(lambda _: text("BEGIN"))
_COMMIT = "COMMIT"
_IDLE = 0
"""libpq's PQTRANS_IDLE."""


class Database:
    """One engine, with a reading and a writing kind of transaction.

    Args:
        url: `sqlite:///path` or `postgresql://…`.
        cipher: encrypts join URLs and secrets; reachable as `session.info["cipher"]`.
        threads: of this process; the pool keeps a connection for each.
    """

    def __init__(self, url: str, *, cipher: Cipher, threads: int = 10) -> None:
        self.url = make_url(url)
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = _create_sqlite_engine(self.url, BUSY_TIMEOUT_MS, threads)
            # Few connections that write, as writers stand in a queue: those few know the file.
            self._writer = _create_sqlite_engine(self.url, ASK_AGAIN_MS, threads)
        else:
            self.engine = self._writer = _create_pg_engine(self.url, threads)
        # Form versions never change: what was read of them once is kept for each database.
        info = {"cipher": cipher, "definitions": {}, "histories": {}}
        self._make_reading = partial(DirectSession, engine=self.engine, info=info, autoflush=False)
        self._make_writing = partial(
            DirectSession, engine=self._writer, info=info, expire_on_commit=False
        )
        self.changes = 0
        """How many transactions of this process have perhaps changed what pages show."""
        # Writers of one process queue here in order; SQLite's own busy handler sleeps and polls.
        queue = WriteQueue(self._begin_at_once, self._writer.dialect)
        self._write_queue = queue if self.is_sqlite else None
        self._patience = Patience()

    @property
    def place(self) -> str:
        """Where it is, as its operator knows it: a file, or a name at a host; no password."""
        if self.is_sqlite:
            return str(self.url.database)
        return f"{self.url.database} at {self.url.host or self.url.query.get('host', 'localhost')}"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that only reads; it begins when something is first read.

        On SQLite it sees one moment; on PostgreSQL each statement sees its own.
        """
        with self._forgetting_lost_connections(), ExitStack() as held:

            def connect() -> PoolProxiedConnection:
                pooled = held.enter_context(closing(_connect(self.engine)))
                if self.is_sqlite:
                    _BEGIN.change_on(pooled, self.engine.dialect, {})
                return pooled

            with self._make_reading(connect=connect) as session:
                yield session

    def fetch(self, statement: Statement, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run one SELECT by itself and return its row, if any: the cheapest way to read."""
        with self._forgetting_lost_connections(), closing(_connect(self.engine)) as pooled:
            return statement.fetch_from(pooled, self.engine.dialect, values)

    @contextmanager
    def write(
        self,
        *,
        is_shown: bool = True,
        is_brief: bool = False,
        patience_seconds: float = inf,
        before_commit: Callable[[], None] = lambda: None,
    ) -> Iterator[Session]:
        """Open a transaction that may write; commit it at the end, roll back on an error.

        Not `is_shown` is what changes no page that everybody sees: what is known of those stays.
        `is_brief` is what every visitor does: on SQLite several of these share a commit; on
        PostgreSQL it begins with the first statement that is not run early
        (`Statement.fetch_early`), if there is any; what was counted by those is given back where
        the rest is refused. Who else writes is waited for no longer than `patience_seconds`, where
        that is less than usual. `before_commit` is called when all is ready to be stored: before a
        statement that may be the whole transaction, and again before a COMMIT.
        Side effects: on SQLite the database's write lock is held from the beginning.
        """
        begins_late = is_brief and not self.is_sqlite
        undoing: list[Callable[[Session], None]] = []
        try:
            with (
                self._forgetting_lost_connections(),
                self._take_turn(is_brief, patience_seconds) as pooled,
                self._make_writing(
                    connect=lambda: self._begin(pooled, patience_seconds),
                    early=pooled if begins_late else None,
                    before_commit=before_commit,
                ) as session,
            ):
                undoing = session.undoing
                if not begins_late:
                    _ = session.pooled
                yield session
                session.flush()
                if not session.is_committed:
                    before_commit()
            undoing = []
        except SQLAlchemyError:
            undoing = []  # the database has other troubles
            raise
        finally:
            self.changes += is_shown
            self._undo(undoing)

    @contextmanager
    def write_if_possible(self) -> Iterator[Session]:
        """As `write`, brief and not shown, for what may be left out: it waits two seconds at most.

        It waits hardly at all where somebody has just done so for nothing.
        """
        with (
            self._patience.spend() as seconds,
            self.write(is_shown=False, is_brief=True, patience_seconds=seconds) as session,
        ):
            yield session

    def _undo(self, acts: Sequence[Callable[[Session], None]]) -> None:
        """Take back what a transaction that was refused had committed early."""
        if not acts:
            return
        try:
            with self.write(is_shown=False) as session:
                for act in acts:
                    act(session)
        except SQLAlchemyError:
            log.warning("what was counted for a refusal stays counted", exc_info=True)

    def dispose(self) -> None:
        self.engine.dispose()
        self._writer.dispose()

    def _take_turn(
        self, is_brief: bool, patience_seconds: float
    ) -> AbstractContextManager[PoolProxiedConnection]:
        if self._write_queue is None:
            return self._transaction()
        return self._write_queue.take_turn(is_brief=is_brief, patience_seconds=patience_seconds)

    @contextmanager
    def _begin_at_once(self, is_brief: bool, deadline: float) -> Iterator[PoolProxiedConnection]:
        with self._transaction() as pooled:
            # What one of several might take back is little, and needs no room for a temporary file.
            place = "MEMORY" if is_brief else "DEFAULT"
            cast(Any, pooled.driver_connection).execute(f"PRAGMA temp_store = {place}")
            deadline = min(deadline, time.monotonic() + BUSY_TIMEOUT_MS / 1_000)
            begin_immediately(pooled, self._writer.dialect, deadline)
            yield pooled

    @contextmanager
    def _transaction(self) -> Iterator[PoolProxiedConnection]:
        with closing(_connect(self._writer)) as pooled:
            try:
                yield pooled
                self._commit(pooled)
            finally:
                self._roll_back(pooled)

    def _begin(
        self, pooled: PoolProxiedConnection, patience_seconds: float
    ) -> PoolProxiedConnection:
        # On SQLite whoever came first in the queue has begun it.
        if not self.is_sqlite:
            _BEGIN.change_on(pooled, self._writer.dialect, {})
            if patience_seconds < BUSY_TIMEOUT_MS / 1_000:
                limit_locks(pooled, self._writer.dialect, patience_seconds)
        return pooled

    def _commit(self, pooled: PoolProxiedConnection) -> None:
        if self._is_idle(pooled):
            return
        driver: Any = self._writer.dialect.loaded_dbapi
        connection: Any = pooled.driver_connection
        if self.is_sqlite:
            # On a full disk it may have rolled back by itself; Python would pass over that.
            has_failed = not connection.in_transaction
        else:
            # PostgreSQL would roll it back, and say so to nobody.
            has_failed = connection.info.transaction_status.name == "INERROR"
        if has_failed:
            raise RuntimeError("a statement failed, and whoever saw it went on")
        try:
            pooled.commit()
        except driver.Error as error:
            raise translate_error(error, pooled, self._writer.dialect, _COMMIT) from error

    def _is_idle(self, pooled: PoolProxiedConnection) -> bool:
        """Tell whether nothing has begun on PostgreSQL: what was asked were transactions alone."""
        connection: Any = pooled.driver_connection
        return not self.is_sqlite and connection.pgconn.transaction_status == _IDLE

    def _roll_back(self, pooled: PoolProxiedConnection) -> None:
        """Take back what was not committed; where the connection is lost, its server does."""
        driver: Any = self.engine.dialect.loaded_dbapi
        try:
            if pooled.is_valid and not self._is_idle(pooled):
                pooled.rollback()
        except driver.Error as error:
            pooled.invalidate(error)

    @contextmanager
    def _forgetting_lost_connections(self) -> Iterator[None]:
        """Have the next try make a new connection: where one is lost, those that idle are too.

        A server that was started anew would else be noticed by one request for each of them. Asking
        every connection whether it lives before it is used would cost each request a round trip.
        """
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated:
                self.dispose()
            raise


def _connect(engine: Engine) -> PoolProxiedConnection:
    driver: Any = engine.dialect.loaded_dbapi
    try:
        return engine.raw_connection()
    except driver.Error as error:
        # The pool hands on what the driver raised; to everybody else it is SQLAlchemy's.
        raise OperationalError(None, None, error, hide_parameters=True) from error


def may_pass(error: Exception) -> bool:
    """Tell whether a transaction that failed so is worth another try from its beginning.

    It is where the connection was lost, and where PostgreSQL ended one of several transactions that
    stood in each other's way. What a lost COMMIT has done is unknown: `is_lost_commit`.
    """
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", "") in _COLLISIONS


def is_lost_commit(error: Exception) -> bool:
    """Tell whether the connection was lost at a COMMIT, which has perhaps stored everything."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated and error.statement == _COMMIT


def is_outage(error: Exception) -> bool:
    """Tell whether the database failed, and not what was asked of it: some time it will not."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, _MISTAKES)
    return isinstance(error, PatienceEnded)


def take_all_time(connection: Connection) -> None:
    """Let the statements of a transaction on PostgreSQL take as long as they need."""
    driver: Any = connection.connection.driver_connection
    driver.patience_seconds = None
    connection.execute(text("SET LOCAL statement_timeout = 0"))


_MISTAKES = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
_COLLISIONS = {"40001": "serialization failure", "40P01": "deadlock"}


def _create_sqlite_engine(url: URL, busy_timeout_ms: int, threads: int) -> Engine:
    engine = create_engine(
        _name_existing_file(url),
        # Statements in error messages would show what people typed.
        hide_parameters=True,
        pool_size=threads,
        max_overflow=SPARE_CONNECTIONS,
        pool_use_lifo=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: Any, _record: Any) -> None:
        # Python's own BEGIN would be deferred: two writers that first read cannot both go on.
        dbapi_connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            # A registration changes a page of each table and index: fewer, larger checkpoints.
            "wal_autocheckpoint=4000",
            f"busy_timeout={busy_timeout_ms}",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(WITHOUT_BEGIN):
            begin = BEGIN_IMMEDIATE if options.get("is_writer") else "BEGIN"
            driver: Any = connection.connection.driver_connection
            driver.execute(begin)

    return engine


def _name_existing_file(url: URL) -> URL:
    """Have a connection fail where there is no file, rather than make an empty one."""
    path = f"file:{quote(url.database or '')}"
    return url.set(database=path, query={"mode": "rw", "uri": "true"})


def _create_pg_engine(url: URL, threads: int) -> Engine:
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={BUSY_TIMEOUT_MS}"
        " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
    )
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=threads,
        max_overflow=SPARE_CONNECTIONS,
        # Writers end their transaction themselves and readers have none: nothing is to be reset.
        pool_reset_on_return=None,
        # What the address itself says wins.
        connect_args={"options": options, **_NOTICING_SILENCE, **url.query},
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> Any:
        from .pg_connections import ImpatientConnection  # SQLite needs no driver of PostgreSQL's

        return ImpatientConnection.connect(*arguments, **named)

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: Any, _record: Any) -> None:
        # The driver's own BEGIN would cost readers two round trips, and they need none.
        dbapi_connection.autocommit = True

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(WITHOUT_BEGIN):
            _BEGIN.change_on(connection.connection, connection.dialect, {})

    return engine
