"""F36: a backup that is ended while it is written."""

import os
import shutil
import signal

import pytest

from storage.backups import read_manifest
from storage.work_folders import PREFIX
from tests.fixtures.databases import SECRET, only_postgresql
from tests.installation import Installation

ENDING = """#!/bin/sh
{program} "$@"
kill -{number} $PPID
exec sleep 60
"""


def list_left_over(folder):
    return [
        sum(file.stat().st_size for file in left.iterdir()) for left in folder.glob(f"{PREFIX}*")
    ]


@pytest.fixture
def place(database_url, tmp_path):
    """An installation whose `pg_dump` ends whoever runs it, with the signal that is set."""
    made = Installation(
        tmp_path, UKETSUKE_DATABASE_URL=database_url, UKETSUKE_SECRET_KEY=SECRET.decode()
    )
    (tmp_path / "bin").mkdir()
    made.environ["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    yield made
    made.kill()


def back_up(place, number):
    """Run a backup that a signal ends when the dump is there; 0 lets it be."""
    ending = place.folder / "bin" / "pg_dump"
    ending.unlink(missing_ok=True)
    if number:
        ending.write_text(ENDING.format(program=shutil.which("pg_dump"), number=number))
        ending.chmod(0o755)
    return place.run("backup", str(place.folder / "night.zip")).returncode


@only_postgresql
def test_backup_that_is_ended_leaves_no_copy_and_one_that_is_killed_none_for_long(place):
    ended, left_by_it = back_up(place, signal.SIGTERM), list_left_over(place.folder)
    killed, [left] = back_up(place, signal.SIGKILL), list_left_over(place.folder)
    done = back_up(place, 0)

    assert (ended, left_by_it) == (128 + signal.SIGTERM, [])
    assert (killed, left > 0) == (-signal.SIGKILL, True)
    assert (done, list_left_over(place.folder)) == (0, [])
    assert read_manifest(place.folder / "night.zip").database == "postgresql"
