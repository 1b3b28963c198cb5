"""Zoom takes nobody more: the form closes, nobody jumps the queue, and it opens again."""

import pytest

from services import zoom_closings
from services.deliveries import Delivery
from services.events import EventState
from services.registrations import RegistrationNotOpen, Status
from services.retrying import retry_event
from storage import events, registrations
from tests.fixtures.databases import only_sqlite

FIRST, SECOND, THIRD, FOURTH = (
    f"{word}@example.com" for word in ("first", "second", "third", "fourth")
)
TAKEN = (Delivery.REGISTERED, "done")
PUT_ASIDE = (Delivery.REFUSED, "parked")


def set_places(desk, count):
    desk.zoom.change_meeting(desk.event.zoom_id, capacity=count)


def try_again(desk):
    """Do what publishing does."""
    with desk.database.write() as session:
        event = events.lock_event(session, desk.event.id)
        zoom_closings.go_on(session, event, now=desk.clock())
    desk.work()


def read_closing(desk):
    with desk.database.read() as session:
        return events.need_event(session, desk.event.id).closed_by_zoom


def read_status(desk, email):
    with desk.database.read() as session:
        person = registrations.get_registration_by_email_key(session, desk.event.id, email)
        return person.status


def list_outcomes(desk, *people):
    return [(desk.read(email).delivery, desk.read_job(email).state) for email in people]


@pytest.fixture
def full(make_desk):
    """A desk whose event has one place at Zoom, for which three people came."""
    desk = make_desk()
    set_places(desk, 1)
    for email in (FIRST, SECOND, THIRD):
        desk.register(email)
    desk.work()
    return desk


def test_full_at_zoom_takes_nobody_here(full):
    assert list_outcomes(full, FIRST, SECOND, THIRD) == [TAKEN, PUT_ASIDE, PUT_ASIDE]

    with pytest.raises(RegistrationNotOpen) as refusal:
        full.register(FOURTH)

    assert (refusal.value.state, read_closing(full)) == (EventState.FULL, "AtCapacity")


def test_place_that_is_given_back_goes_to_who_was_refused_first(full):
    full.cancel(FIRST)
    full.work()

    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, PUT_ASIDE]
    assert read_closing(full) == "AtCapacity"


def test_organizer_who_tries_all_again_uses_up_nobodys_day_at_zoom(full):
    """Zoom takes three adds a day for each person: all at once would take one from each."""
    calls = full.count_calls("add_registrant")

    with full.database.write() as session:
        retry_event(session, full.event, now=full.clock())
    full.work()

    assert full.count_calls("add_registrant") == calls + 1
    assert list_outcomes(full, SECOND, THIRD) == [PUT_ASIDE, PUT_ASIDE]

    set_places(full, 10)
    with full.database.write() as session:
        retry_event(session, full.event, now=full.clock())
    full.work()
    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, TAKEN]


def test_once_there_are_places_all_are_taken_and_the_form_opens(full):
    set_places(full, 10)

    try_again(full)

    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, TAKEN]
    assert read_closing(full) == ""
    full.register(FOURTH)
    full.work()
    assert list_outcomes(full, FOURTH) == [TAKEN]


@only_sqlite
def test_trying_too_early_costs_one_person_one_call(full):
    before = full.count_calls("add_registrant")

    try_again(full)

    assert full.count_calls("add_registrant") == before + 1
    assert read_closing(full) == "AtCapacity"


def test_who_comes_later_waits_for_a_seat_where_the_event_has_a_list(make_desk):
    desk = make_desk(has_waitlist=True)
    set_places(desk, 1)
    for email in (FIRST, SECOND):
        desk.register(email)
    desk.work()
    desk.register(THIRD)
    desk.register(FOURTH)
    assert (read_status(desk, THIRD), read_status(desk, FOURTH)) == (Status.WAITLISTED,) * 2

    set_places(desk, 3)
    try_again(desk)

    assert list_outcomes(desk, FIRST, SECOND, THIRD) == [TAKEN] * 3
    assert (read_status(desk, FOURTH), read_closing(desk)) == (Status.APPROVED, "AtCapacity")

    set_places(desk, 4)
    try_again(desk)
    assert list_outcomes(desk, FOURTH) == [TAKEN]
    assert read_closing(desk) == ""
