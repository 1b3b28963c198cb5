"""Keeping web processes: forks of this one, replaced when they die, hang or grow too large."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .pulses import Pulse, Pulses
from .supervisor import Restarts, describe_end, end_with

TICK_SECONDS = 0.5
DRAIN_SECONDS = 30.0
"""So long a process may take to finish what it has begun, once it was told to end."""

SILENT_SECONDS = 60.0
"""Longer than any request takes while the database answers: its statements end after 15 s."""

_ENDINGS = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger(__name__)


@dataclass
class _Child:
    """One fork. Its silence is counted in looks of the parent, so no clock can make it old."""

    pulse: Pulse
    started_at: float
    last_read: int = 0
    silent_looks: int = 0
    is_leaving: bool = False

    def look(self) -> None:
        read = self.pulse.read()
        self.silent_looks = self.silent_looks + 1 if read == self.last_read else 0
        self.last_read = read


class WebProcesses:
    """Forks of this process, as many as are wanted, that take from one listener.

    Args:
        work: answers requests until SIGTERM; reports to the pulse while it does.
        close: closes the parent's own listener.
        memory_mb: a process with more is replaced once it has finished what it does; 0 for never.
        silent_seconds: a process whose pulse stands still for so long is killed.
    """

    def __init__(
        self,
        work: Callable[[Pulse], None],
        *,
        close: Callable[[], None],
        number: int,
        memory_mb: int = 0,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._work = work
        self._close = close
        self._number = number
        self._pulses = Pulses(number)
        self._memory_mb = memory_mb
        self._most_silent_looks = silent_seconds / TICK_SECONDS
        self._children: dict[int, _Child] = {}
        self._restarts = Restarts()
        self._starts_at = 0.0
        self._is_stopping = False

    def run(self) -> None:
        """Keep the processes until SIGTERM or SIGINT, and return when all have ended."""
        for ending in _ENDINGS:
            signal.signal(ending, self._stop)
        while not self._is_stopping:
            if time.monotonic() >= self._starts_at:
                self._start_missing()
            time.sleep(TICK_SECONDS)
            self._collect()
            for number, child in list(self._children.items()):
                self._look_after(number, child)
        deadline = time.monotonic() + DRAIN_SECONDS + 2
        while self._children:
            self._collect()
            if time.monotonic() > deadline:
                self._signal_all(signal.SIGKILL)
            time.sleep(0.05)

    def _start_missing(self) -> None:
        staying = sum(not child.is_leaving for child in self._children.values())
        for _ in range(self._number - staying):
            with _no_endings():
                # Asked here, where it cannot come in between: else a child would never hear of it.
                if not self._is_stopping:
                    self._fork()

    def _fork(self) -> None:
        pulse, parent = self._pulses.begin(), os.getpid()
        if pulse is None:
            return
        child = _Child(pulse, time.monotonic())
        try:
            number = os.fork()
        except OSError as error:  # no memory, or too many processes: the others go on meanwhile
            self._pulses.end(pulse)
            self._starts_at = self._restarts.plan(child.started_at)
            log.error("no web process can be started now", extra={"reason": error.strerror})
            return
        if number == 0:
            os._exit(self._be_child(child.pulse, parent))
        self._children[number] = child

    def _be_child(self, pulse: Pulse, parent: int) -> int:
        try:
            if sys.platform == "linux":
                end_with(parent)
            faulthandler.register(signal.SIGUSR2, all_threads=True)
            self._work(pulse)
        except Exception:
            # The last place that can say why: beyond it stands the fork's copy of the parent.
            log.exception("a web process failed")
            return 1
        return 0

    def _collect(self) -> None:
        """Take note of who ended, and plan when others take their places."""
        starts = []
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                number, status = found
                child = self._children.pop(number, None)
                if child is None:  # the first process of a container is given those of others
                    continue
                self._pulses.end(child.pulse)
                if self._is_stopping or child.is_leaving:
                    continue
                starts.append(child.started_at)
                end = {"pid": number, **describe_end(os.waitstatus_to_exitcode(status))}
                log.error("a web process ended; starting another one", extra=end)
        if starts:
            self._starts_at = self._restarts.plan(min(starts))

    def _look_after(self, number: int, child: _Child) -> None:
        if child.is_leaving:
            return
        child.look()
        if child.silent_looks >= self._most_silent_looks:
            log.error("a web process answers nothing; ending it", extra={"pid": number})
            _send(number, signal.SIGUSR2)  # it writes where its threads are
            time.sleep(TICK_SECONDS)
            _send(number, signal.SIGKILL)
        elif self._memory_mb and _read_memory_mb(number) > self._memory_mb:
            log.warning("a web process grew too large; replacing it", extra={"pid": number})
            child.is_leaving = True
            _send(number, signal.SIGTERM)

    def _stop(self, *_: object) -> None:
        self._is_stopping = True
        # Else the kernel would go on greeting people whom nobody will answer.
        self._close()
        self._signal_all(signal.SIGTERM)

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            _send(child, number)


@contextmanager
def _no_endings() -> Iterator[None]:
    """Hold signals back until both sides of a fork know what to do with them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _read_memory_mb(process: int) -> float:
    """Return what a process holds in memory, in MB; 0 where the kernel does not say."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
