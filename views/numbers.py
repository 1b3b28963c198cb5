"""Reading numbers that stand in addresses and forms, where anybody may write anything."""

from __future__ import annotations

_MOST_DIGITS = 15
"""No database has a number that is longer; SQLite cannot even be asked for one of 20 digits."""


def read_number(text: str) -> int | None:
    """Read digits as they are written by a page of ours; None for anything else."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None
