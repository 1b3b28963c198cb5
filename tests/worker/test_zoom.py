"""Zoom is made to match our registrations, whatever happens on the way."""

import threading
from datetime import timedelta

import pytest

from cli.jobs import explain
from services.deliveries import Delivery
from storage import job_lists, jobs, known_registrants
from storage.jobs import LeaseLost
from tests.fixtures.databases import only_sqlite
from tests.worker.desk import TARO
from tests.zoom_sandbox.api import Api

OTHER = "someone.else@example.com"
"""Whose id the sandbox answers with in place of the one asked for."""

NOBODY = {"registrants": [], "next_page_token": ""}


def claim(desk, owner):
    with desk.database.write() as session:
        job = jobs.claim(
            session, kinds=["zoom.sync"], owner=owner, lease_seconds=60, now=desk.clock()
        )
    assert job is not None
    return job


def test_person_is_added_and_link_is_kept_encrypted(desk):
    desk.register()

    desk.work()

    registrant = desk.read()
    assert (registrant.delivery, registrant.zoom_status) == (Delivery.REGISTERED, "approved")
    assert desk.read_job().state == "done"
    assert desk.read_link().startswith(f"{desk.sandbox.url}/w/{desk.event.zoom_id}?tk=")
    assert b"http" not in registrant.join_url
    assert desk.list_effects() == ["add"]


def test_webinar_needs_approval_after_adding(make_desk):
    desk = make_desk(kind="webinar")
    desk.register()

    desk.work()

    assert desk.list_at_zoom() == {TARO: "approved"}
    assert desk.read_link() is not None


def test_cancelled_before_adding_is_never_added(desk):
    desk.register()
    desk.cancel()

    desk.work()

    assert desk.zoom.journal() == []
    assert desk.read().delivery == Delivery.WITHDRAWN
    assert desk.read_job().state == "done"


def test_cancelled_after_adding_comes_back_with_the_same_link(desk):
    desk.register()
    desk.work()
    link = desk.read_link()

    desk.cancel()
    desk.work()
    assert (desk.read().zoom_status, desk.read_link()) == ("denied", None)
    desk.register_again()
    desk.work()

    assert desk.list_effects() == ["add", "cancel", "approve"]
    assert desk.read_link() == link


def test_cancelled_and_back_before_the_worker_came_changes_nothing_at_zoom(desk):
    desk.register()
    desk.work()

    desk.cancel()
    desk.register_again()
    desk.work()

    assert desk.list_effects() == ["add"]
    assert desk.read().delivery == Delivery.REGISTERED


def test_unreachable_zoom_is_tried_again_soon_then_rarely(desk):
    desk.register()
    desk.sandbox.stop()
    waits = []
    for _ in range(4):
        desk.work()
        job = desk.read_job()
        waits.append((job.run_at - job.updated_at).total_seconds())
        desk.clock.move(seconds=waits[-1] + 1)

    planned = [5, 30, 120, 600]
    assert all(abs(wait / plan - 1) <= 0.2 for wait, plan in zip(waits, planned, strict=True))
    registrant = desk.read()
    assert (registrant.delivery, registrant.problem) == (Delivery.WAITING, "ZoomUnreachable")
    assert registrant.attempt_started_at is None, "nothing reached Zoom, so there is no doubt"
    assert desk.find_settling() is None


@pytest.mark.parametrize(
    "fault",
    [
        {"does": "answer", "status": 500},
        {"does": "answer", "status": 503, "when": "after"},
        {"does": "html", "status": 502},
        {"does": "cut"},
        {"does": "close", "when": "after"},
        {"does": "huge"},
    ],
    ids=lambda fault: f"{fault['does']}-{fault.get('status', '')}",
)
@only_sqlite
def test_answer_that_says_nothing_leaves_the_outcome_unknown(desk, fault):
    desk.register()
    desk.zoom.fault("add_registrant", **fault)

    desk.work()

    registrant, job, settling = desk.read(), desk.read_job(), desk.find_settling()
    assert registrant.attempt_started_at is not None
    assert registrant.attempt_ended_at is not None
    assert (registrant.delivery, job.state) == (Delivery.WAITING, "ready")
    assert job.run_at - job.updated_at == timedelta(minutes=15)
    assert settling.run_at - settling.updated_at == timedelta(seconds=3)
    assert desk.count_calls("add_registrant") == 1


