"""Named places at which a test may stop the process.

`UKETSUKE_FAULT_POINT=after_zoom:kill` ends the process there as SIGKILL does, `after_zoom:raise`
fails there with what no code expects, `after_zoom:sleep:3` waits three seconds. `@<file>` says that
the fault stands in a file: whoever comes to its place takes the file away, so it happens once, and
to one process. Without the variable nothing happens.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

FAULT_VARIABLE = "UKETSUKE_FAULT_POINT"

_FAULT = os.environ.get(FAULT_VARIABLE, "")


class Fault(Exception):
    """What a test asked for."""


def fault_point(name: str) -> None:
    """Mark a place between two effects that must not be torn apart unnoticed."""
    if _FAULT:
        _act(name, _FAULT)


def _act(name: str, fault: str) -> None:
    file = Path(fault[1:]) if fault.startswith("@") else None
    if file is not None:
        with suppress(FileNotFoundError):
            fault = file.read_text()
    place, _, action = fault.partition(":")
    if place != name or (file is not None and not _take(file)):
        return
    if action.startswith("sleep:"):
        time.sleep(float(action.removeprefix("sleep:")))
    elif action == "raise":
        raise Fault(name)
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def _take(file: Path) -> bool:
    """Take the fault away for everybody else; False if somebody was faster."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True
