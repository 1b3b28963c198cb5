"""F21: the power fails at any moment: what was promised is on the disk, and all is whole."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage.models import Job, Registration, SubmissionRow
from tests import factories
from tests.fixtures.databases import open_database
from tests.installation import ROOT

PEOPLE = 20

# One process for each database, forked from this one, whose calls of the kernel strace spoils.
REGISTER = """
import os, signal, subprocess, sys, time
from services.events import LinkPolicy
from services.registrations import register
from storage import events
from tests import factories
from tests.fixtures.databases import open_database

def register_people(url, count):
    promised = os.open(url.removeprefix("sqlite:///") + ".promised", os.O_WRONLY | os.O_CREAT)
    database = open_database(url)
    for number in range(count):
        with database.write() as session:
            event = events.get_event_by_slug(session, "spring")
            submission = factories.make_submission(event, email=f"person{number}@example.com")
            register(session, event, submission, policy=LinkPolicy.SHOW, now=factories.NOW)
        os.write(promised, f"person{number}@example.com\\n".encode())

def is_traced(number):
    return "TracerPid:\\t0\\n" not in open(f"/proc/{number}/status").read()

count, call, *faulty = sys.argv[1:]
for url, fault in zip(faulty[::2], faulty[1::2]):
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            register_people(url, int(count))
        finally:
            os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    options = ["-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}"]
    strace = subprocess.Popen(["strace", *options, "-p", str(child)])
    while not is_traced(child):
        time.sleep(0.01)
    os.kill(child, signal.SIGCONT)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    strace.wait()
"""

pytestmark = pytest.mark.skipif(
    not shutil.which("strace"), reason="strace is missing: apt-get install strace"
)


@pytest.fixture
def make_file(sqlite_databases):
    """Make the files of databases with an event that is open."""

    def make():
        url = sqlite_databases.make_migrated()
        database = open_database(url)
        with database.write() as session:
            factories.make_event(session, slug="spring")
        database.dispose()
        return Path(url.removeprefix("sqlite:///"))

    return make


def register_under(faults, call):
    """Register people into each file until its fault ends that; return how each process ended."""
    pairs = [word for file, fault in faults.items() for word in (f"sqlite:///{file}", fault)]
    done = subprocess.run(
        [sys.executable, "-c", REGISTER, str(PEOPLE), call, *pairs],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def check_kept(file):
    """Find the database whole, and everybody there who was promised a place; return those."""
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchone() is None
    promised = file.with_name(f"{file.name}.promised").read_text().split()
    database = open_database(f"sqlite:///{file}")
    with database.read() as session:
        kept = set(session.scalars(select(Registration.email)))
        submissions = session.scalar(select(func.count()).select_from(SubmissionRow))
        jobs = [key.partition(":")[0] for key in session.scalars(select(Job.key))]
    database.dispose()
    assert set(promised) <= kept and len(kept) <= len(promised) + 1
    assert submissions == jobs.count("zoom") == jobs.count("mail") == len(kept), "whole or not"
    return promised


def test_f21_killed_at_any_wait_for_the_disk(make_file):
    faults = {make_file(): f"signal=SIGKILL:when={number}" for number in range(1, 21)}

    assert register_under(faults, "fdatasync") == [-9] * 20, "so often it waits for the disk"

    for number, file in enumerate(faults, 1):
        assert len(check_kept(file)) < number, "nobody is promised what the disk has not got"


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_f18_disk_that_is_full_at_any_write_keeps_what_was_promised(make_file, call):
    faults = {make_file(): f"error=ENOSPC:when={first}+" for first in range(5, 25, 4)}

    register_under(faults, call)

    assert all(len(check_kept(file)) < PEOPLE for file in faults)
