"""What concerns everybody is found out once: the queue stands still, and goes on by itself."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from services import batches, person_limits
from services import zoom_pauses as decisions
from services.deliveries import Delivery
from storage import jobs, zoom_pauses, zoom_queue
from tests.factories import make_event_at_zoom
from tests.fixtures.databases import only_sqlite
from tests.races import race
from tests.worker.desk import TARO

# So few that each is added alone.
PEOPLE = [f"person{number}@example.com" for number in range(batches.MANY - 1)]
HANAKO = "hanako@example.com"
ACCOUNT = "sandbox-account"


@pytest.fixture
def crowd(desk):
    """A desk where some people wait."""
    for email in PEOPLE:
        desk.register(email)
    return desk


def read_account(desk):
    with desk.database.read() as session:
        return zoom_pauses.get_account(session, ACCOUNT)


def read_event(desk):
    with desk.database.read() as session:
        return zoom_pauses.get_event(session, desk.event.id)


def let_all_be_registered(desk, *, rounds=10):
    for _ in range(rounds):
        desk.let_pass(seconds=31)
        desk.work()


def is_everybody_registered(desk):
    return {desk.read(email).delivery for email in PEOPLE} == {Delivery.REGISTERED}


def test_five_failures_in_a_row_stop_everybody(crowd):
    crowd.zoom.fault("add_registrant", status=503, count=None)

    crowd.work()

    account = read_account(crowd)
    assert (crowd.count_calls("add_registrant"), account.failures) == (5, 5)
    assert (account.pause_problem, account.paused_since is None) == ("ZoomOutcomeUnknown", False)
    assert [crowd.read_job(email).attempts for email in PEOPLE] == [1] * 5 + [0] * 4


@only_sqlite
def test_answer_between_failures_begins_the_count_anew(crowd):
    crowd.zoom.fault("add_registrant", status=503, count=4)
    crowd.zoom.fault("add_registrant", status=503, skip=1, count=4)

    crowd.work()

    assert read_account(crowd).paused_since is None
    assert crowd.count_calls("add_registrant") == len(PEOPLE)


def test_outage_is_probed_by_one_walk_every_half_minute(crowd):
    crowd.zoom.fault(path="/v2/", status=503, count=None)
    crowd.work()
    for _ in range(6):
        crowd.let_pass(seconds=10)
        crowd.work()
        crowd.work()

    assert crowd.count_calls("add_registrant") == 5
    assert crowd.count_calls("list_registrants") == 2, "one each half minute"


def test_everybody_gets_their_link_after_an_outage_and_nobody_two(crowd):
    crowd.zoom.fault(path="/v2/", status=503, count=None)
    for _ in range(20):
        crowd.work()
        crowd.let_pass(seconds=31)
    crowd.zoom.clear_faults()

    let_all_be_registered(crowd)

    assert is_everybody_registered(crowd)
    assert {tuple(crowd.list_effects(email)) for email in PEOPLE} == {("add",)}
    assert read_account(crowd).paused_since is None


@only_sqlite
def test_zoom_that_nobody_reaches_uses_up_no_try_once_it_is_known(crowd):
    crowd.sandbox.stop()
    crowd.work()
    for _ in range(5):
        crowd.clock.move(seconds=31)
        crowd.work()

    assert read_account(crowd).pause_problem == "ZoomUnreachable"
    assert sum(crowd.read_job(email).attempts for email in PEOPLE) == 4
    crowd.sandbox.start()
    let_all_be_registered(crowd)
    assert is_everybody_registered(crowd)


def break_secret(desk):
    desk.zoom.revoke_secret()


def take_scope(desk):
    desk.zoom.remove_scopes("meeting:write:registrant:admin")


def switch_registration_off(desk):
    desk.zoom.change_meeting(desk.event.zoom_id, settings={"approval_type": 2})


def lose_meeting(desk):
    words = {"status": 404, "code": 3001, "message": "Meeting does not exist."}
    desk.zoom.fault(path="/v2/meetings/", count=None, **words)


def mend(desk):
    desk.zoom.clear_faults()
    scopes = {*desk.zoom.state()["scopes"], "meeting:write:registrant:admin"}
    desk.zoom.grant_scopes(scopes)
    desk.zoom.restore_secret()
    desk.zoom.change_meeting(desk.event.zoom_id, settings={"approval_type": 1})


@pytest.mark.parametrize(
    ("happen", "problem", "read"),
    [
        (break_secret, "AuthenticationFailed", read_account),
        (take_scope, "ScopeMissing", read_account),
        (switch_registration_off, "RegistrationDisabled", read_event),
        (lose_meeting, "MeetingNotFound", read_event),
    ],
    ids=["secret", "scope", "registration", "meeting"],
)
def test_what_somebody_has_to_mend_is_asked_for_rarely(crowd, happen, problem, read):
    happen(crowd)
    for _ in range(31):
        crowd.work()
        crowd.let_pass(seconds=30)

    paused = read(crowd)
    assert (paused.pause_problem, paused.probes) == (problem, 4), "after 0, 1, 3, 7 and 15 minutes"
    assert crowd.count_calls("add_registrant") <= 10, "each with an old token and a new one"
    assert {crowd.read_job(email).attempts for email in PEOPLE} == {0}
    mend(crowd)
    crowd.let_pass(minutes=10)
    crowd.work()
    assert is_everybody_registered(crowd)
    assert read(crowd).paused_since is None
    assert {crowd.read(email).problem for email in PEOPLE} == {""}


@pytest.mark.parametrize(
    ("happen", "read"),
    [(break_secret, read_account), (switch_registration_off, read_event)],
    ids=["account", "event"],
)
def test_pause_of_a_clock_of_the_future_goes_on_once_the_clock_is_right(desk, happen, read):
    desk.let_pass(days=2)
    happen(desk)
    desk.register()
    desk.work()
    desk.let_pass(days=-2)
    for _ in range(7):
        desk.work()
        desk.let_pass(seconds=61)
    assert read(desk).probes == 3, "at once, after two minutes, after six"

    mend(desk)
    desk.let_pass(minutes=8)
    desk.work()
    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_reason_names_the_scope_and_no_person(crowd):
    take_scope(crowd)
    crowd.work()

    reason = read_account(crowd).pause_reason
    assert "meeting:write:registrant:admin" in reason
    assert "@" not in reason


@only_sqlite
def test_somebody_who_mended_it_need_not_wait_for_the_probe(crowd):
    break_secret(crowd)
    crowd.work()
    mend(crowd)
    with crowd.database.write() as session:
        zoom_pauses.hasten_probes(session, now=crowd.clock())

    crowd.work()

    assert is_everybody_registered(crowd)


def add_other_event(desk):
    """Add an event of the same account with one person, Hanako."""
    with desk.database.write() as session:
        other = make_event_at_zoom(session, desk.zoom, now=desk.clock())
    with at_event(desk, other):
        desk.register(HANAKO)
    return other


@contextmanager
def at_event(desk, event):
    """Have the desk be another event's meanwhile."""
    mine, desk.event = desk.event, event
    try:
        yield
    finally:
        desk.event = mine


