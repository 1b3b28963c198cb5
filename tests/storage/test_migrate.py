"""Bringing a database to this version's schema."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import delete, inspect, select, text, update
from sqlalchemy.exc import OperationalError

from services import attendance_records
from services.attendance_records import Counted
from services.event_dates import EventDate
from services.events import LinkPolicy
from services.held_mails import OVER_JOB
from services.registrations import Outcome, hold, register
from services.submissions import Doubt
from storage import attendance, job_lists, job_requests, migrate
from storage.models import Base, IndexMark, Job
from storage.statements import Statement
from tests import factories
from tests.fixtures.databases import only_postgresql, only_sqlite, open_database
from tests.installation import wait_until
from tests.races import run_processes

FIRST_MIGRATION = "aeb7afb76f654ea1116a1b0caa8a400a5abc4642b992725d4ad55a5a2a698f08"

UPGRADE = """
import sys
from storage import migrate
from tests.fixtures.databases import open_database
database = open_database(sys.argv[1])
migrate.upgrade(database)
print(not migrate.describe_misfit(database))
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
    assert migrate.describe_misfit(empty) == (
        f"The database {empty.place} is not set up: name another one, or run flask migrate."
    )

    migrate.upgrade(empty)

    assert migrate.describe_misfit(empty) == ""
    tables = set(inspect(empty.engine).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}


def test_migrations_and_models_agree(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


def test_columns_that_a_later_release_drops_are_missed_by_nothing(database):
    unused = {
        (mapper.local_table.name, column.name)
        for mapper in Base.registry.mappers
        for column in set(mapper.local_table.columns) - set(mapper.columns)
    }
    with database.write() as session:
        for table, column in unused:
            session.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        event = factories.make_event(session)
        date = EventDate("", event.starts_at, event.duration_minutes)
        attendance_records.ask(session, event, date, now=factories.NOW)
        record = attendance.lock_record(session, event.id, "")
        attendance_records.settle(record, Counted(), unrecognised=0, is_whole=True)

    with database.read() as session:
        [record] = attendance.list_records(session, [event.id])
    assert (unused, record.state) == ({("attendance_record", "settled_at")}, "settled")


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
        session.execute(text("UPDATE schema_fit SET oldest_revision = '9999'"))

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
        job_requests.enqueue(
            session,
            kind="zoom.settle",
            key=f"settle:{event.id}",
            payload={},
            run_at=factories.NOW,
            now=factories.NOW,
        )
    with migrate._exclusive(database) as connection:
        command.downgrade(migrate._configure(connection, None), "0001")

    migrate.upgrade(database)

    with database.read() as session:
        found = job_lists.list_jobs(session, states=["ready"], limit=10)
        assert {job.kind: job.event_id for job in found} == dict.fromkeys(
            ("zoom.sync", "zoom.settle", "mail"), event.id
        )


def test_newer_database_whose_schema_fits_is_used_as_it_is(database):
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        fits_head = {"head": migrate.get_head()}
        session.execute(text("UPDATE schema_fit SET oldest_revision = :head"), fits_head)

    migrate.upgrade(database)

    assert migrate.describe_misfit(database) == ""
    with database.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_newer_database_is_refused_with_the_next_step(database):
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        session.execute(text("UPDATE schema_fit SET oldest_revision = '9998'"))

    assert migrate.describe_misfit(database) == (
        f"The database is of a newer version of Uketsuke (schema 9999, here {migrate.get_head()}): "
        "install that version, or restore the backup from before its upgrade."
    )


def test_database_says_which_code_fits(database):
    with database.read() as session:
        oldest = session.scalar(text("SELECT oldest_revision FROM schema_fit"))

    assert oldest == migrate.find_oldest_fit()
    assert oldest <= migrate.get_head()


def test_released_migration_is_never_changed():
    """Databases exist that were made with it; whoever needs another schema adds a migration."""
    folder = Path(migrate.__file__).parent / "migrations" / "versions"
    (first,) = folder.glob("0001_*.py")

    assert sha256(first.read_bytes()).hexdigest() == FIRST_MIGRATION


def test_upgrade_waits_for_a_longer_one(empty_url):
    """Longer than anything else waits for the database."""
    folder = Path(migrate.__file__).parent / "migrations" / "versions"
    seconds = 2 / len([*folder.glob("0*.py")])
    slow = f"migrate.upgrade(database, on_step=lambda: time.sleep({seconds}))"
    code = UPGRADE.replace("migrate.upgrade(database)", slow)
    patience = "import sys, time\nfrom storage import session\nsession.BUSY_TIMEOUT_MS = 500"
    code = code.replace("import sys", patience)

    assert run_processes(code, empty_url, count=2) == ["True"] * 2


def make_old(empty):
    migrate.upgrade(empty)
    with migrate._exclusive(empty) as connection:
        command.downgrade(migrate._configure(connection, None), "0001")


@only_postgresql
def test_upgrade_keeps_nobody_waiting_for_long_while_it_waits(empty, monkeypatch):
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 1)
    monkeypatch.setattr(migrate, "_PAUSE_SECONDS", 0.2)
    make_old(empty)
    waits = []

    def read():
        before = time.monotonic()
        with empty.read() as session:
            session.execute(text("SELECT count(*) FROM zoom_registrant"))
        waits.append(time.monotonic() - before)

    with ThreadPoolExecutor() as pool:
        with empty.engine.connect() as busy, busy.begin():
            busy.execute(text("SELECT count(*) FROM zoom_registrant"))
            upgrade = pool.submit(migrate.upgrade, empty)
            until = time.monotonic() + 30
            while max(waits, default=0) <= 0.5 and time.monotonic() < until:
                read()
        upgrade.result()

    assert migrate.describe_misfit(empty) == ""
    # Where it does not step back, `read` fails: it waits for a lock for five seconds at most.
    assert max(waits) > 0.5, "it stood in the way, and stepped back"


