"""Zoom takes nobody more: the form closes, nobody jumps the queue, and it opens again."""

import threading

import pytest

from services import zoom_closings
from services.deliveries import Delivery
from services.events import EventState
from services.registrations import RegistrationNotOpen, Status
from services.retrying import retry_event
from storage import events, jobs, registrations
from tests.fixtures.databases import only_sqlite
from worker.loop import Worker

FIRST, SECOND, THIRD, FOURTH = (
    f"{word}@example.com" for word in ("first", "second", "third", "fourth")
)
RIGHT = "right@example.com"
TAKEN = (Delivery.REGISTERED, "done")
PUT_ASIDE = (Delivery.REFUSED, "parked")


def set_places(desk, count):
    desk.zoom.change_meeting(desk.event.zoom_id, capacity=count)


def go_on(desk):
    with desk.database.write() as session:
        event = events.lock_event(session, desk.event.id)
        zoom_closings.go_on(session, event, now=desk.clock())


def try_again(desk):
    """Do what publishing does."""
    go_on(desk)
    desk.work()


def wait_and_work(desk, **by):
    desk.let_pass(**by)
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


@pytest.mark.parametrize("is_known_full", [True, False])
def test_place_of_a_wrong_address_is_the_right_one_s(make_desk, is_known_full):
    """They are two people at Zoom, for whom there is one place."""
    desk = make_desk()
    set_places(desk, 1)
    desk.register(FIRST)
    desk.work()
    if is_known_full:
        desk.register(SECOND)
        desk.work()
    calls = desk.count_calls("add_registrant")
    desk.zoom.fault("set_status", status=500)

    desk.correct_address(RIGHT, FIRST)
    desk.work()
    assert list_outcomes(desk, RIGHT) == [(Delivery.WAITING, "ready")]
    wait_and_work(desk, seconds=45)

    assert list_outcomes(desk, RIGHT) == [TAKEN]
    assert desk.list_at_zoom()[FIRST] == "denied"
    wait_and_work(desk, minutes=2)
    # Where others wait the next one was tried, once: whoever is taken is a sign.
    assert desk.count_calls("add_registrant") == calls + 1 + is_known_full
    if is_known_full:
        assert list_outcomes(desk, RIGHT, SECOND) == [TAKEN, PUT_ASIDE]


def test_right_address_is_added_though_the_wrong_one_does_not_leave(make_desk):
    desk = make_desk()
    desk.register(FIRST)
    desk.work()
    desk.zoom.fault("set_status", count=None, status=500)

    desk.correct_address(RIGHT, FIRST)
    wait_and_work(desk, minutes=1)

    assert list_outcomes(desk, RIGHT) == [TAKEN]


def press_in_the_overview(desk):
    with desk.database.write() as session:
        retry_event(session, desk.event, now=desk.clock())


def press_in_the_list(desk):
    assert desk.try_again(SECOND, THIRD) == {"in_turn": 2}


@pytest.mark.parametrize("press", [press_in_the_overview, press_in_the_list])
def test_organizer_who_tries_all_again_uses_up_nobodys_day_at_zoom(full, press):
    """Zoom takes three adds a day for each person: all at once would take one from each."""
    calls = full.count_calls("add_registrant")

    press(full)
    full.work()

    assert full.count_calls("add_registrant") == calls + 1
    assert list_outcomes(full, SECOND, THIRD) == [PUT_ASIDE, PUT_ASIDE]

    set_places(full, 10)
    press(full)
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


def test_place_given_back_while_somebody_else_is_refused_is_theirs(make_desk):
    """SECOND is refused, and the form closes, while Zoom is busy with letting FIRST go."""
    desk = make_desk()
    set_places(desk, 1)
    desk.register(FIRST)
    desk.work()
    desk.cancel(FIRST)
    desk.zoom.fault("set_status", delay_before=3.0)
    leaving = threading.Thread(target=desk.work)
    leaving.start()
    desk.wait_for_fault()
    desk.register(SECOND)

    desk.make_worker().drain()
    leaving.join()

    assert desk.count_calls("add_registrant") == 3
    assert (list_outcomes(desk, SECOND), read_closing(desk)) == ([TAKEN], "")


