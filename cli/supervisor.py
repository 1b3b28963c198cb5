"""Running several processes as one: all start, all end, and one that dies is started again."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from config import ROOT

STOP_SECONDS = 35.0
LOOK_SECONDS = 0.5
_PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


class Restarts:
    """When to restart an ended process: soon, but less and less often if it keeps dying young."""

    YOUNG_SECONDS = 10.0
    SHORTEST_SECONDS = 1.0
    LONGEST_SECONDS = 30.0
    FREE_TRIES = 3

    def __init__(self) -> None:
        self._young_deaths = 0

    def plan(self, started_at: float) -> float:
        """Return when to start again, by the same monotonic clock as `started_at`."""
        now = time.monotonic()
        is_young = now - started_at < self.YOUNG_SECONDS
        self._young_deaths = self._young_deaths + 1 if is_young else 0
        doublings = min(max(self._young_deaths - self.FREE_TRIES, 0), 10)
        return now + min(self.SHORTEST_SECONDS * (1 << doublings), self.LONGEST_SECONDS)


@dataclass
class Child:
    """One process of ours; `is_restarted` is False for one that does its work and ends."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    is_restarted: bool = True
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started_at: float = 0.0
    starts_at: float | None = None
    """When it is started again, once that is known."""
    restarts: Restarts = field(default_factory=Restarts, repr=False)

    def start(self) -> None:
        self.starts_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=ROOT,
            env=dict(self.environ),
            start_new_session=True,
            preexec_fn=partial(end_with, os.getpid()) if sys.platform == "linux" else None,
        )

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def look(self) -> None:
        """Start it again if it ended, but not too often."""
        # Asked of everybody: one that nobody asks about stays as a dead process.
        if not self.has_ended() or not self.is_restarted or self.process is None:
            return
        if self.starts_at is None:
            self.starts_at = self.restarts.plan(self.started_at)
            end = describe_end(self.process.returncode)
            log.error("%s ended; starting it again", self.name, extra=end)
        elif time.monotonic() >= self.starts_at:
            self._try_to_start()

    def _try_to_start(self) -> None:
        try:
            self.start()
        except OSError as error:  # no memory, or too many processes
            self.starts_at = self.restarts.plan(time.monotonic())
            extra = {"reason": error.strerror}
            log.error("%s cannot be started now", self.name, extra=extra)


def supervise(children: Sequence[Child]) -> None:
    """Run until SIGINT or SIGTERM, then end everybody: politely, and after 35 seconds for good."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    for child in children:
        child.start()
    while not stop.wait(LOOK_SECONDS):
        for child in children:
            if not stop.is_set():
                child.look()
    _end(children)


def _end(children: Sequence[Child]) -> None:
    running = [child.process for child in children if child.process and not child.has_ended()]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def describe_end(status: int) -> dict[str, str | int]:
    """Tell a log line how a process ended, from its exit status: below 0 it is a signal."""
    if status >= 0:
        return {"exit_code": status}
    try:
        return {"signal": signal.Signals(-status).name}
    except ValueError:
        return {"signal": -status}


def end_with(parent: int) -> None:
    """Have the kernel end this process if its parent, the supervisor, is killed outright."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It was killed before the kernel knew, which tells nobody afterwards.
        os.kill(os.getpid(), signal.SIGTERM)
