"""F36: a restore, or what it does the work with, is killed at any moment."""

import os
import shutil
import signal

import pytest
from sqlalchemy import text

from storage import migrate
from storage.backups import write_backup
from tests import factories
from tests.fixtures.databases import SECRET, only_postgresql, open_database
from tests.installation import Installation

DYING = """#!/bin/sh
case "$*" in *--list*) exec {program} "$@";; esac
{program} "$@" | head -c {size}
kill -9 $PPID
"""


@pytest.fixture
def backup(database, tmp_path):
    """A backup of a site with one event."""
    with database.write() as session:
        factories.make_event(session, slug="spring")
    file = tmp_path / "night.zip"
    write_backup(database, file, secrets=["a"], now=factories.NOW)
    return file


@pytest.fixture
def target(databases, tmp_path):
    """A site with two events, in which the backup is to be put back."""
    url = databases.make_migrated()
    opened = open_database(url)
    with opened.write() as session:
        for slug in ("summer", "autumn"):
            factories.make_event(session, slug=slug)
    opened.dispose()
    yield Installation(tmp_path, UKETSUKE_DATABASE_URL=url, UKETSUKE_SECRET_KEY=SECRET.decode())
    databases.drop(url)


def read_slugs(target):
    """Read which events the site has, as a process that works on it does."""
    database = open_database(target.environ["UKETSUKE_DATABASE_URL"])
    try:
        assert migrate.describe_misfit(database) == ""
        with database.read() as session:
            return sorted(session.scalars(text("SELECT slug FROM event")))
    finally:
        database.dispose()


def restore(target, backup, **environ):
    target.environ |= environ
    return target.run("restore", "--replace", "--without-secret", str(backup))


def test_restore_that_is_killed_before_its_end_leaves_the_site_that_was_there(target, backup):
    killed = restore(target, backup, UKETSUKE_FAULT_POINT="mid_restore:kill")
    left = read_slugs(target)
    done = restore(target, backup, UKETSUKE_FAULT_POINT="")

    assert (killed.returncode, left) == (-signal.SIGKILL, ["autumn", "summer"])
    assert (done.returncode, read_slugs(target)) == (0, ["spring"])


@only_postgresql
def test_restore_that_is_killed_while_rows_come_leaves_the_site_that_was_there(
    target, backup, tmp_path
):
    program = shutil.which("pg_restore")
    (tmp_path / "bin").mkdir()
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for size in (0, 20_000, 10_000_000):
        dying = tmp_path / "bin" / "pg_restore"
        dying.write_text(DYING.format(program=program, size=size))
        dying.chmod(0o755)

        killed = restore(target, backup, PATH=path)

        assert killed.returncode == -signal.SIGKILL
        assert read_slugs(target) == ["autumn", "summer"]
    dying.unlink()
    done = restore(target, backup)

    assert (done.returncode, read_slugs(target)) == (0, ["spring"])
