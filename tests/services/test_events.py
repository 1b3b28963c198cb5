"""When an event takes registrations, and what it shows."""

from datetime import timedelta

import pytest

from services.events import EventState, Seats, get_state, read_definition, read_seats
from storage import events
from tests.factories import COMPANY, NOW, PRIVACY, make_event
from tests.fixtures.databases import only_sqlite, open_database

DAY = timedelta(days=1)


@only_sqlite
@pytest.mark.parametrize(
    ("members", "taken", "state"),
    [
        ({}, 0, EventState.OPEN),
        ({"status": "draft"}, 0, EventState.DRAFT),
        ({"status": "cancelled"}, 0, EventState.CANCELLED),
        ({"status": "closed"}, 0, EventState.CLOSED),
        ({"opens_at": NOW + DAY}, 0, EventState.SOON),
        ({"opens_at": NOW}, 0, EventState.OPEN),
        ({"closes_at": NOW}, 0, EventState.CLOSED),
        ({"closes_at": NOW + DAY}, 0, EventState.OPEN),
        ({"capacity": 1}, 0, EventState.OPEN),
        ({"capacity": 1}, 1, EventState.FULL),
        ({"capacity": 1, "has_waitlist": True}, 1, EventState.OPEN),
        ({"starts_at": NOW - timedelta(minutes=59)}, 0, EventState.OPEN),
        ({"starts_at": NOW - timedelta(minutes=60)}, 0, EventState.ENDED),
        ({"starts_at": NOW - DAY, "status": "cancelled"}, 0, EventState.CANCELLED),
        ({"starts_at": NOW - DAY, "status": "closed"}, 0, EventState.ENDED),
    ],
)
def test_state_follows_from_status_times_and_seats(database, members, taken, state):
    with database.write() as session:
        event = make_event(session, **members)
        events.add_counters(session, event.id, {events.SEATS: taken})

        assert get_state(event, read_seats(session, event), NOW) == state


@pytest.mark.parametrize(
    ("taken", "capacity", "left"),
    [
        (0, None, None),
        (0, 100, None),
        (90, 100, None),
        (91, 100, 9),
        (99, 100, 1),
        (100, 100, None),
    ],
)
def test_few_seats_are_told_below_a_tenth(taken, capacity, left):
    assert Seats(taken, capacity).few_left == left


@only_sqlite
def test_form_of_each_database_is_its_own(database, databases):
    other = open_database(databases.make_migrated())
    with database.write() as session:
        one = make_event(session, questions=[PRIVACY])
    with other.write() as session:
        two = make_event(session, questions=[COMPANY, PRIVACY])
    assert one.form_version_id == two.form_version_id

    with database.read() as session:
        assert read_definition(session, one.form_version_id).questions == (PRIVACY,)
    with other.read() as session:
        assert read_definition(session, two.form_version_id).questions == (COMPANY, PRIVACY)
    other.dispose()


@only_sqlite
def test_unknown_form_version_is_an_error(database):
    with database.read() as session, pytest.raises(LookupError, match="form version 7"):
        read_definition(session, 7)
