"""What web processes report about themselves, in memory shared with their parent."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from threading import get_ident
from typing import Any

# A beat, and the number of connections plus one: zero where nobody takes any.
_SLOT = struct.Struct("=HH")

# Beside each process there may be some that only finish what they have begun.
_SLOTS_EACH = 4


class Pulses:
    """Shared memory with slots for so many processes."""

    def __init__(self, processes: int) -> None:
        self._free = list(range(processes * _SLOTS_EACH))
        self._memory = mmap.mmap(-1, len(self._free) * _SLOT.size)

    def begin(self) -> Pulse | None:
        """Return the pulse of a process that is about to be forked; None if all slots are taken."""
        return Pulse(self._memory, self._free.pop(0)) if self._free else None

    def end(self, pulse: Pulse) -> None:
        """Forget a process that has ended."""
        pulse.leave()
        self._free.append(pulse.slot)


class Pulse:
    """Shows the parent that a process is alive, and other processes how many connections it has.

    The beat stops while requests run and none completes, and while nobody reports.
    """

    def __init__(self, memory: mmap.mmap, slot: int) -> None:
        self.slot = slot
        self._memory = memory
        self._running: set[int] = set()
        self._has_answered = False

    def watch(self, application: Callable[..., Any]) -> Callable[..., Any]:
        """Return the application, with its requests taken note of."""

        def answer(environ: Any, start_response: Any) -> Any:
            self._running.add(get_ident())
            try:
                return application(environ, start_response)
            finally:
                self._running.discard(get_ident())
                self._has_answered = True

        return answer

    def report(self, connections: int) -> None:
        """Say, in the process, that it is at work and takes connections."""
        beat = self.read()
        if self._has_answered or not self._running:
            beat = (beat + 1) % 2**16
        self._has_answered = False
        self._write(beat, connections + 1)

    def leave(self) -> None:
        """Say that the process takes no more connections."""
        self._write(self.read(), 0)

    def read(self) -> int:
        beat: int = _SLOT.unpack_from(self._memory, self.slot * _SLOT.size)[0]
        return beat

    def has_fewer_elsewhere(self, connections: int) -> bool:
        """Tell whether another process that takes connections has fewer than so many."""
        slots = enumerate(_SLOT.iter_unpack(self._memory))
        return any(0 < taking <= connections for slot, (_, taking) in slots if slot != self.slot)

    def _write(self, beat: int, taking: int) -> None:
        _SLOT.pack_into(self._memory, self.slot * _SLOT.size, beat, taking)
