"""Waiting for others who write, and how long those do whose own writing may be left out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import PoolProxiedConnection, String, bindparam, func, select, text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError

from .statements import Statement, translate_error

PATIENCE_SECONDS = 2.0
HURRY_SECONDS = 0.1
STUCK_SECONDS = 10.0

BEGIN_IMMEDIATE = "BEGIN IMMEDIATE"

_LIMIT_LOCKS = Statement(
    lambda _: select(func.set_config("lock_timeout", bindparam("ms", type_=String), text("true")))
)


class Patience:
    """Two seconds; hardly any for who comes after somebody has just waited for nothing.

    Each who waits keeps a thread of the server: where the database is held for a minute, a few who
    wait for two seconds each would keep hundreds out.
    """

    def __init__(self) -> None:
        self._stuck_until = 0.0

    @contextmanager
    def spend(self) -> Iterator[float]:
        """Return for how many seconds to wait; whether it was for nothing is told to the next."""
        began_at = time.monotonic()
        seconds = HURRY_SECONDS if began_at < self._stuck_until else PATIENCE_SECONDS
        try:
            yield seconds
        except SQLAlchemyError:
            if (now := time.monotonic()) >= began_at + seconds:
                self._stuck_until = now + STUCK_SECONDS
            raise
        self._stuck_until = 0.0


def begin_immediately(pooled: PoolProxiedConnection, dialect: Dialect, deadline: float) -> None:
    """Take SQLite's write lock, as soon as no other process has it."""
    connection: Any = pooled.driver_connection
    while True:
        try:
            connection.execute(BEGIN_IMMEDIATE)
            return
        except sqlite3.OperationalError as error:
            is_taken = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            if not is_taken or time.monotonic() > deadline:
                raise translate_error(error, pooled, dialect, BEGIN_IMMEDIATE) from error


def limit_locks(pooled: Any, dialect: Dialect, seconds: float) -> None:
    """Have the transaction on a connection to PostgreSQL wait no longer for each lock."""
    _LIMIT_LOCKS.fetch_from(pooled, dialect, {"ms": str(int(seconds * 1_000))})
