"""The queue: who holds a job, for how long, and what becomes of it."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storage import job_lists, job_requests, jobs
from storage.models import Job
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql
from tests.races import race

LEASE = 60
LATER = NOW + timedelta(seconds=LEASE)


def enqueue(session, key="a", *, kind="zoom.sync", run_at=NOW, now=NOW):
    job_requests.enqueue(
        session, kind=kind, key=key, payload={"id": key}, event_id=7, run_at=run_at, now=now
    )


def claim(session, owner="one", *, now=NOW, kinds=("zoom.sync",)):
    return jobs.claim(session, kinds=kinds, owner=owner, lease_seconds=LEASE, now=now)


def add_and_claim(database):
    with database.write() as session:
        enqueue(session)
        return claim(session)


def read_job(database, key="a"):
    with database.read() as session:
        return session.scalar(select(Job).where(Job.key == key))


def test_rolled_back_work_is_not_queued(database):
    with pytest.raises(ZeroDivisionError), database.write() as session:
        enqueue(session)
        raise ZeroDivisionError

    assert read_job(database) is None


def test_job_knows_its_event(database):
    with database.write() as session:
        for event_id in (1, 2):
            job_requests.enqueue(
                session,
                kind="mail",
                key="a",
                payload={},
                event_id=event_id,
                run_at=NOW,
                now=NOW,
            )

    assert read_job(database).event_id == 2


def test_claimed_job_counts_its_attempt_first(database):
    job = add_and_claim(database)

    row = read_job(database)
    assert (job.attempts, job.generation, job.payload) == (1, 1, {"id": "a"})
    assert (row.state, row.attempts, row.owner, row.lease_until) == ("running", 1, "one", LATER)


def test_job_is_held_by_one_worker(database):
    add_and_claim(database)

    with database.write() as session:
        assert not jobs.has_due(session, kinds=["zoom.sync"], now=NOW)
        assert claim(session, "two") is None


def test_job_of_another_kind_is_left_alone(database):
    with database.write() as session:
        enqueue(session, kind="mail")

        assert claim(session, kinds=("zoom.sync", "zoom.settle")) is None
        assert claim(session, kinds=("mail",)) is not None


def test_job_is_not_due_before_its_time(database):
    with database.write() as session:
        enqueue(session, run_at=LATER)

        assert claim(session) is None
        assert claim(session, now=LATER) is not None


def test_oldest_due_job_comes_first(database):
    with database.write() as session:
        enqueue(session, "young", run_at=NOW)
        enqueue(session, "old", run_at=NOW - timedelta(minutes=1))

        assert claim(session).key == "old"


def test_expired_lease_goes_to_another_worker(database):
    add_and_claim(database)

    with database.write() as session:
        taken = claim(session, "two", now=LATER)

    assert (taken.owner, taken.attempts) == ("two", 2)


@pytest.mark.parametrize(
    "end",
    [
        lambda session, job: jobs.hold(session, job, lease_seconds=LEASE, now=LATER),
        lambda session, job: jobs.finish(session, job, now=LATER),
        lambda session, job: jobs.hold_all(session, [job], lease_seconds=LEASE, now=LATER),
        lambda session, job: jobs.finish_all(session, [job], now=LATER),
        lambda session, job: jobs.park(session, job, reason="refused", now=LATER),
        lambda session, job: jobs.postpone(session, job, run_at=NOW, reason="busy", now=LATER),
    ],
    ids=["hold", "finish", "hold_all", "finish_all", "park", "postpone"],
)
def test_late_worker_changes_nothing(database, end):
    job = add_and_claim(database)
    with database.write() as session:
        claim(session, "two", now=LATER)

    with pytest.raises(jobs.LeaseLost), database.write() as session:
        enqueue(session, "result")
        end(session, job)

    assert read_job(database).owner == "two"
    assert read_job(database, "result") is None


def test_workers_that_died_of_a_job_are_counted(database):
    add_and_claim(database)

    with database.write() as session:
        crashes = [claim(session, now=NOW + timedelta(minutes=n)).crashes for n in (1, 2, 3)]

    assert crashes == [1, 2, 3]


def test_what_is_let_go_of_keeps_its_deaths_and_leaves_others_alone(database):
    add_and_claim(database)
    with database.write() as session:
        claim(session, "two", now=LATER)
        enqueue(session, "b")
        claim(session, "three", now=LATER)

    with database.write() as session:
        jobs.let_go(session, "two", run_at=LATER, reason="away", now=LATER)

    job, other = read_job(database), read_job(database, "b")
    assert (job.state, job.owner, job.lease_until) == ("ready", None, None)
    assert (job.crashes, job.attempts, job.reason) == (1, 2, "away")
    assert (other.state, other.owner) == ("running", "three")


def test_sign_of_life_begins_the_count_anew(database):
    job = add_and_claim(database)
    with database.write() as session:
        again = claim(session, "two", now=LATER)
        jobs.postpone(session, again, run_at=LATER, reason="busy", now=LATER)

        assert (job.crashes, again.crashes, claim(session, now=LATER).crashes) == (0, 1, 0)


def test_job_that_many_ask_for_keeps_its_time(database):
    with database.write() as session:
        for minute in range(3):
            run_at = NOW + timedelta(minutes=minute)
            job_requests.ensure(session, kind="mail", key="a", payload={}, run_at=run_at, now=NOW)

    job = read_job(database)
    assert (job.state, job.run_at, job.generation) == ("ready", NOW, 3)


def test_job_that_is_over_gets_the_time_it_is_asked_for(database):
    job = add_and_claim(database)
    with database.write() as session:
        jobs.finish(session, job, now=NOW)
        job_requests.ensure(session, kind="mail", key="a", payload={}, run_at=LATER, now=NOW)

    assert (read_job(database).state, read_job(database).run_at) == ("ready", LATER)


@pytest.mark.parametrize(("is_raised", "at"), [(False, LATER), (True, NOW)])
def test_repeated_job_is_late_only_from_its_next_time_on(database, is_raised, at):
    job = add_and_claim(database)
    with database.write() as session:
        if is_raised:
            enqueue(session)
        jobs.repeat(session, job, at=LATER, now=NOW)

    again = read_job(database)
    assert (again.state, again.run_at, again.due_since) == ("ready", at, at)
    assert again.attempts == 0


@pytest.mark.parametrize(("ahead", "is_due"), [(60, False), (61, True)])
def test_job_of_a_clock_that_was_set_back_is_due(database, ahead, is_due):
    then = NOW + timedelta(seconds=ahead)
    with database.write() as session:
        enqueue(session, run_at=then, now=then)

        assert jobs.has_due(session, kinds=["zoom.sync"], now=NOW) is is_due
        assert (claim(session) is not None) is is_due


def test_lease_of_a_clock_that_was_set_back_is_over(database):
    with database.write() as session:
        enqueue(session)
        claim(session, "dead", now=NOW + timedelta(days=2))

        assert claim(session, "two").owner == "two"


def test_held_lease_is_renewed(database):
    job = add_and_claim(database)
    soon = NOW + timedelta(seconds=30)

    with database.write() as session:
        jobs.hold(session, job, lease_seconds=LEASE, now=soon)

    assert read_job(database).lease_until == soon + timedelta(seconds=LEASE)


def test_finished_job_is_done(database):
    job = add_and_claim(database)

    with database.write() as session:
        jobs.finish(session, job, now=NOW)

    row = read_job(database)
    assert (row.state, row.owner, row.lease_until) == ("done", None, None)


def test_job_may_end_without_its_work_for_a_reason(database):
    job = add_and_claim(database)

    with database.write() as session:
        jobs.finish(session, job, reason="the event is over", now=NOW)

    assert (read_job(database).state, read_job(database).reason) == ("done", "the event is over")


def test_work_needed_again_while_it_runs_is_done_again(database):
    job = add_and_claim(database)
    with database.write() as session:
        enqueue(session)
        assert claim(session, "two") is None

    with database.write() as session:
        jobs.finish(session, job, now=NOW)
        again = claim(session, "two")

    assert (again.generation, again.attempts) == (2, 1)


def add_and_claim_several(database, keys="abc"):
    with database.write() as session:
        for key in keys:
            enqueue(session, key)
        return [claim(session) for _ in keys]


def test_each_of_several_jobs_is_finished_by_its_own_generation(database):
    batch = add_and_claim_several(database)
    with database.write() as session:
        enqueue(session, batch[1].key)

    with database.write() as session:
        jobs.finish_all(session, batch, now=LATER)

    rows = [read_job(database, job.key) for job in batch]
    assert [(row.state, row.attempts) for row in rows] == [("done", 1), ("ready", 0), ("done", 1)]
    assert {(row.owner, row.lease_until, row.run_at) for row in rows} == {(None, None, LATER)}


def test_generation_of_one_job_ends_no_other(database):
    batch = add_and_claim_several(database)
    with database.write() as session:
        enqueue(session, batch[0].key)
        jobs.finish(session, batch[0], now=NOW)
        again = claim(session)
        enqueue(session, batch[1].key)

        jobs.finish_all(session, [again, batch[1]], now=NOW)

    assert again.generation == 2
    assert [read_job(database, job.key).state for job in batch] == ["done", "ready", "running"]


@pytest.mark.parametrize(
    "end",
    [
        lambda session, batch: jobs.hold_all(session, batch, lease_seconds=LEASE, now=LATER),
        lambda session, batch: jobs.finish_all(session, batch, now=LATER),
    ],
    ids=["hold", "finish"],
)
def test_worker_that_lost_one_of_several_jobs_stores_nothing(database, end):
    batch = add_and_claim_several(database)
    with database.write() as session:
        taken = claim(session, "two", now=LATER)
    before = [read_job(database, job.key).lease_until for job in batch]

    with pytest.raises(jobs.LeaseLost), database.write() as session:
        end(session, batch)

    rows = [read_job(database, job.key) for job in batch]
    assert {row.state for row in rows} == {"running"}
    assert [row.lease_until for row in rows] == before
    assert [row.owner for row in rows].count("one") == 2
    assert read_job(database, taken.key).owner == "two"


def test_work_needed_again_after_it_was_done_is_ready(database):
    job = add_and_claim(database)
    with database.write() as session:
        jobs.finish(session, job, now=NOW)
        enqueue(session)

        assert claim(session).generation == 2


@pytest.mark.parametrize("end", ["park", "postpone"])
def test_work_needed_again_is_due_whatever_became_of_it(database, end):
    job = add_and_claim(database)
    with database.write() as session:
        enqueue(session)
        if end == "park":
            jobs.park(session, job, reason="refused", now=NOW)
        else:
            jobs.postpone(session, job, run_at=LATER, reason="busy", now=NOW)

        assert claim(session).attempts == 1


def test_firm_wait_goes_on_though_work_is_needed_again(database):
    job = add_and_claim(database)
    with database.write() as session:
        enqueue(session)
        jobs.postpone(session, job, run_at=LATER, reason="day", now=NOW, is_firm=True)

    row = read_job(database)
    assert (row.state, row.run_at, row.attempts) == ("ready", LATER, 1)


def test_postponed_job_waits_with_its_reason(database):
    job = add_and_claim(database)

    with database.write() as session:
        jobs.postpone(session, job, run_at=LATER, reason="busy", now=NOW)

    row = read_job(database)
    assert (row.state, row.run_at, row.reason, row.attempts) == ("ready", LATER, "busy", 1)


def test_wait_that_is_no_attempt_is_not_counted(database):
    job = add_and_claim(database)

    with database.write() as session:
        jobs.postpone(session, job, run_at=LATER, reason="day", now=NOW, is_attempt=False)

    assert read_job(database).attempts == 0


def test_parked_job_waits_for_somebody(database):
    job = add_and_claim(database)
    with database.write() as session:
        jobs.park(session, job, reason="refused", now=NOW)
        assert claim(session, now=NOW + timedelta(days=9)) is None

        assert job_lists.retry(session, job.key, now=NOW)
        assert claim(session).attempts == 1


def test_running_job_is_neither_retried_nor_dropped(database):
    job = add_and_claim(database)

    with database.write() as session:
        assert not job_lists.retry(session, job.key, now=NOW)
        assert not job_lists.drop(session, job.key)


def test_dropped_job_is_gone(database):
    with database.write() as session:
        enqueue(session)
        assert job_lists.drop(session, "a")

    assert read_job(database) is None


def test_hastened_job_is_due_now(database):
    with database.write() as session:
        enqueue(session, run_at=LATER)
        assert job_requests.hasten(session, ["a", "b"], now=NOW) == 1

        assert claim(session) is not None
        assert job_requests.hasten(session, ["a"], now=NOW) == 0


def test_jobs_are_listed_by_state(database):
    with database.write() as session:
        enqueue(session, "a")
        enqueue(session, "b", kind="mail")
        job = claim(session)
        jobs.park(session, job, reason="refused", now=NOW)

    with database.read() as session:
        parked = job_lists.list_jobs(session, states=["parked"], limit=10)
    assert [(row.key, row.reason) for row in parked] == [("a", "refused")]


def test_workers_at_once_never_share_a_job(database_url, database):
    with database.write() as session:
        for number in range(40):
            enqueue(session, f"job-{number:02}")

    def work(own):
        keys = []
        while True:
            with own.write() as session:
                job = claim(session, str(threading.get_ident()))
            if job is None:
                return keys
            keys.append(job.key)

    keys = [key for taken in race(database_url, work) for key in taken]

    assert sorted(keys) == [f"job-{number:02}" for number in range(40)]


def test_workers_that_look_without_a_lock_would_share_or_fail(database_url, database):
    with database.write() as session:
        enqueue(session, "first")
        enqueue(session, "second", run_at=LATER)
    have_looked = threading.Barrier(2, timeout=10)

    def work(own):
        with Session(own.engine) as session:
            job = session.scalar(select(Job).order_by(Job.run_at).limit(1))
            have_looked.wait()
            try:
                job.state = "running"
                session.commit()
            except OperationalError:
                return "locked"
            return job.key

    keys = sorted(race(database_url, work, workers=2))

    assert keys == (["first", "locked"] if database.is_sqlite else ["first", "first"])


def test_worker_takes_the_next_job_while_one_is_being_taken(postgresql_databases):
    url = postgresql_databases.make_migrated()

    def fill(own):
        with own.write() as session:
            enqueue(session, "first")
            enqueue(session, "second")

    def take_both(own):
        with own.write() as one, own.write() as two:
            return claim(one, "one").key, claim(two, "two").key

    race(url, fill, workers=1)

    assert race(url, take_both, workers=1) == [("first", "second")]


def test_wait_is_counted_from_when_the_work_was_first_due(database):
    with database.write() as session:
        enqueue(session)
    for minutes in (1, 10):
        later = NOW + timedelta(minutes=minutes)
        with database.write() as session:
            jobs.postpone(session, claim(session, now=later), run_at=later, reason="", now=later)
            enqueue(session, run_at=later, now=later)
    assert read_job(database).due_since == NOW

    with database.write() as session:
        jobs.finish(session, claim(session, now=later), now=later)
        enqueue(session, run_at=later, now=later)
    assert read_job(database).due_since == later


def test_work_that_is_hastened_is_due_from_then_on(database):
    with database.write() as session:
        enqueue(session, run_at=NOW + timedelta(hours=1))
        job_requests.hasten(session, ["a"], now=LATER)

    assert read_job(database).due_since == LATER


MANY = [f"job{number}" for number in range(30)]


def claim_many_at_once(database, database_url, *, is_locked):
    """Have four workers claim the same thirty jobs; return how many they got in all."""
    with database.write() as session:
        for key in MANY:
            enqueue(session, key)
    barrier = threading.Barrier(4)

    def list_due(session):
        return jobs.lock_due(session, "zoom.sync", event_id=7, limit=30, now=NOW)

    def take(session, job):
        jobs.take(job, owner="w", lease_seconds=LEASE, now=NOW)
        session.flush()

    def work(database):
        if not is_locked:
            with database.read() as session:
                ids = sorted(job.id for job in list_due(session))
            barrier.wait()
        with database.write() as session:
            found = list_due(session) if is_locked else [session.get(Job, i) for i in ids]
            for job in found:
                take(session, job)
        return len(found)

    return sum(race(database_url, work))


def test_each_of_many_jobs_is_claimed_by_one_worker(database, database_url):
    assert claim_many_at_once(database, database_url, is_locked=True) == len(MANY)


def test_many_jobs_claimed_without_a_lock_go_to_everybody(database, database_url):
    assert claim_many_at_once(database, database_url, is_locked=False) > len(MANY)


def test_jobs_of_another_event_or_held_by_somebody_are_not_listed(database):
    with database.write() as session:
        for key in ("a", "b", "c"):
            enqueue(session, key)
        job_requests.enqueue(
            session, kind="zoom.sync", key="d", payload={}, event_id=8, run_at=NOW, now=NOW
        )
        enqueue(session, "later", run_at=LATER)
        claim(session)

        due = jobs.lock_due(session, "zoom.sync", event_id=7, limit=9, now=NOW)
        count = jobs.count_due(session, "zoom.sync", event_id=7, most=9, now=NOW)

    assert ([job.key for job in due], count) == (["b", "c"], 2)


MANY_DONE = text("""
    INSERT INTO job (kind, key, payload, state, generation, attempts, crashes, run_at, reason,
                     created_at, updated_at)
    SELECT 'mail', 'mail:' || n, '{}', 'done', 1, 1, 0, :now, '', :now, :now
    FROM generate_series(1, 30000) n
""")
SCANS = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'job'")


@only_postgresql
def test_workers_read_nothing_of_what_is_done(database):
    """Also once PostgreSQL has had so many of their questions that it would plan for any values."""
    with database.write() as session:
        session.execute(MANY_DONE, {"now": NOW})
        session.execute(text("ANALYZE job"))

    with database.read() as session:
        for _ in range(20):
            assert not jobs.has_due(session, kinds=["mail", "proof_mail"], now=NOW)
        assert session.scalar(SCANS) == 0
