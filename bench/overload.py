"""Overload: ten times as many as the site can answer, and clients that never get to the point."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .crowds import NONE
from .processes import (
    Process,
    count_files,
    list_tree,
    read_cpu_seconds,
    read_machine_cpu_seconds,
    read_memory_mb,
)
from .stand import Stand
from .table import Goal, Row
from .visitors import HOST, Order, Sending, percentile

ACCEPTED_LATE = Goal(1_000, 700, unit="ms")
PAGE_BYTES = Goal(4_096, 3_072, unit="bytes")
RECOVERY = Goal(30, 5, unit="s")
BURST_MEMORY = Goal(250, 200, unit="MB")
SLOW_LATE = Goal(2.0, 1.2)

SLOW_CLIENTS = 200


def overload(stand: Stand) -> Iterator[Row]:
    """Send ten times the capacity that was measured right before."""
    web = stand.product.web
    for _ in range(2):  # The first turn warms it up: ten times what a cold site manages is less.
        usual = stand.take_turn(web, registers=True, visitors=16, seconds=stand.seconds)
    seconds = 5.0 if stand.is_quick else 20.0
    rate = 10 * usual.rate
    sending = Sending(Order(web.script, True, seconds, rate=rate, patience=30.0))
    largest, used = 0.0, _read_used(stand)
    while sending.is_running():
        largest = max([largest, *map(read_memory_mb, list_tree([web.pid]))])
        time.sleep(0.5)
    burst, ended = sending.wait(), time.perf_counter()
    others = _read_used(stand) - used - burst.cpu_seconds
    others = max(0.0, others / (burst.seconds * (os.cpu_count() or 1)))
    while True:
        after = stand.send(web, Order(web.script, True, 1.0, visitors=4)).visits
        late = percentile(after.times, 0.99)
        if not after.errors and not after.refusals and late < 1_000:
            break
    recovery = time.perf_counter() - ended - after.seconds
    name = f"ten times too many ({rate:.0f}/s)"
    turned_away = f"{len(burst.refusals)} turned away"
    figures: list[tuple[str, float, Goal, str]] = [
        ("errors", sum(burst.errors.values()), NONE, ""),
        ("lost", stand.product.count_lost(burst.promised), NONE, f"{burst.count} registered"),
        ("p99 of answers", percentile(burst.answers, 0.99), ACCEPTED_LATE, turned_away),
        ("page of the others", burst.refusal_bytes, PAGE_BYTES, ""),
        ("recovered after", max(0.0, recovery), RECOVERY, ""),
        ("largest process", largest, BURST_MEMORY, ""),
    ]
    for what, figure, goal, site in figures:
        scenario = f"{name}: {what}"
        yield Row("P17", scenario, stand.database, figure, goal, site=site, others=others)


def _read_used(stand: Stand) -> float:
    """Return the CPU seconds that everybody but the site has used."""
    own = read_cpu_seconds([stand.product.web.pid, *stand.database_pids])
    return read_machine_cpu_seconds() - own


def slow_clients(stand: Stand) -> Iterator[Row]:
    """Register while others send a byte now and then, and compare with a site without them."""
    web = stand.product.web
    order = Order(web.script, True, stand.seconds, visitors=4)
    start = f"Host: {HOST}:{web.script.port}\r\nContent-Length: 100000\r\n"
    starts = {
        "headers": f"POST {web.script.path} HTTP/1.1\r\n{start}X-Slow: ",
        "bodies": f"POST {web.script.path} HTTP/1.1\r\n{start}\r\nemail=",
    }
    for name, start in starts.items():
        alone = stand.send(web, order)
        with _dribble(web.script.port, start, stand):
            beside = stand.send(web, order)
        errors = sum(beside.visits.errors.values()) + len(beside.visits.refusals)
        scenario = f"beside {SLOW_CLIENTS} clients with slow {name}"
        others = max(alone.others, beside.others)
        yield Row("P18", f"{scenario}: errors", stand.database, errors, NONE, others=others)
        yield Row(
            "P18",
            f"{scenario}: p99",
            stand.database,
            beside.p99 / alone.p99,
            SLOW_LATE,
            site=f"{beside.p99:.0f} ms",
            floor=f"{alone.p99:.0f} ms",
            others=others,
        )


@contextmanager
def _dribble(port: int, start: str, stand: Stand) -> Iterator[None]:
    """Hold connections open in another process, with a byte for each every second."""
    command = [sys.executable, "-m", "bench.overload", str(port), start.encode().hex()]
    with Process(command, environ={}, log=stand.folder / "slow.log") as process:
        deadline = time.monotonic() + 10
        # One descriptor for each, besides a few of Python's own.
        while count_files(process.pid) < SLOW_CLIENTS:
            if time.monotonic() > deadline:
                raise RuntimeError("the slow clients did not come")
            time.sleep(0.05)
        yield


def be_slow(port: int, start: bytes) -> None:
    """Be two hundred clients that never finish a request."""
    clients = [socket.create_connection((HOST, port)) for _ in range(SLOW_CLIENTS)]
    for client in clients:
        client.sendall(start)
    while True:
        time.sleep(1)
        for client in clients:
            client.sendall(b"a")


if __name__ == "__main__":
    be_slow(int(sys.argv[1]), bytes.fromhex(sys.argv[2]))
