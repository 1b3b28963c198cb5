"""Waiting until there may be work, without asking the queue all the time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from .direct_sessions import WITHOUT_BEGIN
from .job_requests import CHANNEL
from .session import Database

POLL_SECONDS = 0.03
AGAIN_SECONDS = 1.0
"""So long after its connection failed a waker makes another one; until then it hears nothing."""


def make_waker(database: Database) -> Waker:
    return SqliteWaker(database) if database.is_sqlite else PostgresqlWaker(database)


class Waker(ABC):
    """Tells one process that jobs may have come; keeps a connection from its first wait on."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._connection: Any = None

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait until jobs may have come; return False if `stop` was set or the time was up."""
        dbapi: Any = self._engine.dialect.loaded_dbapi
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(**{WITHOUT_BEGIN: True})
                self._begin()
                return True  # What came before was not heard: somebody has to look once more.
            return self._hear(seconds, stop)
        except (dbapi.Error, SQLAlchemyError):
            # The database is away, or the pool has no connection left: the lanes poll meanwhile.
            self.close()
            stop.wait(min(seconds, AGAIN_SECONDS))
            return False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    @property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _hear(self, seconds: float, stop: threading.Event) -> bool: ...


class SqliteWaker(Waker):
    """Watches SQLite's data version, which other connections' commits raise."""

    _seen = 0

    def _begin(self) -> None:
        self._seen = self._read()

    def _hear(self, seconds: float, stop: threading.Event) -> bool:
        for _ in range(max(1, round(seconds / POLL_SECONDS))):
            if stop.wait(POLL_SECONDS):
                return False
            version = self._read()
            if version != self._seen:
                self._seen = version
                return True
        return False

    def _read(self) -> int:
        version: int = self._driver.execute("PRAGMA data_version").fetchone()[0]
        return version


class PostgresqlWaker(Waker):
    """Listens to the notification that enqueuing sends at commit."""

    def _begin(self) -> None:
        # In a transaction nothing would be heard before its end.
        self._connection.execute(text(f"LISTEN {CHANNEL}"))

    def _hear(self, seconds: float, stop: threading.Event) -> bool:
        waited = 0.0
        while waited < seconds and not stop.is_set():
            step = min(0.5, seconds - waited)
            if any(self._driver.notifies(timeout=step, stop_after=1)):
                return True
            waited += step
        return False
