"""What a changed event owes to many: nobody is forgotten, nobody is told twice."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from services import event_tasks, moves, registration_changes
from services.event_content import change_content
from services.event_dates import EventDate, write_dates
from services.event_editing import cancel_event
from services.event_files import describe_event
from services.event_tasks import do_some, tell_cancelled, tell_of_dates
from services.events import LinkPolicy, note_move
from services.registrations import register
from storage import events, mails, registrations
from storage.jobs import LEASE_SECONDS, claim
from storage.models import Job
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql
from tests.races import race
from worker import people as worker


def add_event(database, people, **members):
    with database.write() as session:
        event = factories.make_event(session, **members)
    rows = []
    for name in "abcdefghij"[:people]:
        with database.write() as session:
            submission = factories.make_submission(event, email=f"{name}@example.com")
            rows.append(register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW))
    return event, [row.registration_id for row in rows]


def cancel(database, event):
    with database.write() as session:
        return cancel_event(session, events.need_event(session, event.id), now=NOW)


def work(database, now=NOW):
    """Do what a worker would do of the job `event` until nothing is due."""
    tasks = worker.EventTasks(database, read_clock=lambda: now)
    turns = 0
    while True:
        with database.write() as session:
            job = claim(session, kinds=["event"], owner="w", lease_seconds=LEASE_SECONDS, now=now)
        if job is None:
            return turns
        tasks.handle(job)
        turns += 1


def count_told(database, people, mail="event_cancelled"):
    with database.read() as session:
        names = [[mail.name for mail in mails.list_mails(session, person)] for person in people]
    return [of_one.count(mail) for of_one in names]


def test_everybody_is_told_though_nobody_stays_to_see_it(database, monkeypatch):
    monkeypatch.setattr(event_tasks, "TOLD_AT_ONCE", 1)
    monkeypatch.setattr(worker, "TURNS_AT_ONCE", 2)
    event, people = add_event(database, 4, capacity=3, has_waitlist=True)
    with database.write() as session:
        gone = registrations.get_registration(session, people[0])
        registration_changes.cancel(session, event, gone, actor="person", now=NOW)

    assert [cancel(database, event) for _ in range(2)] == [True, False]
    with database.write() as session:
        # Whoever did this has died before the rest was told.
        assert do_some(session, event.id, now=NOW)

    assert work(database) == 2
    assert count_told(database, people) == [0, 1, 1, 1]
    cancel(database, event)
    assert work(database) == 1
    assert count_told(database, people) == [0, 1, 1, 1]


def test_who_was_registering_at_that_moment_is_told_too(database):
    event, people = add_event(database, 1)
    cancel(database, event)
    work(database)
    # On PostgreSQL this transaction may have found the event open, and ended after that one.
    with database.write() as session:
        submission = factories.make_submission(event, email="late@example.com")
        late = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)

    work(database, NOW + event_tasks.LATE)

    assert count_told(database, [*people, late.registration_id]) == [1, 1]


def test_who_was_registering_while_the_event_was_moved_is_told_too(database):
    event, people = add_event(database, 1)
    with database.write() as session:
        moved = events.lock_event(session, event.id)
        wanted = describe_event(session, moved)
        wanted = replace(wanted, starts_at=event.starts_at + timedelta(days=1))
        moved = change_content(session, moved, wanted, pictures={}, now=NOW + timedelta(hours=1))
        moved_at = moved.moved_at
    work(database, moved_at)
    # On PostgreSQL the former time may be read, and told, until the move is seen by everybody.
    for seconds in (5, 30):
        with database.write() as session:
            submission = factories.make_submission(event, email=f"{seconds}@example.com")
            now = moved_at + timedelta(seconds=seconds)
            row = register(session, event, submission, policy=LinkPolicy.SHOW, now=now)
            people.append(row.registration_id)

    work(database, moved_at + event_tasks.LATE)

    assert count_told(database, people, "moved") == [1, 1, 0]


def test_everybody_who_counts_on_a_time_is_told_of_each_move(database, monkeypatch):
    monkeypatch.setattr(event_tasks, "TOLD_AT_ONCE", 1)
    event, people = add_event(database, 4, capacity=3, has_waitlist=True)
    with database.write() as session:
        gone = registrations.get_registration(session, people[0])
        registration_changes.cancel(session, event, gone, actor="person", now=NOW)

    def move(days, now):
        with database.write() as session:
            changed = events.need_event(session, event.id)
            former, changed.starts_at = changed.starts_at, event.starts_at + timedelta(days=days)
            note_move(session, changed, former, now=now)
            event_tasks.request_work(session, changed, now=now)

    assert count_told(database, people, "moved") == [0, 0, 0, 0]
    first, second = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    move(1, first)
    work(database, first)
    assert count_told(database, people, "moved") == [0, 1, 1, 1]
    with database.write() as session:
        submission = factories.make_submission(event, email="late@example.com")
        late = register(session, event, submission, policy=LinkPolicy.SHOW, now=first)
    # Back at the time that they registered for, which is news as well.
    move(0, second)
    work(database, second)
    everybody = [*people, late.registration_id]
    assert count_told(database, everybody, "moved") == [0, 2, 2, 2, 1]
    with database.write() as session:
        event_tasks.request_work(session, events.need_event(session, event.id), now=second)
    work(database, second)
    assert count_told(database, everybody, "moved") == [0, 2, 2, 2, 1]


def test_seats_that_came_up_are_given_in_several_transactions(database, monkeypatch):
    monkeypatch.setattr(moves, "MOST_MOVED_AT_ONCE", 1)
    event, _ = add_event(database, 4, capacity=1, has_waitlist=True)
    with database.write() as session:
        changed = events.need_event(session, event.id)
        changed.capacity = 3
        event_tasks.request_work(session, changed, now=NOW)

    work(database)

    with database.read() as session:
        counters = events.list_counters(session, event.id)
        assert (counters["status:approved"], counters["status:waitlisted"]) == (3, 1)
        assert session.scalar(select(Job.state).where(Job.kind == "event")) == "done"


@only_postgresql
@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("name", ["event_cancelled", "dates"])
def test_two_who_tell_at_once_tell_nobody_twice(
    database, database_url, monkeypatch, name, is_locked
):
    if not is_locked:
        monkeypatch.setattr(events, "lock_event", events.need_event)
    tell = {"event_cancelled": tell_cancelled, "dates": tell_of_dates}[name]
    event, people = add_event(database, 2)
    if name == "dates":
        with database.write() as session:
            date = EventDate("1", event.starts_at, 60, changed_at=NOW + timedelta(hours=1))
            event = events.need_event(session, event.id)
            event.dates = write_dates([date])
    else:
        cancel(database, event)
    both = threading.Barrier(2)

    def work(database):
        with database.write() as session:
            both.wait(10)
            found = events.lock_event(session, event.id)
            told = tell(session, found, limit=10, now=NOW + timedelta(hours=1))
            if not is_locked:
                both.wait(10)
        return told

    told = race(database_url, work, workers=2)

    assert sorted(told) == ([0, 2] if is_locked else [2, 2])
    assert count_told(database, people, name) == ([1, 1] if is_locked else [2, 2])


@pytest.mark.parametrize("is_series", [False, True])
def test_f27_move_by_a_clock_of_the_future_is_told_once_the_clock_is_right(database, is_series):
    event, people = add_event(database, 1)
    ahead = NOW + timedelta(hours=2)
    with database.write() as session:
        # By that clock too, and before the move.
        submission = factories.make_submission(event, email="ahead@example.com")
        then = ahead - timedelta(hours=1)
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=then)
        people.append(row.registration_id)
        moved = events.lock_event(session, event.id)
        if is_series:
            moved.dates = write_dates([EventDate("1", event.starts_at, 60, changed_at=ahead)])
        else:
            former, moved.starts_at = moved.starts_at, event.starts_at + timedelta(days=1)
            note_move(session, moved, former, now=ahead)

    turns = []
    for minute in range(4):
        with database.write() as session:
            turns.append(do_some(session, event.id, now=NOW + timedelta(minutes=minute)))

    assert turns == [True, False, False, False]
    assert count_told(database, people, "dates" if is_series else "moved") == [1, 1]


@only_postgresql
def test_work_for_an_event_and_who_moves_it_wait_in_one_order(database, database_url, monkeypatch):
    event, _ = add_event(database, 1)
    real, has_seats, has_event = moves.fill_free_seats, threading.Event(), threading.Event()

    def fill_slowly(*arguments, **named):
        done = real(*arguments, **named)
        has_seats.set()
        # Whoever moves the event cannot have its row meanwhile; if they had, both would wait.
        has_event.wait(0.5)
        return done

    monkeypatch.setattr(event_tasks, "fill_free_seats", fill_slowly)

    def work(database):
        with database.write() as session:
            return do_some(session, event.id, now=NOW)

    def move(database):
        has_seats.wait(10)
        with database.write() as session:
            moved = events.lock_event(session, event.id)
            has_event.set()
            former, moved.starts_at = moved.starts_at, moved.starts_at + timedelta(days=1)
            note_move(session, moved, former, now=NOW)

    tasks = iter([work, move])
    lock = threading.Lock()

    def do(database):
        with lock:
            task = next(tasks)
        return task(database)

    assert set(race(database_url, do, workers=2)) == {False, None}
