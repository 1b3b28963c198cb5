"""Zoom's limits, and where the client asks before each call whether it may be made.

The limits are per account, shared by all of its apps and users. Source: Zoom's documentation of
rate limits, read for the project's contract of 2026-09. Asking for a token counts towards none.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Plan(StrEnum):
    """The plan of an account; everything above Business counts as that."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"


class Label(StrEnum):
    """Zoom's name for how much a call costs."""

    LIGHT = "LIGHT"
    MEDIUM = "MEDIUM"
    HEAVY = "HEAVY"


PER_SECOND: Mapping[Plan, Mapping[Label, int]] = {
    Plan.FREE: {Label.LIGHT: 4, Label.MEDIUM: 2, Label.HEAVY: 1},
    Plan.PRO: {Label.LIGHT: 30, Label.MEDIUM: 20, Label.HEAVY: 10},
    Plan.BUSINESS: {Label.LIGHT: 80, Label.MEDIUM: 60, Label.HEAVY: 40},
}
PER_DAY: Mapping[Plan, Mapping[Label, int]] = {
    Plan.FREE: {Label.LIGHT: 6_000, Label.MEDIUM: 2_000, Label.HEAVY: 1_000},
    Plan.PRO: {Label.HEAVY: 30_000},
    Plan.BUSINESS: {Label.HEAVY: 60_000},
}
HOST_CHANGES_A_DAY = 100
ADDS_A_DAY = 3
STATUS_CHANGES_A_DAY = 10


class Budget(Protocol):
    """What all who call for one account have left of its limits.

    `name` is a label, or `host:<id>` for the creates and updates of meetings of one host.
    """

    def take(self, name: str, *, is_walk: bool = False) -> None:
        """Return as soon as one call may be made; a page of a list may be asked to wait longer.

        Raises BudgetSpent where that takes too long to wait for.
        """

    def close(self, name: str, until: datetime) -> None:
        """Learn that Zoom itself takes no more such calls until then."""


class Unlimited:
    """For who is alone with an account, and for tests."""

    def take(self, name: str, *, is_walk: bool = False) -> None:
        """Let every call pass."""

    def close(self, name: str, until: datetime) -> None:
        """Leave it to who was refused."""
