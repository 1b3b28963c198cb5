"""F38: an export of very many people needs no memory for all of them."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from services.events import LinkPolicy
from services.registrations import register
from tests import factories
from tests.fixtures.databases import only_sqlite
from tests.installation import ROOT, make_command

PEOPLE = 20_000
MEGABYTES = 150

COPIES = """
WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < :count)
"""


@pytest.fixture
def crowded_url(database, database_url):
    """A database in which everybody is a copy of one who registered as people do."""
    with database.write() as session:
        event = factories.make_event(session, slug="spring")
        sent = factories.make_submission(event)
        register(session, event, sent, policy=LinkPolicy.SHOW, now=factories.NOW)
        for table, changed in {
            "registration": {"id": "n + 1", "public_id": "hex(randomblob(11))"},
            "submission": {"id": "n + 1", "public_id": "hex(randomblob(11))"},
            "answer": {"id": "n + 1"},
        }.items():
            changed |= {
                "registration": {"email_key": "n || email_key", "email": "n || email"},
                "submission": {"registration_id": "n + 1", "nonce": "n || nonce"},
                "answer": {"registration_id": "n + 1"},
            }[table]
            _copy(session, table, changed)
    return database_url


def _copy(session, table, changed):
    columns = [row.name for row in session.execute(text(f"PRAGMA table_info({table})"))]
    values = [changed.get(column, f"{table}.{column}") for column in columns]
    session.execute(
        text(
            f"INSERT INTO {table} ({', '.join(columns)}) {COPIES}"
            f" SELECT {', '.join(values)} FROM {table}, copy WHERE {table}.rowid = 1"
        ),
        {"count": PEOPLE - 1},
    )


@only_sqlite
def test_f38_export_of_many_people_stays_small(crowded_url, tmp_path):
    output = tmp_path / "people.csv"
    command = make_command(
        *("registrations", "export", "spring", "--output", str(output)), app=ROOT / "app.py"
    )
    environ = os.environ | {
        "UKETSUKE_DATABASE_URL": crowded_url,
        "UKETSUKE_INSTANCE": str(tmp_path),
        "UKETSUKE_SECRET_KEY": "a secret that only the tests know of",
    }
    most = 0
    with subprocess.Popen(command, cwd=ROOT, env=environ) as process:
        while process.poll() is None:
            most = max(most, read_peak(process.pid))
            time.sleep(0.01)

    assert process.returncode == 0
    assert len(output.read_text().splitlines()) == PEOPLE + 1
    assert 20 < most < MEGABYTES, most


def read_peak(process):
    """Read how many megabytes a process has held at most; 0 for one that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0
