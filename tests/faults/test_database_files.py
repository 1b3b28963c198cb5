"""F19: the file of the database is missing, damaged, read-only, or of another version."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from app import create_app
from config import Settings
from tests.faults.crowd import Crowd
from tests.fixtures.databases import only_sqlite

STARTS = ("migrate", "serve", "demo")


class Place:
    """An installation on SQLite; its commands run in this process, each on an app of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "uketsuke.sqlite3"

    def run(self, *arguments):
        app = create_app(Settings(instance=self.folder, port=1024))
        done = app.test_cli_runner().invoke(args=arguments)
        app.extensions["site"].database.dispose()
        return done

    def hear_refusals(self, commands=STARTS):
        """Return the one line that each of these commands ends with."""
        for command in commands:
            done = self.run(command)
            assert (done.exit_code, done.stdout) == (1, ""), done.output
            assert done.stderr.count("\n") == 1, done.stderr
            yield done.stderr


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path / "instance")
    assert made.run("migrate").exit_code == 0
    return made


def damage(file):
    """Write over pages in the middle of a database, as a bad disk does."""
    with sqlite3.connect(file) as database:
        database.execute(
            "CREATE TABLE much AS WITH RECURSIVE n(i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
            " SELECT hex(randomblob(200)) AS x FROM n"
        )
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(file.read_bytes())
    content[-40_960:-4_096] = os.urandom(36_864)
    file.write_bytes(content)


def test_f19_missing_database_is_not_begun_anew(place):
    place.file.unlink()

    for said in place.hear_refusals():
        assert f"{place.file} is missing, and it was there" in said
    for said in place.hear_refusals(("web", "worker")):
        assert "not set up" in said
    assert not place.file.exists()

    assert place.run("migrate", "--init").exit_code == 0
    assert place.run("migrate").exit_code == 0


def test_f19_missing_database_is_put_back(place, tmp_path):
    shutil.move(place.file, tmp_path / "aside")
    assert list(place.hear_refusals(("migrate",)))

    shutil.move(tmp_path / "aside", place.file)

    assert place.run("migrate").exit_code == 0


@only_sqlite
def test_f19_database_that_goes_away_is_not_replaced_by_an_empty_one(site):
    site.add_event(slug="spring")
    form = Crowd(site.url).fill_in
    person = {"email": "taro@example.com", "family_name": "山田", "given_name": "太郎"}
    filled = form(person | {"question_privacy": "yes"})
    file = Path(site.database.url.database)
    site.database.dispose()
    shutil.move(file, file.with_suffix(".aside"))

    answer = Crowd(site.url).send(filled)

    assert answer.text.startswith("503") and "taro@example.com" in answer.text
    assert not file.exists()
    shutil.move(file.with_suffix(".aside"), file)
    assert Crowd(site.url).send(filled).receipt is not None


def test_f19_damaged_page_is_told_before_anybody_meets_it(place):
    damage(place.file)

    for said in place.hear_refusals():
        assert "The database is damaged" in said or "malformed" in said


def test_f19_file_that_is_no_database_is_told(place):
    place.file.write_bytes(os.urandom(8_192))
    for name in ("-wal", "-shm"):
        Path(f"{place.file}{name}").unlink(missing_ok=True)

    for said in place.hear_refusals():
        assert "file is not a database" in said


def test_f19_database_of_another_version_is_told(place):
    with sqlite3.connect(place.file) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE schema_fit SET oldest_revision = '9999'")
    database.close()

    for said in place.hear_refusals((*STARTS, "web", "worker")):
        assert "newer version" in said


@pytest.fixture
def read_only(tmp_path):
    """A folder whose file system is made read-only: root may write to any file otherwise."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    # Lazily: a process of the site, which ends after this, may still have a file open on it.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_f19_database_that_cannot_be_written_is_told(read_only):
    folder, freeze = read_only
    place = Place(folder / "instance")
    assert place.run("migrate").exit_code == 0
    freeze()

    for said in place.hear_refusals():
        assert "The database cannot be used" in said
