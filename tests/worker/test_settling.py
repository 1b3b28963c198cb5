"""Adds of unknown outcome are settled by looking, never by trying again blindly."""

import threading
from datetime import timedelta

import pytest

from services.deliveries import Delivery
from storage import job_requests, jobs
from tests.fixtures.databases import only_sqlite
from tests.worker.desk import TARO

LISTS = ["approved", "denied", "pending"]


def lose_answers(desk, *, when, count=1, delay=0.0):
    desk.zoom.fault("add_registrant", does="close", when=when, count=count, delay_before=delay)


def test_person_whom_zoom_took_is_found(desk):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    assert desk.read_link() is None

    desk.let_pass(seconds=4)
    desk.work()

    registrant = desk.read()
    assert (registrant.delivery, registrant.attempt_started_at) == (Delivery.REGISTERED, None)
    assert desk.read_link() is not None
    assert desk.find_settling().state == "done"
    assert desk.list_effects() == ["add"]


@pytest.mark.parametrize(
    ("done_at_zoom", "effects"),
    [("deny", ["add", "approve"]), ("cancel", ["add", "approve"])],
)
@only_sqlite
def test_person_is_found_in_every_list(desk, done_at_zoom, effects):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    desk.zoom.change_registrant(desk.event.zoom_id, TARO, done_at_zoom)

    desk.let_pass(seconds=4)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_effects() == effects


@only_sqlite
def test_person_waiting_for_approval_at_zoom_is_found(make_desk):
    desk = make_desk(kind="webinar")
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    assert desk.list_at_zoom() == {TARO: "pending"}

    desk.let_pass(seconds=4)
    desk.work()

    assert desk.list_at_zoom() == {TARO: "approved"}
    assert desk.list_effects() == ["add", "approve"]


def test_two_looks_a_minute_apart_come_before_another_add(desk):
    desk.register()
    lose_answers(desk, when="before")
    desk.work()

    desk.let_pass(seconds=4)
    desk.work()
    assert desk.count_calls("list_registrants") == len(LISTS)
    assert (desk.read().missed_looks, desk.count_calls("add_registrant")) == (1, 1)
    desk.let_pass(seconds=55)
    desk.work()
    assert desk.count_calls("list_registrants") == len(LISTS), "it is too early for the second"
    desk.let_pass(seconds=10)
    desk.work()

    assert desk.count_calls("list_registrants") == 2 * len(LISTS)
    assert desk.count_calls("add_registrant") == 2
    assert desk.list_effects() == ["add"]
    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_person_who_appears_between_the_looks_is_not_added_again(desk):
    desk.register()
    lose_answers(desk, when="before")
    desk.work()
    desk.let_pass(seconds=4)
    desk.work()

    desk.zoom.add_registrant(desk.event.zoom_id, TARO)  # Zoom's lists came late
    desk.let_pass(seconds=65)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.count_calls("add_registrant") == 1


def test_one_walk_settles_everybody(desk):
    people = [f"person{number}@example.com" for number in range(4)]
    for email in people:
        desk.register(email)
    lose_answers(desk, when="after", count=len(people))
    desk.work()

    desk.let_pass(seconds=4)
    desk.work()

    assert desk.count_calls("list_registrants") == len(LISTS)
    assert {desk.read(email).delivery for email in people} == {Delivery.REGISTERED}
    assert {tuple(desk.list_effects(email)) for email in people} == {("add",)}


def test_attempt_that_began_after_the_walk_is_left_to_the_next(desk):
    desk.register()
    lose_answers(desk, when="before")
    desk.work()
    desk.let_pass(seconds=4)
    with desk.database.write() as session:
        registrant = desk.read()
        registrant.attempt_ended_at = desk.clock() + timedelta(minutes=1)
        session.merge(registrant)

    desk.work()

    assert desk.read().missed_looks == 0
    assert desk.find_settling().state == "ready"


def test_cancelled_while_unknown_is_cancelled_once_it_is_found(desk):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    desk.cancel()
    desk.work()
    assert desk.list_effects() == ["add"], "nobody knows yet whom to cancel"

    desk.let_pass(seconds=4)
    desk.work()

    assert desk.list_effects() == ["add", "cancel"]
    assert desk.read().delivery == Delivery.WITHDRAWN


