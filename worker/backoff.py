"""How long to wait before the next try."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

# Certain failures: soon at first, then rarely, for as long as the event is ahead.
_STEPS_SECONDS = (5, 30, 120, 600, 1800)
_LATER_SECONDS = 3600
_JITTER = 0.2
# No limit of Zoom's lasts longer than a day: a later time is a mistake, and would end the tries.
_LONGEST = timedelta(hours=25)
_MOMENT = timedelta(seconds=5)


def next_try(attempts: int, *, now: datetime, not_before: datetime | None = None) -> datetime:
    """Return when to try again after `attempts` tries, with ±20 % of jitter.

    `not_before` is when the other side asked us to come back; at most 25 hours are respected.
    Jitter then only adds: a second at most to a short wait, else up to five.
    """
    if not_before is not None and not_before > now:
        not_before = min(not_before, now + _LONGEST)
        most = 1.0 if not_before - now <= _MOMENT else 5.0
        return not_before + timedelta(seconds=random.uniform(0.1, most))  # noqa: S311
    steps = min(max(attempts, 1), len(_STEPS_SECONDS) + 1)
    seconds = (*_STEPS_SECONDS, _LATER_SECONDS)[steps - 1]
    spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
    return now + timedelta(seconds=seconds * spread)
