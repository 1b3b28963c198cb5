"""The list of faults: every one is there, and every test that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/reliability.md").read_text()
ROW = re.compile(r"^\| (F\d\d) \|.*\| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"`(test_\w+)`")

IDS = [f"F{number:02}" for number in range(1, 42) if number not in (16, 26, 34)]
CANNOT_OCCUR = {"F33"}


def list_tests() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_fault_has_a_row():
    assert sorted(fault for fault, _ in ROW.findall(TEXT)) == IDS


def test_every_row_names_a_test_or_says_why_there_is_none():
    without = {fault for fault, tests in ROW.findall(TEXT) if not NAME.findall(tests)}

    assert without == CANNOT_OCCUR
    assert all("cannot occur" in TEXT.partition(f"| {fault} |")[2][:200] for fault in without)


def test_every_test_that_is_named_exists():
    assert set(NAME.findall(TEXT)) - list_tests() == set()


def test_every_test_of_a_fault_is_named():
    of_faults = {name for name in list_tests() if re.match(r"test_f\d\d_", name)}

    assert of_faults - set(NAME.findall(TEXT)) == set()
