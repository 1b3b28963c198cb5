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

# As many as a process lets wait before it asks some to come back.
PEOPLE = 200
# Much longer than it takes here: other tests use the machine too.
LONGEST_SECONDS = 20


def register_all(site):
    """Register people whom Zoom has, and return the links in their mails."""
    event = site.add_event(slug="spring", starts_at=site.clock())
    with site.database.write() as session:
        for number in range(PEOPLE):
            submission = factories.make_submission(event, email=f"person{number}@example.com")
            register(session, event, submission, policy=LinkPolicy.SHOW, now=site.clock())
        session.flush()
        for registrant in session.scalars(select(ZoomRegistrant)):
            registrant.delivery, registrant.zoom_status = "registered", "approved"
            address = f"{site.sandbox.url}/w/{event.zoom_id}?tk={registrant.registration_id}"
            write_join_url(session, registrant, address)
        people = session.scalars(select(Registration).order_by(Registration.id))
        return [urlsplit(site.parts.links.join_from_mail(person)).path for person in people]


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
