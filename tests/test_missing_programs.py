"""What the machine lacks is skipped, with a line that says how to get it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import browsers, postgresql

ROOT = Path(__file__).parents[1]

# Packaged server programs are found without the PATH, so their folder has to look empty.
HIDE_PACKAGES = """
from pathlib import Path
from tests.fixtures import postgresql

class Empty(type(Path())):
    def glob(self, pattern):
        return iter(())

postgresql.Path = Empty
"""


OPTIONS = ("-q", "-n", "0", "-p", "no:cacheprovider", "-p", "hide_packages")


@pytest.mark.parametrize(
    ("marker", "module", "how_to_get"),
    [
        ("browser", "tests/browser/test_weight.py", browsers.HOW_TO_GET),
        ("postgresql", "tests/storage/test_limits.py", postgresql.HOW_TO_GET),
    ],
)
def test_missing_program_is_named_where_its_tests_are_skipped(tmp_path, marker, module, how_to_get):
    (tmp_path / "hide_packages.py").write_text(HIDE_PACKAGES)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, "-m", marker, module],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert f": {how_to_get}\n" in done.stdout
    assert "apt-get install " in how_to_get
    assert " passed" not in done.stdout
