"""F29: the event begins, and everybody opens the join page and presses its button at once."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import create_engine, func, select, text

from services.events import LinkPolicy
from services.registrations import Status, register
from storage.models import Registration, ZoomRegistrant
from storage.zoom_registrants import write_join_url
from tests import factories
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.installation import wait_until

# As many as a process lets wait before it asks some to come back.
PEOPLE = 200
# Much longer than it takes here: other tests use the machine too.
LONGEST_SECONDS = 20


def register_all(site, people=PEOPLE):
    """Register people whom Zoom has, and return the links in their mails."""
    event = site.add_event(slug="spring", starts_at=site.clock())
    with site.database.write() as session:
        for number in range(people):
            submission = factories.make_submission(event, email=f"person{number}@example.com")
            register(session, event, submission, policy=LinkPolicy.SHOW, now=site.clock())
        session.flush()
        for registrant in session.scalars(select(ZoomRegistrant)):
            registrant.delivery, registrant.zoom_status = "registered", "approved"
            address = f"{site.sandbox.url}/w/{event.zoom_id}?tk={registrant.registration_id}"
            write_join_url(session, registrant, address)
        stored = session.scalars(select(Registration).order_by(Registration.id))
        return [urlsplit(site.parts.links.join_from_mail(person)).path for person in stored]


@pytest.mark.real_time
def test_f29_two_hundred_join_at_once_and_zoom_is_asked_nothing(site):
    paths = register_all(site)
    address = f"http://127.0.0.1:{site.start_web_processes(UKETSUKE_WEB_PROCESSES='2')}"
    barrier = threading.Barrier(PEOPLE)

    def join(path):
        barrier.wait()
        began = time.monotonic()
        opened = requests.get(address + path, timeout=LONGEST_SECONDS)
        entered = requests.post(address + path, timeout=LONGEST_SECONDS, allow_redirects=False)
        assert (opened.status_code, entered.status_code) == (200, 303)
        return entered.headers["Location"], time.monotonic() - began

    with ThreadPoolExecutor(PEOPLE) as hands:
        answers = list(hands.map(join, paths))

    assert len({link for link, _ in answers}) == PEOPLE
    assert max(seconds for _, seconds in answers) < LONGEST_SECONDS
    assert site.zoom.journal() == []
    with site.database.read() as session:
        assert set(session.scalars(select(Registration.join_clicks))) == {1}


@only_sqlite
def test_who_joins_at_once_shares_a_commit_and_leaves_forms_in_memory(site):
    ends: list[str] = []
    database, queue = site.database, site.database._write_queue
    paths = register_all(site, people=3)
    with ThreadPoolExecutor(len(paths)) as hands:
        with database.write(is_shown=False) as session:
            shown, driver = database.changes, session.pooled.driver_connection
            joining = [
                hands.submit(requests.post, site.url + path, allow_redirects=False)
                for path in paths
            ]
            wait_until(lambda: queue.count_waiting() == len(paths))
            driver.set_trace_callback(ends.append)
        statuses = [joined.result().status_code for joined in joining]
        driver.set_trace_callback(None)

    assert statuses == [303] * len(paths)
    assert ends.count("COMMIT") == 2, "of who was before them, and theirs"
    assert database.changes == shown
    with database.read() as session:
        assert session.scalars(select(Registration.join_clicks)).all() == [1] * len(paths)


def press(site, path):
    return requests.post(site.url + path, timeout=60, allow_redirects=False)


def read_clicks(site):
    """Return of each person how often they pressed, and whether their address is proven by it."""
    columns = Registration.join_clicks, Registration.proven_at.is_not(None)
    with site.database.read() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(Registration.id))]


@contextmanager
def held(site):
    """Hold what a click would change, as another program does that writes, or forgets to end."""
    if site.database.is_sqlite:
        with closing(sqlite3.connect(site.database.url.database)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.rollback()
        return
    engine = create_engine(site.database.url)
    with engine.connect() as other:
        other.execute(text("UPDATE registration SET join_clicks = 7"))
        yield
        other.rollback()
    engine.dispose()


def test_f17_who_joins_waits_two_seconds_for_a_lock_and_those_behind_them_not_even_that(site):
    paths = register_all(site, people=12)
    with held(site):
        began = time.monotonic()
        answers = [press(site, path) for path in paths]
        waited = time.monotonic() - began
    links = [answer.headers["Location"] for answer in answers]

    assert {answer.status_code for answer in answers} == {303}
    assert [link.partition("tk=")[2] for link in links] == [str(n + 1) for n in range(12)]
    assert waited < 12, "two seconds for the first, and a tenth for each of the others"
    assert read_clicks(site) == [(0, False)] * 12

    assert press(site, paths[0]).status_code == 303
    assert read_clicks(site)[0] == (1, True), "who presses later is counted as ever"


@only_sqlite
def test_who_may_not_join_is_let_in_by_no_lock(site):
    cancelled, moved = register_all(site, people=2)
    with site.database.write() as session:
        first, second = session.scalars(select(Registration).order_by(Registration.id))
        first.status = Status.CANCELLED
        second.link_version += 1
    with held(site):
        refused, unknown = press(site, cancelled), press(site, moved)

    assert (refused.status_code, unknown.status_code) == (200, 404)
    assert "tk=" not in refused.text + unknown.text


@only_postgresql
def test_f20_server_that_takes_no_write_lets_everybody_join(site, caplog):
    """As one that stands by does, or one whose disk its operator has closed to writes."""
    paths = register_all(site, people=3)
    with site.database.write() as session:
        name = session.scalar(select(func.current_database()))
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    site.database.dispose()

    answers = [press(site, path) for path in paths]

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 3
    assert caplog.messages.count("somebody joins whose click is not recorded") == 3
    assert read_clicks(site) == [(0, False)] * 3
