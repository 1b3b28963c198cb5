"""An event is given another meeting, as Zoom has lost its own, while workers ask for that one."""

import threading

import pytest
from sqlalchemy.exc import SQLAlchemyError

from services import registration_changes
from services.moving_over import move_over
from storage import events, registration_lists
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
        event = events.lock_event(session, desk.event.id)
        move_over(session, event, meeting, former_id=desk.event.zoom_id, now=desk.clock())


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
    desk.register()
    desk.work()
    meeting = add_meeting(desk)
    if not is_locked:
        monkeypatch.setattr(
            registration_lists, "lock_registrants", registration_lists.list_registrants
        )
    with desk.database.write() as session:
        [(_, registrant)] = registration_lists.list_registrants(session, desk.event.id)
        registrant.registrant_id = None
    moving = threading.Thread(target=move, args=(desk, meeting))
    with desk.database.write() as session:
        [(_, registrant)] = registration_lists.lock_registrants(session, desk.event.id)
        registrant.registrant_id = "former"
        session.flush()
        moving.start()
        wait_until(lambda: count_waiting(desk.database) == 1)
    moving.join()

    assert desk.read().registrant_id == (None if is_locked else "former")


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
