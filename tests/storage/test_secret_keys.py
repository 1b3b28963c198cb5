"""The installation's secret."""

import stat

from storage.secret_keys import FILE_NAME, read_secret_keys
from tests.races import run_processes

READ = """
import sys
from pathlib import Path
from storage.secret_keys import read_secret_keys
print(read_secret_keys("", Path(sys.argv[1])))
"""


def test_first_start_makes_a_key_for_its_owner_alone(tmp_path):
    [key] = read_secret_keys("", tmp_path / "instance")

    path = tmp_path / "instance" / FILE_NAME
    assert path.read_text().strip().encode() == key
    assert len(key) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_key_stays_the_same(tmp_path):
    assert read_secret_keys("", tmp_path) == read_secret_keys("", tmp_path)


def test_installations_differ(tmp_path):
    assert read_secret_keys("", tmp_path / "a") != read_secret_keys("", tmp_path / "b")


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


def test_processes_that_start_at_once_agree(tmp_path):
    printed = run_processes(READ, str(tmp_path))

    assert set(printed) == {str(read_secret_keys("", tmp_path))}
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
