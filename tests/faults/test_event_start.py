"""F29: the event begins, and everybody opens the join page and presses its button at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import requests
from sqlalchemy import select

from services.events import LinkPolicy
from services.registrations import register
from storage.models import Registration, ZoomRegistrant
from storage.zoom_registrants import write_join_url
from tests import factories
from tests.fixtures.databases import only_sqlite
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
