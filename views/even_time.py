"""Answering after the same time whether or not an address is known, where that may not be told."""

from __future__ import annotations

import time

from services.events import LinkPolicy

EVEN_SECONDS = 0.025
"""No answer comes sooner: a known address takes some milliseconds longer than an unknown one.

In a crowd answers take as long anyway, and nobody waits for it.
"""

# What is corrected is a registration ended and another one made.
EVEN_CORRECTION_SECONDS = 2 * EVEN_SECONDS


def wait_until_even(policy: LinkPolicy, began_at: float, *, seconds: float = EVEN_SECONDS) -> None:
    """Wait until so many seconds after a moment of `time.monotonic()`, unless all may be told."""
    if policy is not LinkPolicy.SHOW:
        time.sleep(max(0.0, began_at + seconds - time.monotonic()))
