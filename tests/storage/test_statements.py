"""Statements that go to the driver as text: same values, same errors, as by SQLAlchemy."""

from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from storage.models import Job, RateBucket
from storage.session import may_pass
from storage.statements import CURSORS, Statement, table_of
from tests.fixtures.databases import only_postgresql

NOW = datetime(2026, 11, 27, 9, 30, 15, 250_000, tzinfo=UTC)
JOB = {
    "kind": "mail",
    "key": "mail:1",
    "payload": {"名": ["太郎", 1]},
    "run_at": NOW,
    "created_at": NOW,
    "updated_at": NOW,
}
INSERT_JOB = Statement(lambda _: insert(table_of(Job)).returning(Job.id))
SELECT_JOB = Statement(
    lambda _: select(*table_of(Job).c).where(table_of(Job).c.key == bindparam("key"))
)
INSERT_BUCKET = Statement(lambda _: insert(table_of(RateBucket)))
DELAY = Statement(
    lambda _: (
        update(table_of(Job)).where(Job.key == bindparam("which")).values(run_at=bindparam("until"))
    )
)
END_CONNECTION = Statement(lambda _: text("SELECT pg_terminate_backend(pg_backend_pid())"))


def add_job(database):
    with database.write() as session:
        return INSERT_JOB.fetch(session, JOB)


def test_values_come_back_as_they_went_in(database):
    (job_id,) = add_job(database)

    with database.read() as session:
        names = [column.name for column in table_of(Job).c]
        row = dict(zip(names, SELECT_JOB.fetch(session, {"key": "mail:1"}), strict=True))
        job = session.get(Job, job_id)

    assert row == {name: getattr(job, name) for name in names}
    assert (row["payload"], row["run_at"]) == (JOB["payload"], NOW)


def test_what_an_insert_leaves_out_is_the_models_default(database):
    add_job(database)

    with database.read() as session:
        job = session.scalar(select(Job))

    assert (job.state, job.generation, job.attempts, job.reason) == ("ready", 1, 0, "")


def test_one_row_is_read_without_a_transaction(database):
    add_job(database)

    row = database.fetch(SELECT_JOB, {"key": "mail:1"})

    assert NOW in row
    assert database.fetch(SELECT_JOB, {"key": "another"}) is None


def test_changes_are_counted_and_belong_to_the_transaction(database):
    add_job(database)
    later = datetime(2027, 1, 1, tzinfo=UTC)

    with pytest.raises(ZeroDivisionError), database.write() as session:
        assert DELAY.change(session, {"which": "mail:1", "until": later}) == 1
        assert DELAY.change(session, {"which": "another", "until": later}) == 0
        raise ZeroDivisionError

    with database.read() as session:
        assert session.scalar(select(Job.run_at)) == NOW


def test_errors_are_sqlalchemys_and_show_nothing_that_was_typed(database):
    bucket = {"name": "taro@example.com", "full_at": 0.0}

    with pytest.raises(IntegrityError) as caught, database.write() as session:
        INSERT_BUCKET.insert_all(session, [bucket, bucket])

    assert not may_pass(caught.value)
    assert "taro" not in str(caught.value).split("DETAIL")[0]
    with database.read() as session:
        assert session.scalar(select(RateBucket.name)) is None


def test_a_statement_that_cannot_be_run_says_so(database):
    broken = Statement(lambda _: text("SELECT nothing FROM nowhere"))

    with pytest.raises((OperationalError, ProgrammingError)):
        database.fetch(broken, {})


def test_a_list_of_any_length_is_refused_at_once(database):
    statement = Statement(lambda _: select(Job.id).where(Job.key.in_(["a", "b"])))

    with pytest.raises(ValueError, match="fixed shape"), database.read() as session:
        statement.fetch(session, {})


@only_postgresql
@pytest.mark.parametrize("opens", ["read", "write"])
def test_a_lost_connection_is_replaced(database, opens):
    add_job(database)
    with pytest.raises(OperationalError) as caught, getattr(database, opens)() as session:
        END_CONNECTION.fetch(session, {})

    assert may_pass(caught.value)
    assert database.fetch(SELECT_JOB, {"key": "mail:1"}) is not None


@only_postgresql
def test_one_request_notices_that_the_server_was_started_anew(database):
    """Not one for each connection that idled meanwhile."""
    with database.read() as first, database.read() as second, database.read() as third:
        for session in (first, second, third):
            session.execute(text("SELECT 1"))
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(False)) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    with pytest.raises(OperationalError) as caught:
        database.fetch(SELECT_JOB, {"key": "mail:1"})

    assert may_pass(caught.value)
    for _ in range(5):
        assert database.fetch(SELECT_JOB, {"key": "mail:1"}) is None


@only_postgresql
def test_a_connection_keeps_a_cursor_for_each_of_some_statements(database):
    add_job(database)
    others = [Statement(lambda _, number=number: text(f"SELECT {number}")) for number in range(50)]

    with database.read() as session:
        SELECT_JOB.fetch(session, {"key": "mail:1"})
        cursors = session.pooled.info["cursors"]
        first = dict(cursors)
        read = [others[0].fetch(session, {}), SELECT_JOB.fetch(session, {"key": "mail:1"})]
        assert first.items() < cursors.items()
        assert NOW in read[1]
        assert [other.fetch(session, {}) for other in others] == [(n,) for n in range(50)]

    assert len(cursors) <= CURSORS < 50


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_are_inserted_by_one_statement(database, count):
    buckets = [{"name": f"bucket {number}", "full_at": number / 2} for number in range(count)]

    with database.write() as session:
        INSERT_BUCKET.insert_all(session, buckets)

    with database.read() as session:
        rows = session.execute(select(RateBucket.name, RateBucket.full_at))
        assert sorted(rows) == [(bucket["name"], bucket["full_at"]) for bucket in buckets]
