"""Named places at which a test may stop the process.

`UKETSUKE_FAULT_POINT=after_zoom:kill` ends the process there as SIGKILL does; `:once:<file>` kills
only if the file does not exist yet, and makes it. Without the variable nothing happens.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

FAULT_VARIABLE = "UKETSUKE_FAULT_POINT"

_FAULT = os.environ.get(FAULT_VARIABLE, "")


def fault_point(name: str) -> None:
    """Mark a place between two effects that must not be torn apart unnoticed."""
    if not _FAULT or _FAULT.split(":")[0] != name:
        return
    _, action, *rest = _FAULT.split(":", 2)
    if action == "once":
        marker = Path(rest[0])
        if marker.exists():
            return
        marker.touch()
    os.kill(os.getpid(), signal.SIGKILL)
