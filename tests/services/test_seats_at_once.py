"""A seat is given back in the moment in which the organizer gives the event more of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from services.event_tasks import follow_change
from services.events import LinkPolicy
from services.registration_changes import cancel, end_for_good
from services.registrations import Status, register
from storage import events
from storage.models import Registration
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql
from tests.installation import wait_until
from tests.races import count_waiting

pytestmark = only_postgresql

SEATS, WAITING, ADDED = 2, 5, 2


def add_people(database):
    """Fill an event, and have more people wait for it; return the event's id."""
    with database.write() as session:
        event = factories.make_event(session, capacity=SEATS, has_waitlist=True)
        for number in range(SEATS + WAITING):
            sent = factories.make_submission(event, email=f"p{number}@example.com")
            register(session, event, sent, policy=LinkPolicy.SHOW, now=NOW)
        return event.id


def list_people(session):
    return session.scalars(select(Registration).order_by(Registration.id)).all()


def read_statuses(database):
    with database.read() as session:
        return [person.status for person in list_people(session)]


def give_back_while_seats_are_added(database, event_id, give_back):
    """Have the first one leave, who has read the event before the organizer's change is stored."""

    def leave():
        with database.write() as session:
            event = events.need_event(session, event_id)
            give_back(session, event, list_people(session)[0], actor="person", now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            event = events.lock_event(session, event_id)
            event.capacity = SEATS + ADDED
            session.flush()
            follow_change(session, event, now=NOW)
            left = pool.submit(leave)
            wait_until(lambda: count_waiting(database) == 1, seconds=10)
        left.result(timeout=20)


@pytest.mark.parametrize("give_back", [cancel, end_for_good])
def test_seat_given_back_while_seats_are_added_goes_to_the_next_who_waits(database, give_back):
    event_id = add_people(database)

    give_back_while_seats_are_added(database, event_id, give_back)

    moved_up = [Status.APPROVED] * (SEATS + ADDED)
    assert read_statuses(database) == [
        *(Status.CANCELLED, *moved_up),
        *[Status.WAITLISTED] * (WAITING - ADDED - 1),
    ]


def test_who_goes_by_the_event_as_it_was_gives_the_seat_to_nobody(database, monkeypatch):
    monkeypatch.setattr(events, "read_anew", events.need_event)
    event_id = add_people(database)

    give_back_while_seats_are_added(database, event_id, cancel)

    assert read_statuses(database).count(Status.APPROVED) == SEATS + ADDED - 1
