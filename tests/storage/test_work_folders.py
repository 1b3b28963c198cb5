"""Folders for copies of the database, of which no death leaves one for good."""

import subprocess
import sys
from pathlib import Path

from storage.work_folders import sweep, work_folder
from tests.installation import ROOT

DYING = """
import os, signal, sys
from pathlib import Path
from storage.work_folders import work_folder
with work_folder(Path(sys.argv[1])) as folder:
    (folder / "copy").write_text("everybody's data")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_one(place: Path) -> Path:
    subprocess.run([sys.executable, "-c", DYING, str(place)], cwd=ROOT, check=False)
    [left] = place.iterdir()
    return left


def test_folder_of_a_process_that_was_killed_is_removed_by_the_next(tmp_path):
    left = leave_one(tmp_path)
    (tmp_path / "night.zip").touch()
    held = (left / "copy").exists()

    sweep(tmp_path)

    assert (held, [path.name for path in tmp_path.iterdir()]) == (True, ["night.zip"])


def test_folder_that_somebody_works_in_stays(tmp_path):
    with work_folder(tmp_path) as folder:
        (folder / "copy").touch()
        sweep(tmp_path)

        assert (folder / "copy").exists()
    assert list(tmp_path.iterdir()) == []


def test_folder_without_a_lock_is_nobodys_to_remove(tmp_path):
    left = leave_one(tmp_path)
    (left / "lock").rename(left / "new")

    sweep(tmp_path)

    assert left.exists()
