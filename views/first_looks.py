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
    """What this process has stored last, by the tokens of receipts: who has one has it from us.

    Each is taken once; what is old goes whenever somebody registers or looks: whoever looks again
    is told what the database says.
    """

    def __init__(self) -> None:
        self._receipts: OrderedDict[str, tuple[float, Receipt]] = OrderedDict()
        self._lock = Lock()

    def keep(self, token: str, receipt: Receipt) -> None:
        """Keep what was committed; it takes part in no session any more."""
        with self._lock:
            self._forget_old()
            self._receipts[token] = time.monotonic(), receipt
            if len(self._receipts) > MOST:
                self._receipts.popitem(last=False)

    def take(self, token: str) -> Receipt | None:
        with self._lock:
            self._forget_old()
            return self._receipts.pop(token, (0.0, None))[1]

    def _forget_old(self) -> None:
        until = time.monotonic() - SECONDS
        while self._receipts and next(iter(self._receipts.values()))[0] <= until:
            self._receipts.popitem(last=False)