@only_sqlite
@pytest.mark.parametrize(
    ("happen", "delivery"),
    [(switch_registration_off, Delivery.REGISTERED), (break_secret, Delivery.WAITING)],
    ids=["registration", "secret"],
)
def test_trouble_of_one_event_leaves_the_others_alone(crowd, happen, delivery):
    other = add_other_event(crowd)
    happen(crowd)

    crowd.work()

    with at_event(crowd, other):
        assert crowd.read(HANAKO).delivery == delivery


@only_sqlite
def test_refusal_of_one_person_stops_nobody(crowd):
    crowd.zoom.fault("add_registrant", email=PEOPLE[0], status=400, code=3034, message="Work.")

    crowd.work()

    assert crowd.read(PEOPLE[0]).delivery == Delivery.REFUSED
    assert {crowd.read(email).delivery for email in PEOPLE[1:]} == {Delivery.REGISTERED}


def pause(desk):
    """Have the account stand still, with a probe that is due."""
    desk.zoom.revoke_secret()
    desk.work()
    desk.zoom.restore_secret()
    with desk.database.write() as session:
        zoom_pauses.hasten_probes(session, now=desk.clock())


def claim_at_once(desk, database_url, claim):
    """Have eight workers claim at the same time; return how many got a job."""
    barrier = threading.Barrier(8)

    def work(database):
        barrier.wait()
        with database.write() as session:
            return claim(session)

    claimed = race(database_url, work, workers=8)
    return len([job for job in claimed if job is not None])


