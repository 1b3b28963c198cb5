"""Threads that claim jobs: one bad job, one slow lane or one lost database stops nothing else."""

import logging
import sqlite3
import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy.exc
from sqlalchemy import select, text

from storage import heartbeats, job_requests, jobs
from storage.jobs import POISONOUS_AFTER, LeaseLost
from storage.models import Job
from storage.session import SPARE_CONNECTIONS, Database
from tests.clock import Clock
from tests.fixtures.databases import only_postgresql, only_sqlite, open_database
from tests.installation import wait_until
from worker import loop
from worker.loop import GIVE_UP_AFTER, Lane, Worker


class Bench:
    """A queue with jobs of two kinds, `good` and `bad`, and what was done with them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.done: list[str] = []

    def add(self, key: str, *, kind: str = "good", hours: float = 0) -> None:
        with self.database.write() as session:
            now = self.clock()
            run_at = now + timedelta(hours=hours)
            job_requests.enqueue(session, kind=kind, key=key, payload={}, run_at=run_at, now=now)

    def claim(self, kind: str, owner: str) -> None:
        with self.database.write() as session:
            now = self.clock()
            assert jobs.claim(session, kinds=[kind], owner=owner, lease_seconds=60, now=now)

    def finish(self, job: jobs.ClaimedJob) -> None:
        with self.database.write() as session:
            jobs.finish(session, job, now=self.clock())
        self.done.append(job.key)

    def fail(self, job: jobs.ClaimedJob) -> None:
        raise ZeroDivisionError("taro@example.com divided by zero")

    def make_worker(self, **handlers) -> Worker:
        handlers = {"good": self.finish, "bad": self.fail} | handlers
        lanes = [Lane(kind, {kind: handler}, 1) for kind, handler in handlers.items()]
        return Worker(self.database, lanes, read_clock=self.clock)

    def read(self, key: str) -> Job:
        with self.database.read() as session:
            job = session.scalar(select(Job).where(Job.key == key))
            assert job is not None
            return job

    def wait_for(self, *keys: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not set(self.done).issuperset(keys):
            assert time.monotonic() < deadline, f"only {self.done} were done"
            time.sleep(0.005)


@pytest.fixture
def bench(database):
    return Bench(database)


@pytest.fixture
def run(bench):
    """Run workers in threads until the test ends."""
    running = []

    def run(worker):
        thread = threading.Thread(target=worker.run)
        thread.start()
        running.append((worker, thread))
        return thread

    yield run
    for worker, thread in running:
        worker.stop()
        thread.join()


def test_drain_works_off_what_is_due_and_leaves_the_rest(bench):
    bench.add("now")
    bench.add("later", hours=1)

    bench.make_worker().drain()

    assert bench.done == ["now"]
    assert bench.read("later").state == "ready"


def test_job_that_fails_is_put_back_without_its_details(bench, caplog):
    bench.add("a", kind="bad")

    bench.make_worker().drain()

    job = bench.read("a")
    assert (job.state, job.attempts) == ("ready", 1)
    assert job.reason == f"unexpected ZeroDivisionError since {bench.clock():%Y-%m-%d %H:%M:%S} UTC"
    assert job.run_at > bench.clock()
    assert [record.message for record in caplog.records] == ["job failed"]


@only_sqlite
def test_job_that_always_fails_is_put_aside(bench, caplog):
    caplog.set_level(logging.CRITICAL)
    bench.add("a", kind="bad")
    worker, began_at = bench.make_worker(), bench.clock()

    for _ in range(GIVE_UP_AFTER):
        worker.drain()
        bench.clock.move(hours=2)
    worker.drain()

    job = bench.read("a")
    assert (job.state, job.attempts) == ("parked", GIVE_UP_AFTER)
    since = f"{began_at:%Y-%m-%d %H:%M:%S} UTC"
    assert job.reason == f"GivenUp: unexpected ZeroDivisionError, 20 times since {since}"


@pytest.fixture
def waited_for_long(bench):
    """A job whose handler has waited for another system once less often than failing allows."""
    bench.add("a")

    def wait(job):
        with bench.database.write() as session:
            run_at, now = bench.clock() + timedelta(hours=1), bench.clock()
            jobs.postpone(session, job, run_at=run_at, reason="MailUnavailable", now=now)

    worker = bench.make_worker(good=wait)
    for _ in range(GIVE_UP_AFTER - 1):
        worker.drain()
        bench.clock.move(hours=2)


@only_sqlite
def test_one_failure_after_long_waiting_is_tried_again(bench, waited_for_long, caplog):
    caplog.set_level(logging.CRITICAL)

    bench.make_worker(good=bench.fail).drain()

    job = bench.read("a")
    assert (job.state, job.attempts) == ("ready", GIVE_UP_AFTER)
    assert job.reason.startswith("unexpected ZeroDivisionError since ")


@only_sqlite
def test_failing_database_puts_no_job_aside(bench, caplog):
    caplog.set_level(logging.CRITICAL)

    def lock(job):
        raise sqlalchemy.exc.OperationalError("BEGIN", None, sqlite3.OperationalError("locked"))

    bench.add("a")
    worker = bench.make_worker(good=lock)

    for _ in range(GIVE_UP_AFTER + 1):
        worker.drain()
        bench.clock.move(hours=2)

    job = bench.read("a")
    assert (job.state, job.attempts) == ("ready", GIVE_UP_AFTER + 1)
    assert job.reason.startswith("OperationalError: the database failed, 21 times since ")


def test_job_that_another_took_is_left_to_it(bench, caplog):
    def lose(job):
        bench.clock.move(seconds=61)
        bench.claim("bad", "other")
        with bench.database.write() as session:
            jobs.hold(session, job, lease_seconds=60, now=bench.clock())

    bench.add("a", kind="bad")

    bench.make_worker(bad=lose).drain()

    job = bench.read("a")
    assert (job.state, job.owner, job.attempts) == ("running", "other", 2)
    assert [record.message for record in caplog.records] == ["another worker took the job"]
    assert LeaseLost.__name__ not in job.reason


def test_what_is_left_of_a_batch_of_which_one_was_lost_is_handed_back(bench):
    def lose(job):
        bench.clock.move(seconds=61)
        bench.claim("bad", "other")
        bench.claim("bad", job.owner)
        with bench.database.write() as session:
            jobs.hold(session, job, lease_seconds=60, now=bench.clock())

    bench.add("a", kind="bad")
    bench.add("b", kind="bad", hours=0.01)

    bench.make_worker(bad=lose).drain()

    lost, left = bench.read("a"), bench.read("b")
    assert (lost.state, lost.owner) == ("running", "other")
    assert (left.state, left.owner, left.crashes) == ("ready", None, 0)


def test_slow_lane_does_not_hold_up_another(bench, run):
    is_released = threading.Event()
    bench.add("slow", kind="bad")
    run(bench.make_worker(bad=lambda job: is_released.wait(10) and bench.finish(job)))
    bench.add("quick")

    bench.wait_for("quick")
    assert bench.done == ["quick"]
    is_released.set()
    bench.wait_for("slow")


def test_idle_worker_is_woken_at_once(bench, run, monkeypatch):
    monkeypatch.setattr(loop, "IDLE_SECONDS", 600)
    run(bench.make_worker())

    for key in "abcde":
        bench.add(key)
        bench.wait_for(key)


def test_threads_that_wait_for_work_hold_no_connection(bench, run):
    pool = bench.database.engine.pool
    threads = pool.size() + SPARE_CONNECTIONS + 1
    lane = Lane("good", {"good": bench.finish}, threads)
    run(Worker(bench.database, [lane], read_clock=bench.clock))
    bench.add("a")
    bench.wait_for("a")

    deadline = time.monotonic() + 20  # a pool makes nobody wait for longer
    while pool.checkedout() != 1:
        assert time.monotonic() < deadline, f"{pool.checkedout()} connections are held"
        time.sleep(0.005)


def test_one_ring_is_enough_for_all_threads_of_a_lane(bench, run, monkeypatch):
    monkeypatch.setattr(loop, "IDLE_SECONDS", 600)
    everybody = threading.Barrier(4)
    lane = Lane("good", {"good": lambda job: (everybody.wait(30), bench.finish(job))}, 4)
    run(Worker(bench.database, [lane], read_clock=bench.clock))
    with bench.database.write() as session:
        for key in "abcd":
            now = bench.clock()
            job_requests.enqueue(session, kind="good", key=key, payload={}, run_at=now, now=now)

    bench.wait_for(*"abcd")


def test_worker_that_is_stopped_finishes_what_it_holds(bench, run):
    is_held, is_released = threading.Event(), threading.Event()

    def handle(job):
        is_held.set()
        is_released.wait(10)
        bench.finish(job)

    bench.add("a")
    worker = bench.make_worker(good=handle)
    thread = run(worker)
    assert is_held.wait(10)
    bench.add("b")
    worker.stop()
    is_released.set()
    thread.join(10)

    assert bench.done == ["a"]
    assert bench.read("b").state == "ready"


def test_running_worker_gives_signs_of_life(bench, run):
    def has_lived():
        with bench.database.read() as session:
            now = bench.clock()
            return heartbeats.has_lived_since(session, now.replace(year=2000), now=now)

    assert not has_lived()
    run(bench.make_worker())

    wait_until(has_lived)


def let_workers_die(bench, kind):
    for number in range(3):
        bench.claim(kind, f"dead-{number}")
        bench.clock.move(seconds=61)


def test_job_that_its_workers_die_of_is_put_aside_and_others_go_on(bench, caplog):
    bench.add("poison", kind="bad")
    let_workers_die(bench, "bad")
    bench.add("good")

    bench.make_worker().drain()

    poison = bench.read("poison")
    reason = "its worker died, or was cut off from the database, 3 times while it ran"
    assert (poison.state, poison.reason) == ("parked", f"GivenUp: {reason}")
    assert bench.done == ["good"]
    assert [(r.levelname, r.reason) for r in caplog.records] == [("ERROR", reason)]


@only_sqlite
def test_outage_that_keeps_jobs_from_being_put_back_is_nobodys_death(bench, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(loop, "IDLE_SECONDS", 0)

    def take_both_and_lose_the_database(job):
        bench.claim("good", job.owner)
        take_tables_away(bench)
        bench.finish(job)

    bench.add("a")
    bench.add("b")
    worker = bench.make_worker(good=take_both_and_lose_the_database)

    for _ in range(POISONOUS_AFTER):
        worker.drain()
        bring_tables_back(bench)
        worker.drain()
        found = [bench.read(key) for key in "ab"]
        assert [(job.state, job.crashes) for job in found] == [("ready", 0)] * 2
        bench.clock.move(seconds=61)

    bench.make_worker().drain()
    assert bench.done == ["a", "b"]


def test_job_that_was_put_aside_runs_when_it_is_needed_anew(bench, caplog):
    bench.add("a")
    let_workers_die(bench, "good")
    worker = bench.make_worker()
    worker.drain()
    assert bench.done == []

    bench.add("a")
    worker.drain()

    assert bench.done == ["a"]


def test_outage_of_the_database_is_told_once_and_its_end_once(databases, caplog):
    url = databases.make_migrated()
    bench = Bench(open_database(url))
    worker = bench.make_worker()
    bench.add("a")
    take_tables_away(bench)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        wait_for_lines(caplog, 1)
        time.sleep(1.5)  # each thread tries every second
        bring_tables_back(bench)
        bench.wait_for("a")
        wait_for_lines(caplog, 2)
    finally:
        worker.stop()
        thread.join()
        bench.database.dispose()
        databases.drop(url)

    begun, ended = [(r.levelname, r.message) for r in caplog.records]
    assert begun == ("ERROR", "the database does not take our work")
    assert ended == ("WARNING", "the database takes our work again")
    assert caplog.records[1].seconds >= 1.5


def take_tables_away(bench):
    with bench.database.write() as session:
        for name in ("job", "worker_heartbeat"):
            session.execute(text(f"ALTER TABLE {name} RENAME TO {name}_away"))


def bring_tables_back(bench):
    with bench.database.write() as session:
        for name in ("job", "worker_heartbeat"):
            session.execute(text(f"ALTER TABLE {name}_away RENAME TO {name}"))


def wait_for_lines(caplog, count):
    deadline = time.monotonic() + 30
    while len(caplog.records) < count:
        assert time.monotonic() < deadline, "nothing was told"
        time.sleep(0.01)


@only_sqlite
def test_what_one_look_fails_at_keeps_no_other_from_it(bench, caplog):
    def fail():
        raise LookupError

    worker = Worker(
        bench.database, [], looks=(fail, lambda: bench.done.append("a")), read_clock=bench.clock
    )
    worker.look()

    assert bench.done == ["a"]
    assert [line.levelname for line in caplog.records] == ["ERROR"]


@only_postgresql
def test_look_that_the_database_finds_too_slow_keeps_no_other_from_it(bench, caplog):
    def dawdle():
        with bench.database.write() as session:
            session.execute(text("SET LOCAL statement_timeout = 20"))
            session.execute(text("SELECT pg_sleep(20)"))

    worker = Worker(
        bench.database, [], looks=(dawdle, lambda: bench.done.append("a")), read_clock=bench.clock
    )
    worker.look()

    assert bench.done == ["a"]
    assert [line.message for line in caplog.records] == ["nobody looked for what stands still"]


@only_sqlite
def test_nobody_looks_on_while_the_database_is_away(bench, caplog):
    def fail():
        raise sqlalchemy.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError("away"))

    worker = Worker(
        bench.database, [], looks=(fail, lambda: bench.done.append("a")), read_clock=bench.clock
    )
    worker.look()
    worker.look()

    assert bench.done == []
    assert [line.message for line in caplog.records] == ["the database does not take our work"]
