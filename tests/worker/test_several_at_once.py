"""Several workers at once, and people who change their mind while a call is under way."""

import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import object_session

from services import receipts, settling
from services.deliveries import Delivery, begin_doubt, read_for_step
from services.events import LinkPolicy
from services.registration_changes import correct_address
from services.registrations import ChangeRefused, register
from storage import registrations, submissions, zoom_registrants
from storage.models import Registration, ZoomRegistrant
from tests.factories import make_submission
from tests.installation import wait_until
from tests.races import count_waiting, race
from tests.worker.desk import TARO

RIGHT = "right@example.com"
LOST = {"does": "close", "when": "after"}

only_postgresql = pytest.mark.parametrize(
    "databases", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


@contextmanager
def adding(desk, **fault):
    """Have a worker add somebody while the test goes on, until Zoom's late answer is stored."""
    desk.zoom.fault("add_registrant", delay_before=0.5, **fault)
    work = threading.Thread(target=desk.work)
    work.start()
    try:
        desk.wait_for_fault()
        yield
    finally:
        work.join()


def list_errors(caplog):
    """List what was logged as an error, but that so many faults in a row were an outage."""
    errors = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    return [message for message in errors if message != "zoom stands still"]


def look_until_settled(desk):
    for _ in range(5):
        desk.let_pass(seconds=65)
        desk.work()


@pytest.mark.parametrize("fault", [{}, LOST], ids=["slow", "lost"])
def test_cancelled_while_being_added_is_cancelled_at_zoom(desk, fault):
    desk.register()
    with adding(desk, **fault):
        desk.cancel()
    look_until_settled(desk)

    assert desk.list_effects() == ["add", "cancel"]
    assert (desk.read().delivery, desk.read_link()) == (Delivery.WITHDRAWN, None)
    assert desk.read_job().state == "done"


@pytest.mark.parametrize("fault", [{}, LOST], ids=["slow", "lost"])
def test_renamed_while_being_added_is_added_once(desk, fault):
    desk.register()
    with adding(desk, **fault):
        desk.rename("佐藤")
    look_until_settled(desk)

    assert desk.list_effects() == ["add"]
    assert (desk.read().delivery, desk.read_job().state) == (Delivery.REGISTERED, "done")


@pytest.mark.parametrize("fault", [{}, LOST], ids=["slow", "lost"])
def test_address_corrected_while_it_is_added_loses_its_place_at_zoom(desk, fault):
    desk.register()
    with adding(desk, **fault):
        desk.correct_address(RIGHT)
    look_until_settled(desk)

    assert desk.list_at_zoom() == {TARO: "denied", RIGHT: "approved"}
    assert (desk.read().delivery, desk.read(RIGHT).delivery) == (
        Delivery.WITHDRAWN,
        Delivery.REGISTERED,
    )
    assert desk.list_effects(RIGHT) == ["add"]


@contextmanager
def run_workers(desk, database_url):
    """Keep four workers going, each with connections of its own."""
    are_done = threading.Event()

    def work(database):
        worker = desk.make_worker(database)
        while not are_done.wait(0.01):
            worker.drain()

    workers = threading.Thread(target=race, args=(database_url, work))
    workers.start()
    try:
        yield
    finally:
        are_done.set()
        workers.join()


def test_four_workers_end_at_what_everybody_wants(desk, database_url):
    people = [f"person{number}@example.com" for number in range(10)]
    desk.zoom.enforce_limits(False)
    dice = random.Random(7)

    with run_workers(desk, database_url):
        for email in people:
            desk.register(email)
        for change in (desk.cancel, desk.register_again, desk.cancel):
            for email in dice.sample(people, len(people)):
                change(email)
        for email in people[:5]:
            desk.register_again(email)
    desk.work()

    wanted = {Delivery.REGISTERED: people[:5], Delivery.WITHDRAWN: people[5:]}
    for delivery, emails in wanted.items():
        assert {desk.read(email).delivery for email in emails} == {delivery}
    assert {desk.read_job(email).state for email in people} == {"done"}
    at_zoom = desk.list_at_zoom()
    assert [at_zoom.get(email) for email in people[:5]] == ["approved"] * 5
    assert {at_zoom.get(email, "denied") for email in people[5:]} == {"denied"}
    adds = [desk.list_effects(email).count("add") for email in people]
    assert max(adds) == 1


def test_four_workers_settle_every_lost_answer(desk, database_url, caplog):
    people = [f"person{number}@example.com" for number in range(10)]
    desk.zoom.enforce_limits(False)
    for email in people[::2]:
        desk.zoom.fault("add_registrant", email=email, **LOST)
    dice = random.Random(7)

    with run_workers(desk, database_url):
        for email in people:
            desk.register(email)
        for change in (desk.cancel, desk.register_again):
            for email in dice.sample(people, len(people)):
                change(email)
                desk.let_pass(seconds=2)
        for _ in range(20):
            desk.let_pass(seconds=5)
            time.sleep(0.05)
    look_until_settled(desk)

    assert {desk.read(email).delivery for email in people} == {Delivery.REGISTERED}
    assert desk.list_at_zoom() == dict.fromkeys(people, "approved")
    effects = [desk.list_effects(email) for email in people]
    assert {(e.count("add"), e.count("repeat")) for e in effects} == {(1, 0)}
    assert list_errors(caplog) == []


FAULTS = [
    ("add_registrant", LOST),
    ("add_registrant", {"does": "close", "when": "before"}),
    ("add_registrant", {"status": 503, "when": "after"}),
    ("add_registrant", {"does": "cut"}),
    ("add_registrant", {"status": 429, "message": "Too many concurrent requests."}),
    ("add_registrant", {"delay_before": 0.2}),
    ("get_registrant", {"status": 404, "code": 3079}),
    ("get_registrant", {"status": 500}),
    ("get_registrant", {"delay_after": 0.2}),
    ("set_status", {"status": 204}),
    ("set_status", LOST),
    ("list_registrants", {"status": 500}),
    ("list_registrants", {"does": "html"}),
]


def change_minds(desk, people, dice):
    """Let people leave and come back at random, and return who wants to be there at last."""
    wanted = set(people)
    for email in dice.choices(people, k=30):
        change = desk.cancel if email in wanted else desk.register_again
        with suppress(ChangeRefused):
            change(email)
            wanted ^= {email}
        desk.let_pass(seconds=1)
        time.sleep(0.02)
    return wanted


@pytest.mark.parametrize(("kind", "seed"), [("meeting", 1), ("webinar", 2)])
def test_everybody_ends_as_they_wish_whatever_fails(make_desk, database_url, caplog, kind, seed):
    desk, dice = make_desk(kind=kind), random.Random(seed)
    people = [f"person{number}@example.com" for number in range(8)]
    desk.zoom.enforce_limits(False)
    for action, fault in dice.choices(FAULTS, k=25):
        desk.zoom.fault(action, skip=dice.randrange(6), **fault)

    with run_workers(desk, database_url):
        for email in people:
            desk.register(email)
        wanted = change_minds(desk, people, dice)
    desk.zoom.clear_faults()
    for _ in range(8):
        desk.let_pass(minutes=16)
        desk.work()

    at_zoom = desk.list_at_zoom()
    assert {email for email in people if at_zoom.get(email) == "approved"} == wanted
    assert {email for email in people if desk.read_link(email) is not None} == wanted
    effects = [desk.list_effects(email) for email in people]
    assert max(e.count("add") + e.count("repeat") for e in effects) <= 1
    assert list_errors(caplog) == []


def lock_for_a_batch(session, registration_id):
    zoom_registrants.lock_by_ids(session, [registration_id])


def lock_as_if_it_were_deleted(session, registration_id):
    person = select(Registration).where(Registration.id == registration_id)
    session.scalar(person.with_for_update())


@only_postgresql
@pytest.mark.parametrize(
    ("lock", "is_deadlock"),
    [
        (registrations.lock_registration, False),
        (lock_for_a_batch, False),
        (lock_as_if_it_were_deleted, True),
    ],
)
def test_walk_and_a_step_of_one_person_do_not_wait_in_a_circle(desk, lock, is_deadlock):
    desk.register()
    is_locked = threading.Event()

    def take_step():
        with desk.database.write() as session:
            lock(session, desk.read().registration_id)
            is_locked.set()
            write_problem(session, desk, "step")

    def walk():
        with desk.database.write() as session:
            write_problem(session, desk, "first")
            step = pool.submit(take_step)
            assert is_locked.wait(10)
            # A row written twice in one transaction has its foreign key checked.
            write_problem(session, desk, "second")
        step.result()

    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(OperationalError, match="deadlock") if is_deadlock else nullcontext(),
    ):
        walk()