def work_until_asked(desk, *, adds):
    """Have a worker go on until Zoom has done so many adds: the last one's answer is on its way."""
    desk.zoom.fault("add_registrant", delay_after=2.0)
    work = threading.Thread(target=desk.work)
    work.start()
    desk.wait_for_calls("add_registrant", adds)
    return work


def cancel(desk):
    desk.cancel(FIRST)


def erase(desk):
    desk.erase(FIRST)


@pytest.mark.parametrize("leave", [cancel, erase])
def test_place_given_back_before_the_form_is_closed_is_theirs(make_desk, leave):
    """FIRST is gone before the answer comes that SECOND got: whoever stored it saw it open."""
    desk = make_desk()
    set_places(desk, 1)
    desk.register(FIRST)
    desk.work()
    desk.register(SECOND)
    refused = work_until_asked(desk, adds=2)

    leave(desk)
    desk.make_worker().drain()
    assert list_outcomes(desk, FIRST) == [(Delivery.WITHDRAWN, "done")]
    refused.join()

    assert (list_outcomes(desk, SECOND), read_closing(desk)) == ([TAKEN], "")


def test_refusal_that_comes_after_the_event_was_published_again_is_tried_again(make_desk):
    desk = make_desk()
    set_places(desk, 0)
    desk.register(FIRST)
    refused = work_until_asked(desk, adds=1)

    set_places(desk, 10)
    desk.let_pass(seconds=1)
    desk.change_event(updated_at=desk.clock())
    refused.join()

    assert (list_outcomes(desk, FIRST), read_closing(desk)) == ([TAKEN], "")


def test_lost_answer_to_who_is_tried_again_holds_up_nobody(full):
    set_places(full, 10)
    full.zoom.fault("add_registrant", does="close", when="after")

    try_again(full)
    for _ in range(3):
        wait_and_work(full, minutes=1)

    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, TAKEN]
    assert full.list_effects(SECOND) == ["add"]
    assert read_closing(full) == ""


def test_who_cancels_when_it_is_their_turn_holds_up_nobody(full):
    set_places(full, 10)
    go_on(full)

    full.cancel(SECOND)
    full.work()

    assert list_outcomes(full, SECOND, THIRD) == [(Delivery.WITHDRAWN, "done"), TAKEN]


def test_who_was_tried_too_often_today_holds_up_nobody(full):
    for _ in range(2):
        try_again(full)
    set_places(full, 10)

    try_again(full)
    wait_and_work(full, minutes=1)
    assert list_outcomes(full, SECOND, THIRD) == [(Delivery.WAITING, "ready"), TAKEN]

    wait_and_work(full, days=1)
    assert list_outcomes(full, SECOND) == [TAKEN]
    assert full.list_mails().count("refused") == 2


def test_whatever_comes_between_two_refusals_the_second_is_no_news(full):
    full.zoom.fault("add_registrant", status=429, email=SECOND)
    try_again(full)
    assert list_outcomes(full, SECOND) == [(Delivery.WAITING, "ready")]

    wait_and_work(full, minutes=5)

    assert list_outcomes(full, SECOND) == [PUT_ASIDE]
    assert full.list_mails().count("refused") == 2


def test_who_is_denied_when_it_is_their_turn_holds_up_nobody(make_desk):
    desk = make_desk(has_waitlist=True, approval="manual")
    set_places(desk, 1)
    for email in (FIRST, SECOND):
        desk.register(email)
        desk.approve(email)
        desk.work()
    desk.register(THIRD)
    desk.register(FOURTH)
    set_places(desk, 10)
    try_again(desk)
    assert (read_status(desk, THIRD), read_status(desk, FOURTH)) == ("pending", "waitlisted")

    desk.deny(THIRD)
    wait_and_work(desk, minutes=1)

    assert read_status(desk, FOURTH) == "pending"


