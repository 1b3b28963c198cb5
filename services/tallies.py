"""What one process has counted and not yet written to the database."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from storage.limits import Bucket

REMEMBERED = 20_000
"""Of so many buckets a process keeps the units; of more it forgets those counted longest ago."""


class Tally:
    """Counts against buckets of one kind, and says when that is worth a statement.

    A statement for each unit would cost as much as a third of what is counted, and of an event all
    would wait for one row. Here no unit comes back, as it does in the database: else what is sent
    slowly to many processes would never be written.

    Args:
        most: so many units of a bucket wait to be written, and never more than a tenth of it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._units: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def get_units(self, bucket: Bucket) -> int:
        """Return how many units of a bucket wait to be written."""
        return self._units.get(bucket.name, 0)

    def add(self, bucket: Bucket) -> int:
        """Count a unit; return how many are to be written now."""
        with self._lock:
            units = self._units.pop(bucket.name, 0) + 1
            if units >= min(self._most, bucket.burst / 10):
                return units
            self._units[bucket.name] = units
            if len(self._units) > REMEMBERED:
                self._units.popitem(last=False)
        return 0
