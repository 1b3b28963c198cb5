"""Starting what is measured, and reading from /proc what it cost."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent
PROC = Path("/proc")
START_SECONDS = 30.0
STOP_SECONDS = 40.0
TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """A command with all its children, writing to a log file. As a context manager it ends."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environ}, stdout=output, stderr=output
            )
        self.pid = self._process.pid
        self._log = log

    def wait_for_port(self, port: int) -> None:
        """Return when somebody listens there; raise with the log's end if the process dies."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{self._process.args} did not start: {self._log.read_text()[-2_000:]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def list_tree(roots: Iterable[int]) -> list[int]:
    """List processes with all their children, parents first."""
    children: dict[int, list[int]] = {}
    for number, parts in _list_stats():
        children.setdefault(int(parts[1]), []).append(number)
    found, waiting = [], list(roots)
    while waiting:
        found.append(waiting.pop(0))
        waiting += children.get(found[-1], [])
    return found


def read_cpu_seconds(roots: Iterable[int]) -> float:
    """Return the CPU time of process trees since their start, ended children included."""
    used = {number: sum(map(int, parts[11:15])) for number, parts in _list_stats()}
    return sum(used.get(number, 0) for number in list_tree(roots)) / TICKS


def read_memory_mb(number: int) -> float:
    """Return a process's memory, what it shares with others counted in parts (PSS), in MB."""
    lines = (PROC / str(number) / "smaps_rollup").read_text().splitlines()
    [size] = [line.split()[1] for line in lines if line.startswith("Pss:")]
    return int(size) * 1024 / 1_000_000


def count_files(number: int) -> int:
    """Count the files, sockets and pipes that a process has open."""
    return len(list((PROC / str(number) / "fd").iterdir()))


def _list_stats() -> Iterator[tuple[int, list[str]]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            # A process may end meanwhile.
            with suppress(OSError):
                stat = (entry / "stat").read_text()
                # The name, in brackets, may hold anything.
                yield int(entry.name), stat.rpartition(")")[2].split()


def read_machine_cpu_seconds() -> float:
    """Return the CPU time that everybody on this machine has used since it was started."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (
        (PROC / "stat").read_text().splitlines()[0].split()[1:]
    )
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS
