"""The worker as it is in operation."""

import threading

import pytest

from tests.fixtures.databases import only_sqlite


@only_sqlite
@pytest.mark.parametrize("number", [1, 64])
def test_pool_keeps_a_connection_for_each_thread_of_a_worker(start_site, number):
    site = start_site(worker_threads=number)
    others = set(threading.enumerate())
    site.start_worker()

    connections = site.database.engine.pool.size()
    site.wait_until(lambda: len(set(threading.enumerate()) - others) == connections)
