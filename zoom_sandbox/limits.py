"""Zoom's rate limits and daily caps, and the two ways it announces them."""

from collections import Counter, deque
from datetime import timedelta

from zoom_sandbox.answers import Refused
from zoom_sandbox.clock import Clock, format_time

PER_SECOND = {
    "free": {"LIGHT": 4, "MEDIUM": 2, "HEAVY": 1},
    "pro": {"LIGHT": 30, "MEDIUM": 20, "HEAVY": 10},
    "business": {"LIGHT": 80, "MEDIUM": 60, "HEAVY": 40},
}
PER_DAY = {
    "free": {"LIGHT": 6_000, "MEDIUM": 2_000, "HEAVY": 1_000},
    "pro": {"HEAVY": 30_000},
    "business": {"HEAVY": 60_000},
}
HOST_CAP = 100
ADD_CAP = 3
STATUS_CAP = 10


class Limits:
    """Count calls by second and UTC day of the sandbox's clock. Restarts forget the counts."""

    def __init__(
        self, plan: str, clock: Clock, *, enforced: bool, adds_count_over_all: bool = False
    ) -> None:
        self._plan = plan
        self._adds_count_over_all = adds_count_over_all
        self._clock = clock
        self._bursts: dict[str, deque[float]] = {}
        self._today = ""
        self._used: Counter[str] = Counter()
        self.enforced = enforced

    @property
    def used_today(self) -> Counter[str]:
        """Count by key: a label, `host:<id>`, `add:<meeting>:<address>`, `status:<registrant>`.

        Where adds count over all meetings, their key is `add:all:<address>`.
        """
        today = self._clock.today()
        if today != self._today:
            self._today = today
            self._used = Counter()
        return self._used

    def count_call(self, label: str) -> dict[str, str]:
        """Count a call against the account and return the headers Zoom answers with."""
        allowed = PER_SECOND[self._plan][label]
        burst = self._bursts.setdefault(label, deque())
        now = self._clock.now().timestamp()
        while burst and not 0 <= now - burst[0] < 1:
            burst.popleft()
        burst.append(now)
        if self.enforced and len(burst) > allowed:
            burst.pop()
            raise Refused(
                429,
                429,
                "You have reached the maximum per-second rate limit for this API. Try again later.",
                headers=_headers(label, "QPS", allowed, 0),
            )
        self._count_day(label)
        return _headers(label, "QPS", allowed, allowed - len(burst))

    def _count_day(self, label: str) -> None:
        allowed = PER_DAY[self._plan].get(label)
        self.used_today[label] += 1
        if allowed is None or not self.enforced or self.used_today[label] <= allowed:
            return
        tomorrow = (self._clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0)
        raise Refused(
            429,
            429,
            "You have reached the maximum daily rate limit for this API. "
            "Refer to the response header for details on when you can make another request.",
            headers={
                **_headers(label, "Daily-limit", allowed, 0),
                "Retry-After": format_time(tomorrow),
            },
        )

    def count_host_change(self, host_id: str) -> None:
        self._count_special(
            f"host:{host_id}",
            HOST_CAP,
            "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests "
            "permitted for this particular user.",
        )

    def count_add(self, kind: str, meeting_id: int, email: str) -> None:
        where = "all" if self._adds_count_over_all else meeting_id
        self._count_special(
            f"add:{where}:{email.casefold()}",
            ADD_CAP,
            f"You have exceeded the daily rate limit of (3) for Add {kind} registrant API requests "
            f"for the registrant ({email}). You can resume these API requests at GMT 00:00:00.",
        )

    def count_status_change(self, registrant_id: str, email: str) -> None:
        self._count_special(
            f"status:{registrant_id}",
            STATUS_CAP,
            "You have exceeded the daily rate limit of (10) for Update registrant status API "
            f"requests for the registrant ({email}). "
            "You can resume these API requests at GMT 00:00:00.",
        )

    def _count_special(self, key: str, cap: int, message: str) -> None:
        """Count against one of the caps; these say neither their type nor when to come back."""
        if self.enforced and self.used_today[key] >= cap:
            allowed = PER_SECOND[self._plan]["LIGHT"]
            headers = _headers("LIGHT", "", allowed, allowed - 1)
            raise Refused(429, 429, message, headers=headers)
        self.used_today[key] += 1


def _headers(label: str, kind: str, limit: int, remaining: int) -> dict[str, str]:
    headers = {
        "X-RateLimit-Category": label.capitalize(),
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
    }
    if kind:
        headers["X-RateLimit-Type"] = kind
    return headers
