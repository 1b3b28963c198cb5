"""Faults happen at their place alone, and one that stands in a file happens once."""

import subprocess
import sys
import time

import pytest

from services import fault_points
from services.fault_points import FAULT_VARIABLE, Fault, fault_point


@pytest.fixture
def set_fault(monkeypatch):
    return lambda fault: monkeypatch.setattr(fault_points, "_FAULT", fault)


def test_nothing_happens_without_a_fault_or_at_another_place(set_fault):
    fault_point("here")
    set_fault("there:raise")
    fault_point("here")


def test_fault_is_raised_at_its_place(set_fault):
    set_fault("here:raise")

    with pytest.raises(Fault, match="here"):
        fault_point("here")


def test_fault_may_be_a_wait(set_fault):
    set_fault("here:sleep:0.2")
    begun = time.monotonic()

    fault_point("here")

    assert time.monotonic() - begun >= 0.2


def test_fault_in_a_file_happens_once(set_fault, tmp_path):
    file = tmp_path / "fault"
    set_fault(f"@{file}")
    fault_point("here")
    file.write_text("here:raise")
    fault_point("there")

    with pytest.raises(Fault):
        fault_point("here")

    assert not file.exists()
    fault_point("here")


def test_killed_process_ends_as_by_sigkill():
    code = "from services.fault_points import fault_point; fault_point('here')"
    environ = {FAULT_VARIABLE: "here:kill"}

    assert subprocess.run([sys.executable, "-c", code], env=environ, check=False).returncode == -9
