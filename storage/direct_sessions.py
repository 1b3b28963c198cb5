"""Sessions whose transaction is begun and ended without SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

WITHOUT_BEGIN = "without_begin"
"""The execution option of a connection on which nobody says BEGIN when SQLAlchemy begins."""


class DirectSession(Session):
    """A session on one connection of the pool, which a `Statement` uses as it is.

    SQLAlchemy's own connection is put around it when the ORM first needs one: what every visitor
    does needs none, and it costs as much as three statements. A connection is taken, by `connect`,
    when something is first asked of the database; it begins the transaction.

    Args:
        early: the connection before a transaction has begun on it, for statements that may be one
            of their own.
        before_commit: called when all is ready to be committed.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        connect: Callable[[], PoolProxiedConnection],
        early: PoolProxiedConnection | None = None,
        before_commit: Callable[[], None] = lambda: None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.dialect = engine.dialect
        self.before_commit = before_commit
        self.is_committed = False
        """Whether one statement has stored everything: there is nothing left to commit."""
        self.undoing: list[Callable[[Session], None]] = []
        """What takes back what was committed early, where the rest is refused."""
        self._engine = engine
        self._connect = connect
        self._early = early
        self._pooled: PoolProxiedConnection | None = None
        self._around: Connection | None = None

    @property
    def pooled(self) -> PoolProxiedConnection:
        if self._pooled is None:
            if self.is_committed:
                raise RuntimeError("what follows would be another transaction")
            self._pooled = self._connect()
        return self._pooled

    @property
    def begins_late(self) -> bool:
        """Tell whether no transaction has begun, and the next statement may be one of its own."""
        return self._early is not None and self._pooled is None and not self.is_committed

    @property
    def early(self) -> PoolProxiedConnection:
        """The connection as it is: what is asked of it begins no transaction."""
        return self._early if self._early is not None and self.begins_late else self.pooled

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        if self._around is None:
            self._around = Connection(self._engine, self.pooled).execution_options(
                **{WITHOUT_BEGIN: True}
            )
            # So that the session takes part in a transaction, and has none of its own to end.
            self._around.begin()
        return self._around


def begins_late(session: Session) -> TypeGuard[DirectSession]:
    """Tell whether the next statement of a session may be a transaction of its own."""
    return isinstance(session, DirectSession) and session.begins_late
