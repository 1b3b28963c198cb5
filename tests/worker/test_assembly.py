"""The worker as it is in operation."""

import os
import threading

import pytest

from services.event_dates import read_dates
from services.zoom_pauses import record_failure
from services.zoom_refusals import EverybodyRefused
from storage import events, zoom_pauses
from storage.models import Job
from tests.factories import make_event_at_zoom
from tests.fixtures.databases import only_sqlite
from tests.series import make_series


@only_sqlite
def test_names_of_all_threads_fit_the_column_of_who_holds_a_job(start_site):
    worker = start_site(worker_threads=64).build_worker()
    owners = [name for lane in worker._lanes for name in worker._list_owners(lane)]
    # As long as a number of a process may be; SQLite would take longer names, too.
    longest = max(map(len, owners)) - len(str(os.getpid())) + len("4194304")
    assert longest <= Job.owner.type.length


@only_sqlite
@pytest.mark.parametrize("number", [1, 64])
def test_pool_keeps_a_connection_for_each_thread_of_a_worker(start_site, number):
    site = start_site(worker_threads=number)
    others = set(threading.enumerate())
    site.start_worker()

    connections = site.database.engine.pool.size()
    site.wait_until(lambda: len(set(threading.enumerate()) - others) == connections)


@only_sqlite
def test_worker_that_looks_moves_series_on_without_zoom(start_site):
    site = start_site()
    with site.database.write() as session:
        series = make_series(session, site.zoom, now=site.clock(), slug="course")
    site.stop_zoom()
    site.let_pass(days=7, hours=2)

    site.build_worker().look()

    with site.database.read() as session:
        found = events.get_event_by_slug(session, "course")
        assert found.starts_at == read_dates(series)[1].starts_at


@only_sqlite
def test_worker_that_looks_ends_a_pause_at_which_nobody_waits(start_site):
    site = start_site()
    with site.database.write() as session:
        event = make_event_at_zoom(session, site.zoom, now=site.clock())
        zoom_pauses.lock_event(session, event.id, now=site.clock()).refused_in_a_row = 3
        refused = EverybodyRefused("Restricted.")
        record_failure(session, "account", event.id, refused, now=site.clock())
    site.let_pass(minutes=1)

    site.build_worker().look()

    with site.database.read() as session:
        assert zoom_pauses.list_paused_events(session) == []
