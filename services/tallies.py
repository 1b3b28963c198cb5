"""What one process has counted and not yet written to the database."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from storage.limits import Bucket

MOST = 20_000
"""So many buckets a process remembers; of others each unit is written."""


class _Count(NamedTuple):
    units: float
    at: float


class Tally:
    """Counts against buckets of one kind, and says when that is worth a statement.

    A statement for each unit would cost as much as a third of what is counted. What is forgotten
    when the process ends, or not yet seen by others, is little.

    Args:
        most: so many units of a bucket are not written yet, and never more than a tenth of it.
        comes_back: whether units come back here, too, as they do in the database. Then each unit
            of a bucket of which that has something is written: else they came back in both places.
    """

    def __init__(self, most: int, *, comes_back: bool = True) -> None:
        self._most, self._comes_back = most, comes_back
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._lock = Lock()

    def measure(self, bucket: Bucket, *, now: float) -> float:
        """Return how many units of a bucket were counted here, and are neither back nor written."""
        units, at = self._counts.get(bucket.name, _Count(0.0, now))
        if self._comes_back:
            # A clock that goes back brings none, but takes none either.
            units -= max(0.0, now - at) / bucket.interval
        return max(0.0, units)

    def add(self, bucket: Bucket, *, is_known: bool, now: float) -> float:
        """Count a unit; return how many are to be written now.

        `is_known`: the database has something of this bucket.
        """
        with self._lock:
            if self._comes_back:
                self._forget_full(bucket, now)
            units = self.measure(bucket, now=now) + 1
            self._counts.pop(bucket.name, None)
            # Half a unit above a whole number: some of the last one is back before the next.
            most = max(1.0, min(self._most, bucket.burst / 10)) - 0.5
            is_kept = units <= most and len(self._counts) < MOST
            if is_kept and not (is_known and self._comes_back):
                self._counts[bucket.name] = _Count(units, now)
                return 0.0
        return units

    def _forget_full(self, kind: Bucket, now: float) -> None:
        """Forget what is all back of the buckets that were counted longest ago; all are alike."""
        while self._counts:
            name, count = next(iter(self._counts.items()))
            if count.units > (now - count.at) / kind.interval:
                return
            del self._counts[name]
