"""Transactions: what is kept, what is not, and who waits for whom."""

import threading
from contextlib import nullcontext, suppress

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from storage.models import RateBucket
from tests.fixtures.databases import only_sqlite
from tests.races import race

LIMIT = 10


def add_bucket(session, name):
    session.execute(insert(RateBucket).values(name=name, full_at=0))


def count_buckets(database):
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(RateBucket))


def add_if_few(session):
    """Count, then insert: right only if nobody else can come in between."""
    taken = session.scalar(select(func.count()).select_from(RateBucket))
    if taken >= LIMIT:
        return False
    add_bucket(session, f"{threading.get_ident()}-{taken}")
    return True


def test_write_is_kept(database):
    with database.write() as session:
        add_bucket(session, "a")

    assert count_buckets(database) == 1


def test_reading_takes_a_connection_when_something_is_first_read(database):
    pool = database.engine.pool
    with database.read() as session:
        before = pool.checkedout()
        session.scalar(select(func.count()).select_from(RateBucket))
        meanwhile = pool.checkedout()

    assert (before, meanwhile, pool.checkedout()) == (0, 1, 0)


def test_write_that_fails_is_undone_whole(database):
    with pytest.raises(IntegrityError), database.write() as session:
        add_bucket(session, "a")
        add_bucket(session, "a")

    assert count_buckets(database) == 0


def test_write_whose_error_was_passed_over_is_kept_or_fails(database):
    """SQLite undoes the one statement; PostgreSQL would undo all, and say so to nobody."""
    expected = nullcontext() if database.is_sqlite else pytest.raises(RuntimeError)
    with expected, database.write() as session:
        add_bucket(session, "a")
        with suppress(IntegrityError):
            add_bucket(session, "a")

    assert count_buckets(database) == (1 if database.is_sqlite else 0)


def test_failed_write_frees_the_database(database):
    with pytest.raises(ZeroDivisionError), database.write():
        raise ZeroDivisionError
    with database.write() as session:
        add_bucket(session, "a")

    assert count_buckets(database) == 1


def test_reader_does_not_wait_for_a_writer(database):
    with database.write() as session:
        add_bucket(session, "a")
        session.flush()

        assert count_buckets(database) == 0


def test_error_does_not_show_parameters(database):
    with pytest.raises(IntegrityError) as caught, database.write() as session:
        add_bucket(session, "taro@example.com")
        add_bucket(session, "taro@example.com")

    assert "INSERT INTO rate_bucket" in str(caught.value)
    assert "[SQL parameters hidden" in str(caught.value)


@only_sqlite
def test_file_is_set_up_to_lose_nothing(database):
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    with database.read() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in names]

    assert pragmas == ["wal", 2, 1, 1]


@only_sqlite
def test_writers_at_once_never_exceed_a_limit(database_url, database):
    def work(own):
        added = 0
        for _ in range(LIMIT):
            with own.write() as session:
                added += add_if_few(session)
        return added

    added = race(database_url, work)

    assert sum(added) == count_buckets(database) == LIMIT


@only_sqlite
def test_plain_transactions_at_once_would_fail(database_url):
    have_read = threading.Barrier(2, timeout=10)

    def work(own):
        with Session(own.engine) as session:
            taken = session.scalar(select(func.count()).select_from(RateBucket))
            have_read.wait()
            try:
                add_bucket(session, f"{threading.get_ident()}-{taken}")
                session.commit()
            except OperationalError as error:
                return str(error.orig)
        return "added"

    assert sorted(race(database_url, work, workers=2)) == ["added", "database is locked"]


@only_sqlite
def test_threads_of_one_process_write_in_turn(database):
    threads = [threading.Thread(target=write_bucket, args=(database, n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count_buckets(database) == 8


def write_bucket(database, number):
    with database.write() as session:
        add_bucket(session, str(number))
