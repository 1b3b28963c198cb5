"""Waiting until there may be work, without asking the queue all the time."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from sqlalchemy import text

from .direct_sessions import WITHOUT_BEGIN
from .job_requests import CHANNEL
from .session import Database

POLL_SECONDS = 0.05


class Waker(Protocol):
    """Tells one process that jobs may have come."""

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Return when the database has changed, or may have; `stop` is set, or the time is up."""

    def close(self) -> None: ...


def make_waker(database: Database) -> Waker:
    return SqliteWaker(database) if database.is_sqlite else PostgresqlWaker(database)


class SqliteWaker:
    """Watches SQLite's data version, which other connections' commits raise."""

    def __init__(self, database: Database) -> None:
        self._connection = database.engine.connect()
        self._driver: Any = self._connection.connection.driver_connection
        self._seen = self._read()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        for _ in range(max(1, round(seconds / POLL_SECONDS))):
            if stop.wait(POLL_SECONDS):
                return
            version = self._read()
            if version != self._seen:
                self._seen = version
                return

    def close(self) -> None:
        self._connection.close()

    def _read(self) -> int:
        version: int = self._driver.execute("PRAGMA data_version").fetchone()[0]
        return version


class PostgresqlWaker:
    """Listens to the notification that enqueuing sends at commit."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._connection: Any = None

    def wait(self, seconds: float, stop: threading.Event) -> None:
        from psycopg import Error as DriverError
        from sqlalchemy.exc import DBAPIError

        try:
            if self._connection is None:
                self._listen()
                return  # What was enqueued before was not heard: somebody has to look once more.
            driver = self._connection.connection.driver_connection
            waited = 0.0
            while waited < seconds and not stop.is_set():
                step = min(0.5, seconds - waited)
                if any(driver.notifies(timeout=step, stop_after=1)):
                    return
                waited += step
        except (DriverError, DBAPIError):
            # The server is away: the loop polls until it is back.
            self.close()
            stop.wait(min(seconds, 1.0))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _listen(self) -> None:
        # In a transaction nothing would be heard before its end.
        self._connection = self._engine.connect().execution_options(**{WITHOUT_BEGIN: True})
        self._connection.execute(text(f"LISTEN {CHANNEL}"))
