"""How the reason of a job tells of failures that nobody foresaw: workers write it, alarms read it.

It names the class of the error alone: its words may hold what people typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

_FORMAT = "%Y-%m-%d %H:%M:%S"
_REASON = re.compile(
    r"(?:unexpected (?P<mistake>\w+)|(?P<outage>\w+): the database failed)"
    r"(?:, (?P<times>\d+) times)?"
    r"(?: since (?P<since>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC)?"
)


@dataclass(frozen=True)
class JobFailure:
    """An error that nobody handled, and how often in a row that was so; the first time at `since`.

    With `is_outage` the database failed at it, and not what was asked of it. An older version did
    not note since when.
    """

    problem: str
    is_outage: bool
    times: int
    since: datetime | None

    @classmethod
    def read(cls, reason: str) -> Self | None:
        """Read what `write` has made, of this version or an older one; None of other reasons."""
        found = _REASON.fullmatch(reason)
        if found is None:
            return None
        since = found["since"]
        return cls(
            problem=found["mistake"] or found["outage"],
            is_outage=bool(found["outage"]),
            times=int(found["times"] or 1),
            since=datetime.strptime(since, _FORMAT).replace(tzinfo=UTC) if since else None,
        )

    def write(self) -> str:
        what = f"{self.problem}: the database failed" if self.is_outage else ""
        times = f", {self.times} times" if self.times > 1 else ""
        since = f" since {self.since.astimezone(UTC):{_FORMAT}} UTC" if self.since else ""
        return f"{what or f'unexpected {self.problem}'}{times}{since}"


def note_failure(
    error: Exception, *, is_outage: bool, before: str = "", attempts: int = 1, now: datetime
) -> JobFailure:
    """Note a failure after those in a row that the reason `before` tells of.

    What the database failed at and other failures are no row. The reason outlives a wish that was
    raised meanwhile, whose `attempts` are counted anew.
    """
    last = JobFailure.read(before)
    problem = type(error).__name__
    if last is None or last.is_outage != is_outage:
        return JobFailure(problem, is_outage, 1, now)
    # A time to come is of a clock that was set back.
    since = min(last.since or now, now)
    return JobFailure(problem, is_outage, min(last.times + 1, attempts), since)