def test_worker_whose_lease_ran_out_stores_nothing(desk):
    desk.register()
    desk.make_worker()
    late = claim(desk, "late")
    desk.zoom.fault("add_registrant", delay_after=2.0)
    refusals = []

    def handle():
        try:
            desk.sync.handle(late)
        except LeaseLost as refusal:
            refusals.append(refusal)

    slow = threading.Thread(target=handle)
    slow.start()
    desk.wait_for_calls("add_registrant", 1)
    desk.clock.move(seconds=61)
    other = claim(desk, "other")
    slow.join()

    assert len(refusals) == 1
    assert desk.list_effects() == ["add"]
    registrant, job = desk.read(), desk.read_job()
    assert (registrant.registrant_id, registrant.zoom_status) == (None, None)
    assert registrant.attempt_started_at is not None, "its outcome is still to be found out"
    assert (job.owner, job.attempts, other.attempts) == ("other", 2, 2)


def sleep_before_a_call(desk, seconds, meanwhile=lambda: None):
    """Have the next worker suspended between its plan and its call."""

    def sleep():
        desk.before_calls = lambda: None
        desk.let_pass(seconds=seconds)
        meanwhile()

    desk.before_calls = sleep


def test_who_is_erased_while_zoom_lets_them_in_again_is_not_forgotten_before_it_lets_go(desk):
    desk.register()
    desk.work()
    desk.cancel()
    desk.work()
    desk.register_again()
    did = []
    sleep_before_a_call(desk, 1, meanwhile=lambda: did.append(desk.erase()))

    desk.work()
    assert did == [False]
    assert desk.list_effects() == ["add", "cancel", "approve", "cancel"]


@pytest.mark.parametrize(("seconds", "effects"), [(29, ["add", "cancel"]), (31, ["add"])])
@only_sqlite
def test_call_planned_half_a_lease_ago_is_not_made(desk, seconds, effects):
    desk.register()
    desk.work()
    desk.cancel()
    sleep_before_a_call(desk, seconds)

    desk.work()

    assert desk.list_effects() == effects


def test_worker_that_slept_undoes_nothing_of_another(desk):
    def come_back():
        desk.register_again()
        desk.work()

    desk.register()
    desk.work()
    desk.cancel()
    sleep_before_a_call(desk, 61, come_back)

    desk.work()

    assert desk.list_effects() == ["add"]
    assert (desk.read().delivery, desk.read_job().state) == (Delivery.REGISTERED, "done")


def test_job_of_a_dead_worker_goes_to_another_when_its_lease_ends(desk):
    desk.register()
    claim(desk, "dead")

    desk.work()
    assert desk.zoom.journal() == []
    desk.let_pass(seconds=61)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.read_job().attempts == 2


def test_person_at_whom_the_workers_die_is_shown_as_given_up(desk, caplog):
    desk.register()
    for number in range(3):
        claim(desk, f"dead-{number}")
        desk.let_pass(seconds=61)

    desk.work()

    registrant, job = desk.read(), desk.read_job()
    assert (registrant.delivery, registrant.problem) == (Delivery.NEEDS_SETTING, "GivenUp")
    assert (job.state, desk.zoom.journal()) == ("parked", [])
    assert explain(job).startswith("the worker failed at it again and again")
    with desk.database.write() as session:
        job_lists.retry(session, job.key, now=desk.clock())
    desk.work()
    assert (desk.read().delivery, desk.read().problem) == (Delivery.REGISTERED, "")


@pytest.mark.parametrize("does", ["other_email", "other_meeting"])
@only_sqlite
def test_answer_about_somebody_else_has_the_person_looked_for_at_once(desk, does):
    desk.register()
    desk.zoom.fault("add_registrant", does=does)

    desk.work()
    registrant, job = desk.read(), desk.read_job()
    assert (registrant.delivery, registrant.problem) == (Delivery.WAITING, "WrongRegistrant")
    assert (registrant.registrant_id, desk.read_link(), job.state) == (None, None, "ready")
    assert job.reason.startswith("WrongRegistrant: another ")

    desk.let_pass(seconds=4)
    desk.work()
    assert (desk.read().delivery, desk.list_mails()) == (Delivery.REGISTERED, ["confirmation"])
    [person] = [p for p in desk.zoom.state()["registrants"] if p["email"] == TARO]
    assert f"tk={person['token']}" in desk.read_link()
    assert desk.count_calls("add_registrant") == 1


