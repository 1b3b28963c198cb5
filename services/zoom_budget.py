"""The calls that an account at Zoom may make, shared by all processes through the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from storage import rehearsals, zoom_budgets
from storage.session import Database
from zoom_client import BudgetSpent, ConfigurationError, Label, Plan, find_next_reset
from zoom_client.pacing import HOST_CHANGES_A_DAY, PER_DAY, PER_SECOND

# Calls that leave at even distances arrive bunched: one that was a tenth of a second on its way
# longer than the next ones must not make them one too many.
SHARE = 0.9

# For so long a worker keeps its job and sleeps; beyond, it hands the job back.
PATIENCE_SECONDS = 2.0
LATE_SECONDS = 10.0
# For so long the page of a walk lets everybody else go first.
WALK_PATIENCE_SECONDS = 10.0


class CopyForPractice(ConfigurationError):
    """Nothing was sent: this site is a copy, and its events at Zoom are those of the real one."""


class SharedBudget:
    """One account's budget; implements `zoom_client.Budget`.

    A call takes its moment in one short transaction and sleeps until then without any, so those who
    wait are served in their order and nobody asks twice.
    """

    def __init__(
        self,
        database: Database,
        account_id: str,
        plan: Plan,
        *,
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._account_id = account_id
        self._plan = plan
        self._read_clock = read_clock

    def take(self, name: str, *, is_walk: bool = False) -> None:
        """Sleep until one call may be made.

        Raises:
            BudgetSpent: not within two seconds, or the moment was missed; `retry_after` says when.
            CopyForPractice: this site calls nobody.
        """
        moment = self._wait_for_a_lull(name) if is_walk else None
        if moment is None:
            moment = self._reserve(name, PATIENCE_SECONDS)
        if moment is None:
            raise self._refuse(name)
        self._sleep_until(moment)

    def close(self, name: str, until: datetime) -> None:
        """Have everybody wait as long as Zoom says."""
        today = self._read_clock().astimezone(UTC).date()
        with self._database.write() as session:
            zoom_budgets.close(session, self._account_id, name, until=until.timestamp(), day=today)

    def _wait_for_a_lull(self, name: str) -> float | None:
        """Take a moment that nobody else waits for, or none in ten seconds."""
        interval, _ = self._read_limits(name)
        ends_at = time.monotonic() + WALK_PATIENCE_SECONDS
        while (moment := self._reserve(name, interval)) is None and time.monotonic() < ends_at:
            time.sleep(2 * interval)
        return moment

    def _reserve(self, name: str, patience: float) -> float | None:
        interval, per_day = self._read_limits(name)
        now = self._read_clock()
        with self._database.write() as session:
            if rehearsals.is_rehearsal(session):
                raise CopyForPractice("not called, as this is a rehearsal: flask status says more")
            return zoom_budgets.reserve(
                session,
                self._account_id,
                name,
                interval=interval,
                patience=patience,
                per_day=per_day,
                day=now.astimezone(UTC).date(),
                now=now.timestamp(),
            )

    def _read_limits(self, name: str) -> tuple[float, int | None]:
        """Return the seconds between two calls, and how many a day has."""
        if name.startswith("host:"):
            return 0.0, HOST_CHANGES_A_DAY
        label = Label(name)
        return 1 / (SHARE * PER_SECOND[self._plan][label]), PER_DAY[self._plan].get(label)

    def _refuse(self, name: str) -> BudgetSpent:
        """Say until when it makes no sense to ask again."""
        now = self._read_clock()
        _, per_day = self._read_limits(name)
        with self._database.read() as session:
            budget = zoom_budgets.get_budget(session, self._account_id, name)
        retry_at = now + timedelta(seconds=PATIENCE_SECONDS)
        words = "The calls of this second are taken"
        if budget is not None and budget.closed_until > now.timestamp():
            retry_at = datetime.fromtimestamp(budget.closed_until, UTC)
            words = "Zoom takes no such calls"
        elif budget is not None and per_day is not None and budget.used_that_day >= per_day:
            retry_at = find_next_reset(now)
            words = "The calls of this day are used up"
        return BudgetSpent(f"{words} ({name.partition(':')[0]})", retry_after=retry_at)

    def _sleep_until(self, moment: float) -> None:
        seconds = moment - self._read_clock().timestamp()
        if seconds > 0:
            # Never longer than was reserved, though the clock may have been set back.
            time.sleep(min(seconds, PATIENCE_SECONDS))
        now = self._read_clock()
        if now.timestamp() > moment + LATE_SECONDS:
            # The machine was suspended: others may do by now what this call was planned for.
            raise BudgetSpent("The moment for the call was missed", retry_after=now)
