"""A moment by which something has to be over."""

import time


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def sooner(self, seconds: float) -> "Deadline":
        """Return one that comes after so many seconds, but not later than this one."""
        return Deadline(min(seconds, self.remaining_seconds()))

    def postpone(self, seconds: float) -> None:
        self._ends_at += seconds

    def remaining_seconds(self) -> float:
        return self._ends_at - time.monotonic()

    def positive_seconds(self) -> float:
        """Return what is left as a socket takes it: never 0, which means not to wait at all."""
        return max(self.remaining_seconds(), 0.001)
