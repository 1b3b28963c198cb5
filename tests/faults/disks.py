"""Disks without room."""

from contextlib import contextmanager


@contextmanager
def full(disk):
    """Let a disk have no byte left meanwhile."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    yield
    filler.unlink()