@only_sqlite
def test_look_that_fails_is_made_again_later(desk):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    desk.zoom.fault("list_registrants", does="answer", status=500, skip=1)
    desk.let_pass(seconds=4)

    desk.work()
    settling = desk.find_settling()
    assert (settling.state, desk.read().missed_looks) == ("ready", 0)
    assert settling.reason.startswith("ZoomOutcomeUnknown: ")
    desk.let_pass(seconds=10)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_walk_waits_as_zoom_says_though_more_is_in_doubt(desk):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    desk.let_pass(seconds=4)
    later = (desk.clock() + timedelta(hours=3)).replace(microsecond=0)
    desk.zoom.fault(
        "list_registrants",
        status=429,
        message="You have reached the maximum daily rate limit for this API.",
        headers={"Retry-After": f"{later:%Y-%m-%dT%H:%M:%SZ}"},
        delay_after=2.0,
        count=None,
    )
    walk = threading.Thread(target=desk.work)
    walk.start()
    desk.wait_for_calls("list_registrants", 1)
    put_in_doubt(desk)
    walk.join()
    desk.work()

    settling = desk.find_settling()
    assert desk.count_calls("list_registrants") == 1
    assert (settling.attempts, settling.run_at >= later) == (0, True)


@only_sqlite
def test_slow_walk_keeps_its_job(desk):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    desk.let_pass(seconds=4)
    desk.zoom.fault("list_registrants", delay_after=1.5, count=None)
    walk = threading.Thread(target=desk.work)
    walk.start()
    for number in range(1, len(LISTS) + 1):
        desk.wait_for_calls("list_registrants", number)
        desk.clock.move(seconds=25)
    with desk.database.read() as session:
        now = desk.clock()
        assert not jobs.has_due(session, kinds=["zoom.settle"], now=now)
    walk.join()

    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_walk_whose_lease_ran_out_stores_nothing(desk):
    desk.register()
    lose_answers(desk, when="after")
    desk.work()
    desk.let_pass(seconds=4)

    def be_suspended():
        desk.before_calls = lambda: None
        desk.clock.move(seconds=61)
        claim = {"kinds": ["zoom.settle"], "owner": "other", "lease_seconds": 60}
        with desk.database.write() as session:
            assert jobs.claim(session, **claim, now=desk.clock())

    desk.before_calls = be_suspended
    desk.work()

    registrant, settling = desk.read(), desk.find_settling()
    assert desk.count_calls("list_registrants") == len(LISTS)
    assert (registrant.registrant_id, registrant.attempt_started_at is None) == (None, False)
    assert (settling.owner, settling.state) == ("other", "running")


@only_sqlite
def test_walk_goes_through_every_page(desk):
    for number in range(320):
        desk.zoom.add_registrant(desk.event.zoom_id, f"other{number}@example.com")
    people = [f"person{number}@example.com" for number in range(4)]
    for email in people:
        desk.register(email)
    lose_answers(desk, when="after", count=len(people))
    desk.work()
    desk.let_pass(seconds=4)
    desk.work()

    assert {desk.read(email).delivery for email in people} == {Delivery.REGISTERED}
    assert desk.count_calls("list_registrants") == 1 + len(LISTS)
    assert desk.count_calls("add_registrant") == len(people)


def put_in_doubt(desk):
    """Ask for a walk, as an add does whose answer is lost."""
    with desk.database.write() as session:
        job_requests.ensure(
            session,
            kind="zoom.settle",
            key=f"settle:{desk.event.id}",
            payload={"event_id": desk.event.id},
            event_id=desk.event.id,
            run_at=desk.clock(),
            now=desk.clock(),
        )


@only_sqlite
def test_look_without_anything_unknown_asks_nobody(desk):
    desk.register()
    desk.work()
    put_in_doubt(desk)

    desk.work()

    assert desk.find_settling().state == "done"
    assert desk.count_calls("list_registrants") == 0


@only_sqlite
def test_third_add_of_a_day_comes_only_after_looking(desk):
    desk.register()
    lose_answers(desk, when="before", count=2)

    for _ in range(30):
        desk.work()
        desk.let_pass(seconds=10)

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.count_calls("add_registrant") == 3
    assert desk.count_calls("list_registrants") >= 4 * len(LISTS)
    assert desk.list_effects() == ["add"]