@only_postgresql
def test_upgrade_that_postgresql_ends_for_a_deadlock_is_tried_again(empty, monkeypatch):
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 30)
    make_old(empty)
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    address = empty.url.set(drivername="postgresql").render_as_string(hide_password=False)

    with ThreadPoolExecutor() as pool, psycopg.connect(address) as other:
        # The other one is in no hurry, so that the upgrade is the one that PostgreSQL ends.
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("LOCK TABLE submission IN ACCESS SHARE MODE")
        upgrade = pool.submit(migrate.upgrade, empty)
        wait_until(lambda: other.execute(waiting).fetchone()[0] == 1)
        # The migration has changed this table, and now waits for the first one.
        other.execute("SELECT count(*) FROM zoom_registrant")
        other.rollback()
        upgrade.result()

    assert migrate.describe_misfit(empty) == ""
    wait_until(lambda: empty.fetch(Statement(lambda _: text(deadlocks)), {}) == (1,))


def test_looks_at_dates_are_due_since_they_were_put_off_to(database):
    weeks_ago = factories.NOW - timedelta(weeks=3)
    with database.write() as session:
        for kind, reason in (("zoom.dates", ""), ("zoom.dates", "failed"), ("zoom.sync", "")):
            key = f"{kind}:{reason}"
            job_requests.enqueue(
                session, kind=kind, key=key, payload={}, run_at=factories.NOW, now=weeks_ago
            )
            values = {"due_since": weeks_ago, "reason": reason}
            session.execute(update(Job).where(Job.key == key).values(values))
    with database.engine.begin() as connection:
        command.downgrade(migrate._configure(connection, None), "0044")

    migrate.upgrade(database)

    with database.read() as session:
        due = {key: since for key, since in session.execute(select(Job.key, Job.due_since))}
    assert due == {
        "zoom.dates:": factories.NOW,
        "zoom.dates:failed": weeks_ago,
        "zoom.sync:": weeks_ago,
    }


def test_organizers_hear_of_buttons_that_nobody_pressed_before_the_upgrade(database):
    with database.write() as session:
        event = factories.make_event(session)
        for nonce, doubt in (("first", Doubt.MAIL_PROOF), ("second", Doubt.TRAP)):
            sent = factories.make_submission(event, nonce=nonce)
            hold(session, event, sent, doubt, now=factories.NOW)
        session.execute(delete(Job))
    with database.engine.begin() as connection:
        command.downgrade(migrate._configure(connection, None), "0045")

    migrate.upgrade(database)

    with database.read() as session:
        [job] = session.scalars(select(Job))
        assert (job.kind, job.payload, job.event_id) == (OVER_JOB, {"event_id": event.id}, event.id)
        assert (job.key, job.run_at) == (f"{OVER_JOB}:{event.id}", factories.NOW)


def test_who_took_over_a_later_form_before_the_upgrade_is_indexed_anew(database):
    with database.write() as session:
        event = factories.make_event(session)
        for email in ("taro@example.com", "hanako@example.com"):
            sent = factories.make_submission(event, email=email)
            row = register(session, event, sent, policy=LinkPolicy.SHOW, now=factories.NOW)
        row.outcome = Outcome.SUPERSEDED
        session.execute(delete(IndexMark))
    with database.engine.begin() as connection:
        command.downgrade(migrate._configure(connection, None), "0048")

    migrate.upgrade(database)

    with database.read() as session:
        marked = session.scalars(select(IndexMark.registration_id)).all()
        assert marked == [row.registration_id]
