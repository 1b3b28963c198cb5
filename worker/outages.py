"""One line when the database goes away and one when it is back, however many threads notice."""

from __future__ import annotations

import logging
import threading
import time

from storage.session import is_outage

# PostgreSQL ended what ran for too long, waited for a lock too long, or stood in a circle.
_OF_ONE_STATEMENT = {"57014", "55P03", "40P01"}

log = logging.getLogger(__name__)


class DatabaseOutage:
    """Tells the threads of one worker whether the database takes their work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None

    @property
    def is_on(self) -> bool:
        return self._since is not None

    def begin(self, error: Exception) -> None:
        """Note that a transaction failed; only the first failure is logged, with its trace."""
        with self._lock:
            if self._since is not None:
                return
            self._since = time.monotonic()
        log.error("the database does not take our work", exc_info=error)

    def end(self) -> None:
        """Note that something was stored. Reading proves nothing: a full disk can be read."""
        with self._lock:
            if self._since is None:
                return
            seconds = round(time.monotonic() - self._since, 1)
            self._since = None
        log.warning("the database takes our work again", extra={"seconds": seconds})


def is_for_all(error: Exception) -> bool:
    """Tell whether the database fails at everything, and not at one statement alone."""
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", "")
    return is_outage(error) and sqlstate not in _OF_ONE_STATEMENT
