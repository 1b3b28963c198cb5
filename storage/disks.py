"""Room on the disk that holds the installation's files."""

from __future__ import annotations

import shutil
from pathlib import Path

FILLING_PERCENT = 80
WELL_PERCENT = 75
"""Below it an alarm about a disk is over: what wavers about one limit begins and ends for ever."""


def measure_fill(folder: Path) -> int:
    """Return how full the disk of a folder is in percent, which need not be there yet.

    A file system that says nothing of its size, as some over networks do, is never full.
    """
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return round(100 * usage.used / ((usage.used + usage.free) or 1))