@only_sqlite
def test_answer_about_somebody_else_that_comes_again_is_told_to_the_person(desk):
    desk.register()
    desk.zoom.fault("add_registrant", does="other_meeting", count=None)
    desk.zoom.fault("list_registrants", does="answer", status=200, body=NOBODY, count=None)

    for _ in range(4):
        desk.work()
        desk.let_pass(seconds=65)

    registrant, job = desk.read(), desk.read_job()
    assert (registrant.delivery, registrant.problem) == (Delivery.REFUSED, "WrongRegistrant")
    assert (registrant.registrant_id, desk.read_link(), job.state) == (None, None, "parked")
    assert desk.list_mails() == ["confirmation", "refused"]
    assert desk.count_calls("add_registrant") == 2


@only_sqlite
@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_nobody_is_cancelled_by_an_id_that_was_never_read(make_desk, kind):
    desk = make_desk(kind=kind)
    desk.register(OTHER)
    desk.work()
    desk.register()
    desk.zoom.fault("add_registrant", does="other_email", delay_after=1.0, email=TARO)
    slow = threading.Thread(target=desk.work)
    slow.start()
    desk.wait_for_attempt()
    desk.cancel()
    slow.join()
    approvals = int(kind == "webinar")
    assert desk.count_calls("set_status") == approvals, "before anybody was read"

    desk.let_pass(seconds=4)
    desk.work()

    assert desk.list_at_zoom() == {OTHER: "approved", TARO: "denied"}
    assert (desk.read().delivery, desk.count_calls("set_status")) == ("withdrawn", approvals + 1)


@only_sqlite
def test_stranger_whose_id_a_webinar_answers_with_is_not_let_in(make_desk):
    desk = make_desk(kind="webinar")
    stranger = {"email": OTHER, "first_name": "S", "last_name": "E"}
    Api(desk.sandbox.url).call("POST", f"/webinars/{desk.event.zoom_id}/registrants", stranger)
    desk.register()
    desk.zoom.fault("add_registrant", does="other_email", email=TARO)

    desk.work()
    desk.let_pass(seconds=4)
    desk.work()

    assert desk.list_at_zoom() == {OTHER: "pending", TARO: "approved"}
    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_person_cancelled_after_a_wrong_answer_is_cancelled_at_zoom(desk):
    desk.register()
    desk.zoom.fault("add_registrant", does="other_email")
    desk.work()

    desk.cancel()
    desk.work()
    desk.let_pass(seconds=5)
    desk.work()

    assert desk.list_at_zoom() == {TARO: "denied", "someone.else@example.com": "approved"}
    assert desk.read().delivery == Delivery.WITHDRAWN


@only_sqlite
def test_answer_without_a_link_is_asked_for_it(desk):
    desk.register()
    desk.zoom.fault("add_registrant", does="no_join_url")

    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.read_link() is not None


@only_sqlite
def test_person_whom_the_host_denied_is_approved_again(desk):
    desk.register()
    desk.work()
    desk.zoom.change_registrant(desk.event.zoom_id, TARO, "deny")

    desk.cancel()
    desk.register_again()
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_person_whom_zoom_has_no_more_counts_as_cancelled_after_two_looks(desk):
    desk.register()
    desk.work()
    desk.zoom.fault("get_registrant", does="answer", status=404, code=3079)
    desk.zoom.fault("list_registrants", does="answer", status=200, body=NOBODY, count=6)
    desk.cancel()

    for _ in range(3):
        desk.work()
        desk.let_pass(seconds=62)

    registrant = desk.read()
    assert (registrant.delivery, registrant.registrant_id) == (Delivery.WITHDRAWN, None)
    assert desk.read_job().state == "done"


@only_sqlite
def test_person_whom_zoom_does_not_show_yet_is_not_added_again(desk):
    desk.register()
    desk.zoom.fault("get_registrant", status=404, code=3079, count=3)
    desk.work()
    assert (desk.count_calls("add_registrant"), desk.read().zoom_status) == (1, None)

    desk.let_pass(seconds=4)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.read_link() is not None
    assert desk.count_calls("add_registrant") == 1


