"""Doing something several times at once, as several workers or processes do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from storage.session import Database
from tests.fixtures.databases import open_database

ROOT = Path(__file__).parents[1]

Result = TypeVar("Result")

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def race(url: str, work: Callable[[Database], Result], *, workers: int = 4) -> list[Result]:
    """Run `work` in threads, each with connections of its own as if it were another process."""

    def run(_: int) -> Result:
        database = open_database(url)
        try:
            return work(database)
        finally:
            database.dispose()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def run_processes(code: str, *arguments: str, count: int = 4) -> list[str]:
    """Run Python code in several processes at once and return what each printed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    outputs = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return outputs


def count_waiting(database: Database) -> int:
    """Count the connections to a database of PostgreSQL that wait for a lock."""
    with database.read() as session:
        return int(session.scalar(text(WAITING)) or 0)
