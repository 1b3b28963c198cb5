"""The installation's secret."""

import errno
import os
import stat

import pytest

from storage.secret_keys import FILE_NAME, make_secret_key, read_secret_keys
from tests.races import run_processes

MAKE = """
import sys
from pathlib import Path
from storage.secret_keys import make_secret_key
print(make_secret_key(Path(sys.argv[1])))
"""


def test_new_key_is_for_its_owner_alone(tmp_path):
    [key] = make_secret_key(tmp_path / "instance")

    path = tmp_path / "instance" / FILE_NAME
    assert path.read_text().strip().encode() == key
    assert len(key) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_made_by_reading(tmp_path):
    assert read_secret_keys("", tmp_path / "instance") == []
    assert list(tmp_path.iterdir()) == []


def test_key_stays_the_same(tmp_path):
    assert make_secret_key(tmp_path) == make_secret_key(tmp_path) == read_secret_keys("", tmp_path)


def test_installations_differ(tmp_path):
    assert make_secret_key(tmp_path / "a") != make_secret_key(tmp_path / "b")


def test_setting_wins_and_makes_no_file(tmp_path):
    keys = read_secret_keys(f"{'n' * 32}, {'o' * 32}", tmp_path)

    assert keys == [b"n" * 32, b"o" * 32]
    assert list(tmp_path.iterdir()) == []


def test_older_keys_may_stand_below_in_the_file(tmp_path):
    (tmp_path / FILE_NAME).write_text(f"{'n' * 32}\n\n{'o' * 32}\n")

    assert read_secret_keys("", tmp_path) == [b"n" * 32, b"o" * 32]


def test_commas_and_lines_part_keys_in_both_places(tmp_path):
    (tmp_path / FILE_NAME).write_text(f"{'n' * 32}, {'o' * 32}\n")

    assert read_secret_keys("", tmp_path) == [b"n" * 32, b"o" * 32]
    assert read_secret_keys(f"{'n' * 32}\n{'o' * 32}", tmp_path) == [b"n" * 32, b"o" * 32]


@pytest.mark.parametrize("content", ["", "\n", "short", f"{'n' * 32}\nshort"])
def test_file_without_a_secret_is_named(content, tmp_path):
    (tmp_path / FILE_NAME).write_text(content)

    with pytest.raises(ValueError, match=FILE_NAME):
        read_secret_keys("", tmp_path)


def test_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OSError, match="No space"):
        make_secret_key(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_at_once_agree(tmp_path):
    printed = run_processes(MAKE, str(tmp_path))

    assert set(printed) == {str(read_secret_keys("", tmp_path))}
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