def claim(session, desk):
    return zoom_queue.claim(
        session,
        kinds=["zoom.sync"],
        owner=str(time.monotonic_ns()),
        lease_seconds=60,
        now=desk.clock(),
    )


def test_one_of_eight_workers_makes_the_probe(crowd, database_url):
    pause(crowd)

    assert claim_at_once(crowd, database_url, lambda session: claim(session, crowd)) == 1


def test_without_its_condition_several_make_the_probe(crowd, database_url, monkeypatch):
    pause(crowd)
    monkeypatch.setattr(zoom_pauses, "take_probe", lambda *_, **__: True)

    assert claim_at_once(crowd, database_url, lambda session: claim(session, crowd)) > 1


@only_sqlite
def test_probe_of_a_worker_that_died_is_made_again_after_half_a_minute(crowd):
    pause(crowd)
    with crowd.database.write() as session:
        assert claim(session, crowd) is not None

    crowd.work()
    assert crowd.list_effects(PEOPLE[2]) == []
    crowd.let_pass(seconds=31)
    crowd.work()

    assert crowd.list_effects(PEOPLE[2]) == ["add"]


def let_end(desk, event):
    """Have an event be over that nobody's job has asked Zoom about yet."""
    with at_event(desk, event):
        desk.change_event(starts_at=desk.clock() - timedelta(hours=2))


def test_probe_that_has_nothing_to_ask_is_made_by_the_next_job_at_once(crowd):
    other = add_other_event(crowd)
    pause(crowd)
    let_end(crowd, crowd.event)

    crowd.work()

    with at_event(crowd, other):
        assert crowd.read(HANAKO).delivery == Delivery.REGISTERED
    assert {crowd.read_job(email).reason for email in PEOPLE} == {"the event is over"}


def test_many_jobs_with_nothing_to_ask_make_one_call_of_each_probe(crowd):
    add_other_event(crowd)
    crowd.zoom.fault(path="/v2/", status=503, count=None)
    crowd.work()
    let_end(crowd, crowd.event)
    before = len(crowd.zoom.journal())
    crowd.let_pass(seconds=31)
    for _ in range(6):
        crowd.work()
        crowd.let_pass(seconds=10)

    assert len(crowd.zoom.journal()) - before == 2, "one each half minute"


@only_sqlite
def test_probe_of_a_job_that_is_put_aside_is_made_by_the_next(crowd):
    pause(crowd)
    with crowd.database.write() as session:
        session.merge(crowd.read_job(PEOPLE[1])).crashes = jobs.POISONOUS_AFTER

    crowd.work()

    assert crowd.read_job(PEOPLE[1]).state == "parked"
    assert crowd.read(PEOPLE[2]).delivery == Delivery.REGISTERED


def test_probe_that_is_given_back_late_is_nobodys_any_more(crowd):
    pause(crowd)
    with crowd.database.write() as session:
        late = claim(session, crowd)
    crowd.let_pass(seconds=31)
    with crowd.database.write() as session:
        assert claim(session, crowd) is not None
        zoom_queue.give_probe_back(session, late, now=crowd.clock())

    with crowd.database.write() as session:
        assert claim(session, crowd) is None


@only_sqlite
def test_success_is_recorded_now_and_then(desk):
    desk.register()
    desk.work()
    first = read_account(desk).last_success_at
    desk.register(HANAKO)
    desk.work()

    assert read_account(desk).last_success_at == first
    desk.let_pass(seconds=decisions.NOTE_SUCCESS_EVERY.total_seconds())
    desk.register("jiro@example.com")
    desk.work()
    assert read_account(desk).last_success_at > first


@only_sqlite
def test_person_whose_adds_we_know_to_be_used_up_costs_no_call(desk):
    desk.register()
    for _ in range(3):
        with desk.database.write() as session:
            registrant = desk.read()
            person_limits.count_add(registrant, now=desk.clock())
            session.merge(registrant)

    desk.work()

    job = desk.read_job()
    assert (desk.zoom.journal(), job.attempts) == ([], 0)
    assert job.reason.startswith("PersonDayLimited: ")
    assert job.run_at - desk.clock() <= timedelta(hours=24, minutes=6)
    assert desk.read(TARO).problem == "PersonDayLimited"
