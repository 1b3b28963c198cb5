"""Running several processes as one: all start, all end, and one that dies is started again."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config import ROOT

STOP_SECONDS = 35.0
RESTART_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process of ours; `is_restarted` is False for one that does its work and ends."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    is_restarted: bool = True
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=ROOT,
            env=dict(self.environ),
            start_new_session=True,
            preexec_fn=end_with_parent if sys.platform == "linux" else None,
        )

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


def supervise(children: Sequence[Child]) -> None:
    """Run until SIGINT or SIGTERM, then end everybody: politely, and after 35 seconds for good."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    for child in children:
        child.start()
    while not stop.wait(RESTART_SECONDS):
        for child in children:
            # Asked of everybody: one that nobody asks about stays as a dead process.
            if child.has_ended() and child.is_restarted and not stop.is_set():
                print(f"{child.name} ended; starting it again", file=sys.stderr)  # noqa: T201
                child.start()
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


def end_with_parent() -> None:
    """Have the kernel end this process if the supervisor is killed outright."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