@only_sqlite
def test_approval_without_effect_is_asked_for_once_at_a_time(make_desk):
    desk = make_desk(kind="webinar")
    desk.register()
    desk.zoom.fault("set_status", does="answer", status=204, count=2)
    desk.work()
    job = desk.read_job()
    assert (desk.count_calls("set_status"), job.state, job.attempts) == (1, "ready", 1)
    assert job.reason == "Zoom says yes and changes nothing"

    for _ in range(2):
        desk.let_pass(minutes=1)
        desk.work()

    assert desk.count_calls("set_status") == 3
    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_approval_whose_answer_is_lost_is_found_at_the_next_try(make_desk):
    desk = make_desk(kind="webinar")
    desk.register()
    desk.zoom.fault("set_status", does="close", when="after")

    desk.work()
    assert desk.read().zoom_status == "changing"
    desk.let_pass(seconds=10)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_effects() == ["add", "approve"]


@pytest.mark.parametrize("action", ["set_status", "get_registrant"])
@only_sqlite
def test_person_who_comes_back_after_a_lost_cancellation_gets_a_link_that_works(desk, action):
    desk.register()
    desk.work()
    desk.cancel()
    desk.zoom.fault(action, does="close", when="after")
    desk.work()
    assert desk.list_at_zoom() == {TARO: "denied"}

    desk.register_again()
    desk.work()

    assert desk.list_at_zoom() == {TARO: "approved"}
    assert (desk.read().delivery, desk.read_link() is None) == (Delivery.REGISTERED, False)


@only_sqlite
def test_person_who_leaves_after_a_lost_approval_is_cancelled_at_zoom(make_desk):
    desk = make_desk(kind="webinar")
    desk.register()
    desk.zoom.fault("set_status", does="close", when="after")
    desk.work()
    assert desk.list_at_zoom() == {TARO: "approved"}

    desk.cancel()
    desk.work()

    assert desk.list_at_zoom() == {TARO: "denied"}
    assert desk.read().delivery == Delivery.WITHDRAWN


def test_call_that_outlived_its_lease_is_found_out(desk):
    desk.register()
    desk.work()
    desk.cancel()
    desk.zoom.fault("set_status", delay_before=2.0)
    late = threading.Thread(target=desk.work)
    late.start()
    desk.wait_for_fault()
    desk.let_pass(seconds=61)
    desk.register_again()
    desk.work()
    assert desk.read().delivery == Delivery.REGISTERED
    late.join()
    desk.work()

    assert desk.list_at_zoom() == {TARO: "approved"}
    assert desk.list_effects() == ["add", "cancel", "approve"]


def end(desk):
    desk.let_pass(days=8)


def cancel_event(desk):
    desk.change_event(status="cancelled")


@pytest.mark.parametrize(
    ("happen", "reason"), [(end, "the event is over"), (cancel_event, "the event was cancelled")]
)
@only_sqlite
def test_nothing_is_asked_of_zoom_for_an_event_that_is_no_more(desk, happen, reason):
    desk.register()
    desk.zoom.fault("add_registrant", does="close", when="after")
    desk.work()
    desk.register("hanako@example.com")
    happen(desk)
    desk.let_pass(minutes=16)
    desk.work()

    found = [desk.find_settling(), desk.read_job(), desk.read_job("hanako@example.com")]
    assert {(job.state, job.reason) for job in found} == {("done", reason)}
    assert (desk.count_calls("list_registrants"), desk.count_calls("add_registrant")) == (0, 1)


@only_sqlite
def test_cancelling_after_the_event_asks_nothing_of_zoom(desk):
    desk.register()
    desk.work()
    end(desk)
    desk.cancel()

    desk.work()

    assert (desk.read_job().state, desk.count_calls("set_status")) == ("done", 0)


def test_person_new_to_zoom_is_known_as_new(desk):
    desk.register()
    desk.work()

    assert desk.read().is_new_to_zoom is True


@only_sqlite
def test_person_whom_zoom_had_at_publishing_is_not_new(desk):
    with desk.database.write() as session:
        hashes = [desk.keys.hash_email(TARO)]
        known_registrants.replace_hashes(session, desk.event.id, hashes)
    desk.register()
    desk.work()

    assert desk.read().is_new_to_zoom is False


@only_sqlite
def test_person_who_came_to_zoom_before_our_first_attempt_is_not_new(desk):
    desk.zoom.add_registrant(desk.event.zoom_id, TARO)
    desk.let_pass(seconds=5)
    desk.register()
    desk.work()

    assert desk.read().is_new_to_zoom is False
    assert desk.list_effects() == ["repeat"]


@only_sqlite
def test_person_found_after_a_lost_answer_is_new(desk):
    desk.register()
    desk.zoom.fault("add_registrant", does="close", when="after")
    desk.work()
    desk.let_pass(seconds=5)
    desk.work()

    assert desk.read().is_new_to_zoom is True