def write_problem(session, desk, problem):
    registrant = session.get(ZoomRegistrant, desk.read().registration_id)
    registrant.problem = problem
    session.flush()


def judge_while(desk, change, judge):
    """Have a walk that missed everybody judge, while who it is about changes before its eyes."""
    looked_from, number = desk.clock(), desk.read().registration_id
    desk.let_pass(seconds=1)

    def walk():
        with desk.database.write() as session:
            members = {"looked_from": looked_from, "keys": desk.keys, "now": desk.clock()}
            return judge(session, desk.event, {}, **members).needs_look

    with ThreadPoolExecutor(1) as pool:
        with desk.database.write() as session:
            *_, registrant = read_for_step(session, number)
            change(registrant, now=desk.clock())
            session.flush()
            walking = pool.submit(walk)
            wait_until(lambda: count_waiting(desk.database) == 1)
        return walking.result()


LOCKED_OR_NOT = pytest.mark.parametrize(
    ("read", "is_locked"),
    [(zoom_registrants.lock_by_ids, True), (zoom_registrants.list_by_ids, False)],
)


@only_postgresql
@LOCKED_OR_NOT
def test_doubt_that_begins_as_a_walk_judges_is_left_to_the_next(desk, monkeypatch, read, is_locked):
    """A batch that comes late doubts whom this walk misses: they may be added by now."""
    monkeypatch.setattr(zoom_registrants, "lock_by_ids", read)
    desk.register()
    with desk.database.write() as session:
        *_, registrant = read_for_step(session, desk.read().registration_id)
        begin_doubt(registrant, looks=1, now=desk.clock())
    desk.let_pass(minutes=1)

    assert judge_while(desk, begin_doubt, settling.settle_unknown) is is_locked

    assert (desk.read().attempt_started_at is not None) is is_locked


