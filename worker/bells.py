"""Waking the threads of a lane."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, Full, Queue


class Bell:
    """Wakes one thread that waits; where none does, the next one that begins to wait."""

    def __init__(self) -> None:
        self._rings: Queue[None] = Queue(maxsize=1)

    def ring(self) -> None:
        with suppress(Full):
            self._rings.put_nowait(None)

    def wait(self, seconds: float) -> None:
        with suppress(Empty):
            self._rings.get(timeout=seconds)
