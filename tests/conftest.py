"""What every test may ask for stands in `tests/fixtures/`, one module per noun."""

import gc
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.fixtures.browsers",
    "tests.fixtures.databases",
    "tests.fixtures.engines",
    "tests.fixtures.routes",
    "tests.fixtures.sites",
    "tests.fixtures.templates",
]

_MEMORY = Path("/dev/shm")
_NEEDED_BYTES = 4 << 30

# Databases by the thousand, browsers' profiles: on a busy disk a test waits for them four times as
# long as it runs. A process that is killed leaves the same behind on a disk and in memory.
if (
    "TMPDIR" not in os.environ
    and os.access(_MEMORY, os.W_OK)
    and shutil.disk_usage(_MEMORY).free > _NEEDED_BYTES
):
    os.environ["TMPDIR"] = str(_MEMORY)

# How long an example takes says more of the machine's other work than of ours.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Let the modules and the tests, which stay to the end, be left alone by the collector.

    Looking through all of them for garbage again and again took a seventh of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run three processes on two cores: a third of their time tests wait, for clocks and others."""
    return (os.cpu_count() or 1) * 3 // 2