@only_postgresql
@LOCKED_OR_NOT
def test_walk_of_the_meeting_before_says_of_nobody_whether_they_are_new(
    desk, monkeypatch, read, is_locked
):
    monkeypatch.setattr(zoom_registrants, "lock_by_ids", read)
    desk.register()
    desk.work()
    with desk.database.write() as session:
        *_, registrant = read_for_step(session, desk.read().registration_id)
        registrant.is_new_to_zoom = None
    desk.let_pass(minutes=2)

    def move_over(registrant, *, now):
        session = object_session(registrant)
        zoom_registrants.start_anew(session, registrant.event_id, now=now)

    judge_while(desk, move_over, settling.tell_new_from_known)

    assert (desk.read().is_new_to_zoom is None) is is_locked


@only_postgresql
def test_code_and_a_correction_do_not_wait_in_a_circle(desk, monkeypatch):
    with desk.database.write() as session:
        sent = make_submission(desk.event, email="taro@example.com")
        row = register(session, desk.event, sent, policy=LinkPolicy.CODE, now=desk.clock())
    is_typed, is_correcting = threading.Event(), threading.Event()

    def compare_slowly(*_):
        is_typed.set()
        is_correcting.wait(5)
        time.sleep(0.3)
        return True

    def type_code():
        with desk.database.write() as session:
            submission = submissions.get_submission(session, row.id)
            receipts.use_code(session, submission, "123456", keys=desk.keys, now=desk.clock())

    def correct():
        with desk.database.write() as session:
            submission = submissions.get_submission(session, row.id)
            other = {"email": "b@example.com", "email_key": "b@example.com"}
            is_correcting.set()
            correct_address(
                session,
                desk.event,
                submission,
                **other,
                policy=LinkPolicy.CODE,
                now=desk.clock(),
            )

    monkeypatch.setattr(receipts, "is_right_code", compare_slowly)
    with ThreadPoolExecutor(1) as pool:
        typing = pool.submit(type_code)
        assert is_typed.wait(10)
        correct()
        typing.result()
