"""An event that was over and has a time ahead again: Zoom hears what it was not told meanwhile."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from services.event_content import change_content
from services.event_files import describe_event
from services.overview import name_problem
from services.retrying import Hold, find_hold, retry_harmless
from storage import events, job_lists
from storage.models import Job
from tests.fixtures.databases import only_sqlite
from tests.worker.desk import TARO

HANAKO = "hanako@example.com"


def move(desk, starts_at):
    desk.zoom.change_meeting(desk.event.zoom_id, start_time=f"{starts_at:%Y-%m-%dT%H:%M:%SZ}")
    with desk.database.write() as session:
        event = events.need_event(session, desk.event.id)
        wanted = replace(describe_event(session, event), starts_at=starts_at)
        change_content(session, event, wanted, pictures={}, now=desk.clock())


def end(desk):
    desk.let_pass(days=7, hours=3)


def postpone(desk):
    move(desk, desk.clock() + timedelta(days=7))
    desk.work()


def read_state(desk, email=TARO):
    person = desk.read(email)
    return person.delivery, desk.list_at_zoom().get(email), person.join_url is not None


def test_what_was_decided_after_the_end_reaches_zoom_once_the_event_is_postponed(desk):
    for email in (TARO, HANAKO):
        desk.register(email)
    desk.work()
    desk.deny(HANAKO)
    desk.work()
    end(desk)
    desk.deny()
    desk.approve(HANAKO)
    desk.work()
    assert desk.list_at_zoom() == {TARO: "approved", HANAKO: "denied"}

    postpone(desk)

    assert read_state(desk) == ("withdrawn", "denied", False)
    assert read_state(desk, HANAKO) == ("registered", "approved", True)


@only_sqlite
def test_who_waited_for_zoom_as_the_event_ended_is_added_once_it_is_postponed(desk):
    desk.zoom.fault("add_registrant", does="answer", status=429, code=429, message="Too many.")
    desk.register()
    desk.work()
    end(desk)
    desk.work()
    assert desk.read_job().state == "done"

    postpone(desk)

    assert read_state(desk) == ("registered", "approved", True)


def test_who_was_given_up_on_before_the_end_is_tried_again_once_it_is_postponed(desk):
    desk.register()
    desk.give_up()
    end(desk)

    postpone(desk)

    assert read_state(desk) == ("registered", "approved", True)


@only_sqlite
def test_who_was_refused_before_the_end_is_not_asked_for_once_it_is_postponed(desk):
    desk.zoom.fault("add_registrant", does="answer", status=400, code=3027, message="Host.")
    desk.register()
    desk.work()
    calls = desk.count_calls("add_registrant")
    end(desk)

    postpone(desk)

    assert (desk.read_job().state, desk.count_calls("add_registrant")) == ("parked", calls)


@only_sqlite
def test_slip_of_the_year_keeps_nobody_in_who_cancelled_a_moment_before(desk):
    desk.register()
    desk.work()
    first = desk.event.starts_at
    desk.cancel()
    move(desk, first - timedelta(days=365))
    desk.work()
    assert desk.list_at_zoom() == {TARO: "approved"}

    move(desk, first)
    desk.work()

    assert read_state(desk) == ("withdrawn", "denied", False)


@only_sqlite
def test_change_that_is_stored_while_the_event_is_postponed_reaches_zoom(desk):
    desk.register()
    desk.work()
    end(desk)
    postpone(desk)
    with desk.database.write() as session:
        # As a worker leaves it that has read the event a moment before.
        events.need_event(session, desk.event.id).starts_at = desk.clock() - timedelta(days=1)
    desk.cancel()
    desk.work()
    desk.change_event(starts_at=desk.clock() + timedelta(days=7))

    desk.let_pass(minutes=1)
    desk.work()

    assert read_state(desk) == ("withdrawn", "denied", False)


@only_sqlite
def test_who_was_erased_after_the_end_is_left_to_somebody_to_remove_at_zoom(desk):
    desk.register()
    desk.work()
    end(desk)
    assert desk.erase()

    postpone(desk)

    job = read_only_job(desk)
    assert (job.state, name_problem(job.reason)) == ("parked", "StillAtZoom")
    with desk.database.write() as session:
        assert retry_harmless(session, desk.event.id, now=desk.clock()) == 0
        hold = find_hold(session, desk.event, job.payload["registration_id"])
        assert hold is Hold.DECISION, "not along with others"
        assert job_lists.retry(session, job.key, now=desk.clock()), "somebody has seen to it"
    desk.work()
    assert read_only_job(desk).state == "done"
    assert desk.count_calls("set_status") == 0


def read_only_job(desk):
    with desk.database.read() as session:
        [job] = session.scalars(select(Job).where(Job.kind == "zoom.sync"))
    return job
