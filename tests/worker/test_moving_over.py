"""An event is given another meeting, as Zoom has lost its own, while workers ask for that one."""

import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from services import moving_over, registration_changes
from services.moving_over import move_over
from storage import events, registration_lists
from storage.statements import Statement
from tests.fixtures.databases import only_postgresql
from tests.installation import wait_until
from tests.races import count_waiting
from zoom_client import Kind, Meeting

MANY = [f"person{number:02}@example.com" for number in range(12)]


def add_meeting(desk):
    made = desk.zoom.add_meeting(type=2, settings={"approval_type": 0})
    return Meeting(kind=Kind.MEETING, id=made["id"], uuid="", topic="", type=2)


def move(desk, meeting):
    with desk.database.write() as session:
        found = events.lock_event(session, desk.event.id)
        move_over(session, found, meeting, former_id=found.zoom_id, now=desk.clock())


@pytest.mark.parametrize(
    ("call", "people"),
    [("add_batch", MANY), ("get_registrant", MANY[:1])],
)
def test_late_answer_about_the_lost_meeting_gives_nobody_a_link_there(desk, call, people):
    for email in people:
        desk.register(email)
    desk.zoom.fault(call, delay_after=1.0)
    meeting = add_meeting(desk)
    work = threading.Thread(target=desk.work)
    work.start()
    desk.wait_for_calls(call, 1)
    move(desk, meeting)
    work.join()
    for _ in range(3):
        desk.let_pass(seconds=65)
        desk.work()

    assert all(f"/w/{meeting.id}?" in desk.read_link(email) for email in people)


@only_postgresql
@pytest.mark.parametrize("is_locked", [True, False])
def test_what_a_worker_is_storing_is_forgotten_too(desk, monkeypatch, is_locked):
    """It stores in any order what a batch has told, so that both must lock people in one order."""
    for email in MANY[:2]:
        desk.register(email)
    desk.work()
    meeting = add_meeting(desk)
    if not is_locked:
        monkeypatch.setattr(
            moving_over, "registration_lists", SimpleNamespace(lock_people=lambda *_: None)
        )
    failed = []

    def try_to(act):
        try:
            act()
        except SQLAlchemyError as error:
            failed.append(error)

    def store(moving):
        with desk.database.write() as session:
            registration_lists.lock_people(session, desk.event.id)
            [(_, first), (_, last)] = registration_lists.list_registrants(session, desk.event.id)
            for registrant in (last, first):
                registrant.registrant_id = "former"
                session.flush()
                if registrant is last:
                    moving.start()
                    wait_until(lambda: count_waiting(desk.database) == 1)

    moving = threading.Thread(target=try_to, args=[lambda: move(desk, meeting)])
    try_to(lambda: store(moving))
    moving.join()

    assert bool(failed) is not is_locked
    if is_locked:
        assert [desk.read(email).registrant_id for email in MANY[:2]] == [None, None]


@only_postgresql
def test_who_cancels_meanwhile_waits_in_no_circle(make_desk, monkeypatch):
    """Their place goes to somebody whose row everybody's locks take before theirs."""
    earlier, later = MANY[:2]
    desk = make_desk(capacity=1, has_waitlist=True)
    desk.register(earlier)
    desk.register(later)
    desk.cancel(earlier)
    desk.register_again(earlier)
    desk.work()
    meeting = add_meeting(desk)
    failed = []

    def move_meanwhile():
        try:
            move(desk, meeting)
        except SQLAlchemyError as error:
            failed.append(error)

    moving = threading.Thread(target=move_meanwhile)
    fill = registration_changes.fill_free_seats

    def fill_late(session, *about, **more):
        session.flush()
        moving.start()
        wait_until(lambda: count_waiting(desk.database) == 1)
        return fill(session, *about, **more)

    monkeypatch.setattr(registration_changes, "fill_free_seats", fill_late)
    desk.cancel(later)
    moving.join()
    desk.let_pass(seconds=65)
    desk.work()

    assert failed == []
    assert f"/w/{meeting.id}?" in desk.read_link(earlier)


def test_many_cost_as_many_statements_as_few(desk, monkeypatch):
    """Whoever registers waits until everybody is moved: thousands must not be moved one by one."""
    counts = []
    change = Statement.change_on
    monkeypatch.setattr(
        Statement, "change_on", lambda *about: counts.append(about) or change(*about)
    )
    event.listen(desk.database.engine, "before_cursor_execute", lambda *about: counts.append(about))
    found = []
    for crowd in (MANY[:3], MANY[3:]):
        for email in crowd:
            desk.register(email)
        desk.work()
        counts.clear()
        meeting = add_meeting(desk)
        move(desk, meeting)
        found.append(len(counts))
        desk.work()
    desk.let_pass(seconds=65)
    desk.work()

    assert found[0] == found[1]
    assert all(f"/w/{meeting.id}?" in desk.read_link(email) for email in MANY)
