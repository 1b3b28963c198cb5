"""Bringing a database to this version's schema."""

from contextlib import suppress

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from services.events import LinkPolicy
from services.registrations import register
from storage import jobs, migrate
from storage.models import Base
from tests import factories
from tests.fixtures.databases import only_sqlite, open_database
from tests.races import run_processes

UPGRADE = """
import sys
from storage import migrate
from tests.fixtures.databases import open_database
database = open_database(sys.argv[1])
migrate.upgrade(database)
print(migrate.is_current(database))
"""


@pytest.fixture
def empty_url(databases):
    url = databases.make_empty()
    yield url
    databases.drop(url)


@pytest.fixture
def empty(empty_url):
    database = open_database(empty_url)
    yield database
    database.dispose()


def test_empty_database_gets_every_table(empty):
    assert not migrate.is_current(empty)

    migrate.upgrade(empty)

    assert migrate.is_current(empty)
    tables = set(inspect(empty.engine).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}


def test_migrations_and_models_agree(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


def test_upgrade_of_a_current_database_changes_nothing(database):
    with database.write() as session:
        session.execute(text("INSERT INTO rate_bucket (name, full_at) VALUES ('a', 1)"))

    migrate.upgrade(database)

    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM rate_bucket")) == 1


def test_four_upgrades_at_once_all_succeed(empty_url):
    assert run_processes(UPGRADE, empty_url) == ["True"] * 4


def test_database_of_a_newer_version_is_refused(database):
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(migrate.DatabaseTooNew, match="9999"):
        migrate.upgrade(database)

    with database.engine.connect() as connection:
        assert migrate.read_revision(connection) == "9999"


def test_failed_upgrade_leaves_nothing_behind(empty):
    with empty.write() as session:
        session.execute(text("CREATE TABLE submission (id INTEGER)"))

    with pytest.raises(Exception, match="submission"):
        migrate.upgrade(empty)

    assert inspect(empty.engine).get_table_names() == ["submission"]


@only_sqlite
@pytest.mark.parametrize("is_blocked", [False, True], ids=["done", "failed"])
def test_foreign_keys_hold_again_after_an_upgrade(empty, is_blocked):
    if is_blocked:
        with empty.write() as session:
            session.execute(text("CREATE TABLE submission (id INTEGER)"))

    with suppress(OperationalError):
        migrate.upgrade(empty)

    with empty.read() as session:
        assert session.scalar(text("PRAGMA foreign_keys")) == 1


def test_open_jobs_of_an_older_database_learn_their_event(database):
    with database.write() as session:
        event = factories.make_event(session)
        submission = factories.make_submission(event)
        register(session, event, submission, policy=LinkPolicy.SHOW, now=factories.NOW)
        jobs.enqueue(
            session,
            kind="zoom.settle",
            key=f"settle:{event.id}",
            payload={},
            run_at=factories.NOW,
            now=factories.NOW,
        )
    with migrate._exclusive(database) as connection:
        command.downgrade(migrate._configure(connection), "0001")

    migrate.upgrade(database)

    with database.read() as session:
        found = jobs.list_jobs(session, states=["ready"], limit=10)
        assert {job.kind: job.event_id for job in found} == dict.fromkeys(
            ("zoom.sync", "zoom.settle", "mail"), event.id
        )
