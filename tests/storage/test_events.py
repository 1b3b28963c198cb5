"""Seats and counters."""

import threading

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storage import events, known_registrants
from storage.models import EventCounter
from tests.factories import NOW, make_event
from tests.races import race

SEATS = 10


def read_seats(database, event):
    with database.read() as session:
        return events.get_counter(session, event.id, events.SEATS)


def test_seats_are_taken_until_none_is_left(database):
    with database.write() as session:
        event = make_event(session, capacity=2)
        taken = [events.take_seat(session, event.id) for _ in range(3)]

    assert taken == [True, True, False]


def test_event_without_capacity_always_has_a_seat(database):
    with database.write() as session:
        event = make_event(session)
        taken = [events.take_seat(session, event.id) for _ in range(3)]

    assert taken == [True, True, True]
    assert read_seats(database, event) == 3


def test_seat_given_back_can_be_taken(database):
    with database.write() as session:
        event = make_event(session, capacity=1)
        events.take_seat(session, event.id)
        events.give_back_seat(session, event.id)

        assert events.take_seat(session, event.id)


def test_takers_at_once_never_oversell(database_url, database):
    with database.write() as session:
        event = make_event(session, capacity=SEATS)

    def work(own):
        taken = 0
        for _ in range(SEATS):
            with own.write() as session:
                taken += events.take_seat(session, event.id)
        return taken

    assert sum(race(database_url, work)) == read_seats(database, event) == SEATS


def test_takers_that_read_first_would_oversell_or_fail(database_url, database):
    with database.write() as session:
        event = make_event(session, capacity=1)
    have_read = threading.Barrier(2, timeout=10)
    counter = (EventCounter.event_id == event.id) & (EventCounter.name == events.SEATS)

    def work(own):
        with Session(own.engine) as session:
            taken = session.scalar(select(EventCounter.value).where(counter))
            have_read.wait()
            try:
                session.execute(update(EventCounter).where(counter).values(value=taken + 1))
                session.commit()
            except OperationalError:
                return "locked"
        return "taken"

    results = sorted(race(database_url, work, workers=2))

    assert results == (["locked", "taken"] if database.is_sqlite else ["taken", "taken"])


def test_counters_add_up(database):
    with database.write() as session:
        event = make_event(session)
        events.add_counters(session, event.id, {"status:approved": 2, "status:pending": 1})
        events.add_counters(session, event.id, {"status:approved": -1})

    with database.read() as session:
        assert events.list_counters(session, event.id) == {
            "seats": 0,
            "status:approved": 1,
            "status:pending": 1,
        }


def test_each_change_of_a_form_is_a_new_version(database):
    with database.write() as session:
        event = make_event(session)
        first, version = event.form_version_id, event.version
        events.add_form_version(session, event, [], now=NOW)

    assert event.form_version_id != first
    assert event.version == version + 1
    with database.read() as session:
        assert events.get_form_version_by_number(session, event.id, 1).id == first
        assert events.get_form_version_by_number(session, event.id, 2).questions == []


def test_known_registrants_are_replaced(database):
    with database.write() as session:
        event = make_event(session)
        known_registrants.replace_hashes(session, event.id, ["a" * 64, "b" * 64, "a" * 64])
        known_registrants.replace_hashes(session, event.id, ["c" * 64])

    with database.read() as session:
        known = [known_registrants.is_known(session, event.id, [c * 64]) for c in "abc"]
    assert known == [False, False, True]