def test_worker_that_dies_while_it_goes_on_is_followed_by_the_next(full):
    set_places(full, 10)
    go_on(full)
    zoom_lane = full.make_worker()._lanes[0]
    Worker(full.database, [zoom_lane], read_clock=full.clock).drain()
    with full.database.write() as session:
        now = full.clock()
        assert jobs.claim(session, kinds=["places"], owner="dead", lease_seconds=60, now=now)
    full.work()
    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, PUT_ASIDE]

    wait_and_work(full, minutes=2)
    assert (list_outcomes(full, THIRD), read_closing(full)) == ([TAKEN], "")


def test_whoever_leaves_makes_way_at_once_while_another_is_tried(full):
    """Each place is one more: an outage of the one who is tried must not hold up the next."""
    go_on(full)
    full.cancel(FIRST)
    full.zoom.fault("add_registrant", status=429, email=SECOND)

    full.work()

    assert list_outcomes(full, SECOND, THIRD) == [(Delivery.WAITING, "ready"), TAKEN]


def press_try_again(desk, email=SECOND):
    desk.retry(email)


def correct_name(desk):
    desk.rename("Suzuki", SECOND)


@pytest.mark.parametrize("try_one", [press_try_again, correct_name])
def test_whoever_is_tried_by_hand_and_taken_is_followed_by_the_others(full, try_one):
    set_places(full, 10)
    full.let_pass(seconds=1)

    try_one(full)
    full.work()

    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, TAKEN]
    assert read_closing(full) == ""


def test_who_is_taken_the_next_day_is_followed_by_the_others(full):
    for _ in range(3):
        try_again(full)
        wait_and_work(full, minutes=2)
    assert list_outcomes(full, SECOND, THIRD) == [(Delivery.WAITING, "ready"), PUT_ASIDE]
    set_places(full, 10)

    wait_and_work(full, days=1)

    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, TAKEN]
    assert read_closing(full) == ""


def test_who_comes_back_and_is_taken_by_hand_is_followed_by_the_others(make_desk):
    """Zoom has FIRST as denied: they are not added, but approved."""
    desk = make_desk()
    set_places(desk, 1)
    desk.register(FIRST)
    desk.work()
    desk.cancel(FIRST)
    desk.work()
    desk.register(SECOND)
    desk.work()
    desk.register_again(FIRST)
    desk.register(THIRD)
    desk.work()
    assert list_outcomes(desk, FIRST, SECOND, THIRD) == [PUT_ASIDE, TAKEN, PUT_ASIDE]
    set_places(desk, 10)
    desk.let_pass(seconds=1)

    press_try_again(desk, FIRST)
    desk.work()

    assert list_outcomes(desk, FIRST, THIRD) == [TAKEN, TAKEN]
    assert read_closing(desk) == ""


@only_sqlite
def test_nobody_is_tried_again_while_zoom_gives_no_sign(full):
    calls = full.count_calls("add_registrant")

    full.cancel(THIRD)
    for _ in range(3):
        wait_and_work(full, minutes=2)
    wait_and_work(full, days=1)

    assert full.count_calls("add_registrant") == calls
    assert read_closing(full) == "AtCapacity"


@only_sqlite
def test_add_that_was_under_way_when_the_form_closed_has_nobody_tried(make_desk):
    desk = make_desk()
    set_places(desk, 1)
    desk.register(FIRST)
    taken = work_until_asked(desk, adds=1)
    desk.register(SECOND)

    desk.make_worker().drain()
    taken.join()
    wait_and_work(desk, minutes=2)

    assert list_outcomes(desk, FIRST, SECOND) == [TAKEN, PUT_ASIDE]
    assert desk.count_calls("add_registrant") == 2
