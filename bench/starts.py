"""Starts: from the command to the first page."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from statistics import median
from urllib.request import urlopen

from .processes import Process, find_free_port
from .stand import Stand
from .table import Goal, Row

FIRST_ANSWER = Goal(2.0, 1.0, unit="s")


def start(stand: Stand) -> Iterator[Row]:
    """Start `flask web` beside the site that runs, on the same database, and ask for the form."""
    times = [_start_once(stand) for _ in range(stand.rounds + 1)][1:]
    yield Row("P19", "start to the first form page", stand.database, median(times), FIRST_ANSWER)


def _start_once(stand: Stand) -> float:
    port = find_free_port()
    product = stand.product
    began = time.perf_counter()
    command = [sys.executable, "-m", "flask", "--app", "app.py", "web"]
    environ = {**product.environ, "UKETSUKE_PORT": str(port)}
    with Process(command, environ=environ, log=stand.folder / "start.log"):
        while time.perf_counter() < began + 30:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{port}{product.web.script.path}"):
                return time.perf_counter() - began
            time.sleep(0.01)
    raise RuntimeError("the site did not start")
