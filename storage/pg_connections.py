"""Connections to PostgreSQL that give up a server which has fallen silent."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, OperationalError, RawCursor
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout  # what `Connection.wait` says that it raises


class ImpatientConnection(Connection[Any]):
    """Ends with an error when no answer comes for so long; None waits for ever.

    A server that is stopped, or whose disk hangs, still holds its connections, and what should end
    its statements is its own clock. Longer than any statement may take while that clock runs.
    """

    patience_seconds: float | None = 20.0

    def make_raw_cursor(self) -> RawCursor[Any]:
        """Make a cursor for statements whose parameters are `$1`, `$2` and so on."""
        return RawCursor(self)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience_seconds)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise OperationalError("the server has not answered in time") from error
