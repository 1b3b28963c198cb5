"""Idle workers notice new work."""

import threading
import time
from contextlib import ExitStack, closing

from storage import job_requests
from storage.session import SPARE_CONNECTIONS
from storage.wakeup import make_waker
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql, open_database


def enqueue(database):
    with database.write() as session:
        job_requests.enqueue(session, kind="mail", key="mail:1", payload={}, run_at=NOW, now=NOW)


LONG_SECONDS = 60


def measure_wait(waker, seconds, stop=None):
    began = time.monotonic()
    waker.wait(seconds, stop or threading.Event())
    return time.monotonic() - began


def test_commit_of_another_process_ends_the_wait(database_url, database):
    other = open_database(database_url)
    with closing(make_waker(database)) as waker:
        waker.wait(0.1, threading.Event())
        timer = threading.Timer(0.2, enqueue, [other])
        timer.start()
        waited = measure_wait(waker, LONG_SECONDS)
        timer.join()
    other.dispose()

    assert 0.1 < waited < LONG_SECONDS / 4


def test_wait_without_work_ends_with_its_time(database):
    with closing(make_waker(database)) as waker:
        waker.wait(0.1, threading.Event())
        assert 0.2 <= measure_wait(waker, 0.3) < 10


@only_postgresql
def test_first_wait_ends_at_once_as_nothing_was_heard_before(database):
    with closing(make_waker(database)) as waker:
        enqueue(database)
        assert measure_wait(waker, LONG_SECONDS) < LONG_SECONDS / 4


def test_stop_ends_the_wait(database):
    stop = threading.Event()
    stop.set()

    with closing(make_waker(database)) as waker:
        assert measure_wait(waker, LONG_SECONDS, stop) < LONG_SECONDS / 4


def test_waker_tells_whether_there_may_be_work(database):
    with closing(make_waker(database)) as waker:
        waker.wait(0.1, threading.Event())
        assert not waker.wait(0.1, threading.Event())
        enqueue(database)
        assert waker.wait(LONG_SECONDS, threading.Event())


def test_waker_waits_where_no_connection_is_left_and_goes_on_later(database, monkeypatch):
    pool = database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.1)
    with closing(make_waker(database)) as waker:
        with ExitStack() as others:
            for _ in range(pool.size() + SPARE_CONNECTIONS):
                others.enter_context(closing(database.engine.raw_connection()))
            assert not waker.wait(0.1, threading.Event())
        assert waker.wait(0.1, threading.Event())


def test_lost_connection_is_made_anew(postgresql_databases):
    database = open_database(postgresql_databases.make_migrated())
    with closing(make_waker(database)) as waker:
        waker.wait(0.1, threading.Event())
        postgresql_databases.cluster.stop("immediate")
        waker.wait(0.1, threading.Event())
        postgresql_databases.cluster.start()
        waker.wait(0.1, threading.Event())
        timer = threading.Timer(0.2, enqueue, [database])
        timer.start()
        waited = measure_wait(waker, LONG_SECONDS)
        timer.join()
    database.dispose()

    assert waited < LONG_SECONDS / 4
