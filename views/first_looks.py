"""Receipts of who has registered just now, for the page that their browser asks for next.

It asks at once, and mostly on the same connection, so in the process that has all of it at hand.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

from storage.submissions import Receipt

SECONDS = 2.0
MOST = 500


class FirstLooks:
    """What this process has stored last, by the public ids of submissions.

    Each is taken once, and soon forgotten: whoever looks again is told what the database says.
    """

    def __init__(self) -> None:
        self._receipts: OrderedDict[str, tuple[float, Receipt]] = OrderedDict()
        self._lock = Lock()

    def keep(self, receipt: Receipt) -> None:
        """Keep what was committed; it takes part in no session any more."""
        now = time.monotonic()
        with self._lock:
            self._receipts[receipt.submission.public_id] = now, receipt
            while len(self._receipts) > MOST or self._is_old(now):
                self._receipts.popitem(last=False)

    def take(self, public_id: str) -> Receipt | None:
        kept_at, receipt = self._receipts.pop(public_id, (0.0, None))
        return receipt if time.monotonic() < kept_at + SECONDS else None

    def _is_old(self, now: float) -> bool:
        kept_at, _receipt = next(iter(self._receipts.values()))
        return kept_at + SECONDS <= now
