"""The queue of those who write to SQLite in one process, of whom brief ones share a commit."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import copy
from math import inf

from sqlalchemy import PoolProxiedConnection, text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as QueueTimeout

from .statements import Statement

WRITE_QUEUE_SECONDS = 10.0

MOST_AT_ONCE = 8
"""So many share a commit at most: the first of them, and other processes, wait for all of it."""

Transact = Callable[[bool, float], AbstractContextManager[PoolProxiedConnection]]

_SAVEPOINT = Statement(lambda _: text("SAVEPOINT turn"))
_ROLLBACK_TO = Statement(lambda _: text("ROLLBACK TO turn"))
_RELEASE = Statement(lambda _: text("RELEASE turn"))


class WriteQueue:
    """Lets one at a time write, in the order in which they came.

    A commit costs nearly as much as a registration's statements, and for several hardly more than
    for one. So who is brief, and sees that the next in the queue is too, hands the open transaction
    on instead, and waits until the last of them has committed for all. Nobody waits for others to
    come. What one of them does is kept or taken back by itself; only the commit is the same.

    Args:
        transact: opens a transaction, commits it at the end, rolls back on an error; it is told
            whether whoever begins it is brief, so that others may join, and until when of the
            monotonic clock they wait for the database.
    """

    def __init__(self, transact: Transact, dialect: Dialect) -> None:
        self._transact = transact
        self._dialect = dialect
        self._mutex = threading.Lock()
        self._waiting: deque[_Turn] = deque()
        self._is_taken = False

    @property
    def is_taken(self) -> bool:
        return self._is_taken

    def count_waiting(self) -> int:
        return len(self._waiting)

    @contextmanager
    def take_turn(
        self, *, is_brief: bool, patience_seconds: float = inf
    ) -> Iterator[PoolProxiedConnection]:
        """Wait to be the one who writes; return once what was written has reached the disk.

        Who fails waits for that too: they may have seen what others had not committed yet.

        Raises:
            QueueTimeout: others had the database for too long. Where one of them had been handed
                the transaction, whether what was written will be kept is unknown, as it is where
                the answer to a COMMIT is lost: they may still commit it.
            DBAPIError: the transaction failed; each of those who share it gets one of their own.
        """
        turn = _Turn(is_brief)
        turn.deadline = time.monotonic() + patience_seconds
        self._wait(turn)
        shared = turn.shared or self._begin(turn)
        try:
            with shared.keep_apart():
                yield shared.pooled
        except BaseException as error:
            says_why = shared.is_lost and (not shared.done or isinstance(error, DBAPIError))
            self._finish(turn, shared)
            if not says_why:
                shared.check()
            raise
        self._finish(turn, shared)
        shared.check()

    def _wait(self, turn: _Turn) -> None:
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return
            self._waiting.append(turn)
        try:
            turn.wait("another transaction of this process holds the database")
        except BaseException:
            self._step_out(turn)
            raise

    def _step_out(self, turn: _Turn) -> None:
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        # It was called at this very moment, perhaps to go on with what others have done.
        if turn.shared is None:
            self._call_next()
        else:
            self._end(turn.shared)

    def _begin(self, turn: _Turn) -> _SharedTransaction:
        try:
            return _SharedTransaction(self._transact(turn.is_brief, turn.deadline), self._dialect)
        except BaseException:
            self._call_next()
            raise

    def _finish(self, turn: _Turn, shared: _SharedTransaction) -> None:
        is_handed_on = False
        try:
            is_handed_on = self._hand_on(turn, shared)
        finally:
            if not is_handed_on:
                self._end(shared)
        if is_handed_on:
            turn.wait("whoever was to commit for others holds the database")

    def _hand_on(self, turn: _Turn, shared: _SharedTransaction) -> bool:
        """Let the next one go on with the transaction, if they may; they will commit it."""
        with self._mutex:
            next_one = self._waiting[0] if self._waiting else None
            if not (next_one and next_one.is_brief and turn.is_brief and shared.has_room):
                return False
            self._waiting.popleft()
            shared.done.append(turn)
            next_one.shared = shared
        next_one.signal.release()
        return True

    def _end(self, shared: _SharedTransaction) -> None:
        try:
            shared.end()
        finally:
            self._call_next()
            for turn in shared.done:
                turn.signal.release()

    def _call_next(self) -> None:
        with self._mutex:
            self._is_taken = bool(self._waiting)
            if self._waiting:
                self._waiting.popleft().signal.release()


class _Turn:
    """One who writes. They are signalled when it is their turn, and when others have committed.

    `shared` is the transaction that they are to go on with, if any.
    """

    def __init__(self, is_brief: bool) -> None:
        self.is_brief = is_brief
        self.deadline = inf
        self.signal = threading.Lock()
        self.signal.acquire()
        self.shared: _SharedTransaction | None = None

    def wait(self, reason: str) -> None:
        """Wait to be signalled, but not for ever: each who waits keeps a thread of the server."""
        seconds = min(WRITE_QUEUE_SECONDS, max(0.0, self.deadline - time.monotonic()))
        if not self.signal.acquire(timeout=seconds):
            raise QueueTimeout(reason)


class _SharedTransaction:
    """An open transaction, who has done their part of it, and why it cannot be committed, if so."""

    def __init__(
        self, transaction: AbstractContextManager[PoolProxiedConnection], dialect: Dialect
    ) -> None:
        self._transaction = transaction
        self._dialect = dialect
        self.pooled = transaction.__enter__()
        self.done: list[_Turn] = []
        self._error: BaseException | None = None
        self._ended_by = 0

    @property
    def is_lost(self) -> bool:
        return self._error is not None

    @property
    def has_room(self) -> bool:
        """Whether somebody may join.

        Where SQLite itself has rolled back, as it may on a full disk, they would not be in it.
        """
        connection = self.pooled.driver_connection
        is_open = connection is not None and connection.in_transaction
        return is_open and not self.is_lost and len(self.done) < MOST_AT_ONCE - 1

    @contextmanager
    def keep_apart(self) -> Iterator[None]:
        """Have what is done meanwhile taken back, on an error, without what others have done."""
        if not self.done:
            with self._noting_error():
                yield
            return
        self._say(_SAVEPOINT)
        try:
            yield
        except BaseException:
            with suppress(Exception):
                self._say(_ROLLBACK_TO, _RELEASE)
            raise
        self._say(_RELEASE)

    def end(self) -> None:
        """Commit, or roll back where something has failed that is not one's own alone."""
        error, self._ended_by = self._error, threading.get_ident()
        with suppress(BaseException), self._noting_error():
            if error is None:
                self._transaction.__exit__(None, None, None)
            else:
                self._transaction.__exit__(type(error), error, error.__traceback__)

    def check(self) -> None:
        """Raise, as an exception of the caller's own, why nothing is kept of all this."""
        if self._error is None:
            return
        if not isinstance(self._error, Exception):
            if self._ended_by == threading.get_ident():
                raise self._error
            raise RuntimeError("whoever was to commit was stopped") from self._error
        raise copy(self._error) from self._error

    def _say(self, *statements: Statement) -> None:
        with self._noting_error():
            for statement in statements:
                statement.change_on(self.pooled, self._dialect, {})

    @contextmanager
    def _noting_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._error = self._error or error
            raise
