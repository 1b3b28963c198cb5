"""F35: a migration that is killed half-way, with many registrations in the database.

`UKETSUKE_TEST_ROWS` says how many; `make migration-test` takes a million.
"""

import os
import signal

import pytest
from alembic import command
from sqlalchemy import text

from storage import migrate
from storage.backups import read_manifest
from tests import factories
from tests.fixtures.databases import SECRET, only_sqlite, open_database
from tests.installation import Installation

ROWS = int(os.environ.get("UKETSUKE_TEST_ROWS", "5000"))

_DIGITS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows) "
FILL = (
    _DIGITS + "INSERT INTO registration (public_id, event_id, form_version_id, email, email_key,"
    " family_name, given_name, locale, status, surface, source, link_version, join_clicks,"
    " created_at, updated_at)"
    " SELECT 'public-' || i, :event, :form, 'p' || i || '@example.com', 'p' || i || '@example.com',"
    " '山田', '太郎', 'ja', 'approved', 'page', '{}', 0, 0, :now, :now FROM n",
    "INSERT INTO zoom_registrant (registration_id, event_id, delivery, problem, zoom_status,"
    " registrant_id, sends_answers, missed_looks, updated_at)"
    " SELECT id, event_id, 'registered', '', 'approved', 'zoom-' || id, true, 0, created_at"
    " FROM registration",
    "INSERT INTO job (kind, key, payload, state, generation, attempts, crashes, run_at, reason,"
    " created_at, updated_at)"
    " SELECT 'zoom.sync', 'zoom:' || id, '{}', 'ready', 1, 0, 0, created_at, '', created_at,"
    " created_at FROM registration",
)


@pytest.fixture
def old_database(database):
    """A database of the first version with its rows."""
    with database.write() as session:
        event = factories.make_event(session)
        form = event.form_version_id
    with migrate._exclusive(database) as connection:
        command.downgrade(migrate._configure(connection, None), "0001")
        values = {"rows": ROWS, "event": event.id, "form": form, "now": "2030-04-01 01:00:00"}
        connection.execute(text(FILL[0]), values)
        for statement in FILL[1:]:
            connection.execute(text(statement))
    return database


def test_migration_that_is_killed_half_way_is_done_by_the_next_start(
    old_database, database_url, tmp_path
):
    installation = Installation(
        tmp_path, UKETSUKE_DATABASE_URL=database_url, UKETSUKE_SECRET_KEY=SECRET.decode()
    )
    installation.environ["UKETSUKE_FAULT_POINT"] = "mid_migration:kill"
    killed = installation.run("migrate", seconds=900)
    before = read_state(database_url)
    refused = installation.run("event", "list")
    del installation.environ["UKETSUKE_FAULT_POINT"]
    done = installation.run("migrate", seconds=900)
    after = read_state(database_url)

    assert killed.returncode == -signal.SIGKILL
    assert before == ("0001", [ROWS] * 3, None), "nothing of it is left, nor anything lost"
    assert refused.stderr == (
        "Error: The database is of an older version (schema 0001): run flask migrate.\n"
    )
    assert done.stdout.endswith("The database is of this version.\n")
    assert after == (migrate.get_head(), [ROWS] * 3, ROWS)
    kept = [read_manifest(file) for file in tmp_path.glob("instance/backups/*.zip")]
    assert {(copy.schema, copy.counts["registration"]) for copy in kept} == (
        {("0001", ROWS)} if old_database.is_sqlite else set()
    )


@only_sqlite
def test_upgrade_that_fails_again_and_again_keeps_one_copy(old_database, database_url, tmp_path):
    installation = Installation(
        tmp_path, UKETSUKE_DATABASE_URL=database_url, UKETSUKE_SECRET_KEY=SECRET.decode()
    )
    folder = tmp_path / "instance" / "backups"
    installation.environ["UKETSUKE_FAULT_POINT"] = "mid_migration:kill"
    for _ in range(2):
        installation.run("migrate", seconds=900)
    [first] = folder.iterdir()
    with old_database.engine.begin() as connection:
        connection.execute(text("DELETE FROM job WHERE key = 'zoom:1'"))
    old_database.dispose()
    (folder / "before-upgrade-torn.zip").write_text("no backup")
    for _ in range(2):
        installation.run("migrate", seconds=900)

    *copies, _torn = sorted(folder.iterdir())
    assert copies[0] == first
    assert [read_manifest(file).counts["job"] for file in copies] == [ROWS, ROWS - 1]


def read_state(url):
    """Read the schema's revision, the rows of each table, and the jobs that know their event."""
    database = open_database(url)
    try:
        with database.engine.connect() as connection:
            revision = migrate.read_revision(connection)
            counts = [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
                for table in ("registration", "zoom_registrant", "job")
            ]
            with_event = (
                None
                if revision == "0001"
                else connection.execute(text("SELECT count(event_id) FROM job")).scalar()
            )
            return revision, counts, with_event
    finally:
        database.dispose()
