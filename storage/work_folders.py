"""Hidden folders in which a copy of the whole database is put together, for a while.

A process that is killed leaves its own behind, with everybody's data in it. So each is locked as
long as its process lives, and whoever comes next removes those that are not.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

PREFIX = ".uketsuke-work."
_LOCK = "lock"


@contextmanager
def work_folder(place: Path) -> Iterator[Path]:
    """Make a folder for this user alone, and remove it with all that is in it at the end."""
    with TemporaryDirectory(dir=place, prefix=PREFIX) as made, _locked(Path(made)):
        yield Path(made)


def sweep(place: Path) -> None:
    """Remove the folders of processes that have ended; what others may not remove stays."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    unlocked = folder / "new"
    with unlocked.open("w") as lock:
        # It has its name only once it is locked. Where files cannot be locked, it never has, and
        # nobody takes the folder away.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unlocked.rename(folder / _LOCK)
        yield
