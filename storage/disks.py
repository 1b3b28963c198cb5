"""Room on the disks that hold the installation's files, and those of its database on SQLite."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .session import Database

FILLING_PERCENT = 80
WELL_PERCENT = 75
"""Below it an alarm about a disk is over: what wavers about one limit begins and ends for ever."""


@dataclass(frozen=True)
class Fill:
    """How full the disk of a folder is."""

    percent: int
    folder: Path


def measure_fullest(database: Database, instance: Path) -> Fill:
    """Return the fullest of the disks that this machine writes to.

    A file of SQLite may lie elsewhere than the instance folder; PostgreSQL's disk is its server's.
    """
    folders = [instance]
    if database.is_sqlite:
        folders.append(Path(database.place).resolve().parent)
    return max((Fill(measure_fill(folder), folder) for folder in folders), key=_get_percent)


def measure_fill(folder: Path) -> int:
    """Return how full the disk of a folder is in percent, which need not be there yet.

    A file system that says nothing of its size, as some over networks do, is never full.
    """
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return round(100 * usage.used / ((usage.used + usage.free) or 1))


def _get_percent(fill: Fill) -> int:
    return fill.percent
