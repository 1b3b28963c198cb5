"""Counting what waits: the numbers, and that a million registrations are not read for them."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from storage import job_requests, overview
from tests.factories import NOW
from tests.fixtures.databases import only_sqlite


@pytest.fixture
def explain(database):
    """Return how SQLite would do the statements of a call."""

    def explain(call):
        asked = []

        def keep(_connection, _cursor, statement, parameters, *_):
            asked.append((statement, parameters))

        event.listen(database.engine, "before_cursor_execute", keep)
        with database.read() as session:
            call(session)
        event.remove(database.engine, "before_cursor_execute", keep)
        with database.engine.connect() as connection:
            return [
                step.detail
                for statement, parameters in asked
                for step in connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
            ]

    return explain


@only_sqlite
def test_deliveries_are_counted_from_an_index_alone(explain):
    [step, *_] = explain(lambda session: overview.count_deliveries(session, 1))
    assert "USING COVERING INDEX ix_zoom_registrant_event_id_delivery" in step


@only_sqlite
@pytest.mark.parametrize(
    "call",
    [
        lambda session: overview.list_waiting_jobs(
            session, starts={1: NOW}, but_for="KeepsDates", now=NOW
        ),
        lambda session: overview.count_mail_jobs(session, now=NOW),
        lambda session: overview.list_parked_jobs(session),
    ],
)
def test_work_that_is_done_is_not_read(explain, call):
    steps = explain(call)
    [of_jobs] = [step for step in steps if " job " in f"{step} "]
    assert of_jobs.startswith("SEARCH job USING INDEX ix_job_state_kind")
    assert "(state=?" in of_jobs


@only_sqlite
def test_mails_that_were_refused_are_found_in_the_index(explain):
    steps = explain(lambda session: overview.list_refused_mails(session, problem="MailRefused"))
    of_jobs = [step for step in steps if " job" in step]
    assert len(of_jobs) == 10
    assert all("USING INDEX ix_job_state_kind_run_at_event_id (state=?" in step for step in of_jobs)
    assert not any("TEMP B-TREE" in step for step in steps)


def test_mails_are_due_or_come_later(database):
    with database.write() as session:
        for key, minutes in (("a", -40), ("b", -1), ("c", 5)):
            run_at = NOW + timedelta(minutes=minutes)
            job_requests.enqueue(session, kind="mail", key=key, payload={}, run_at=run_at, now=NOW)
    with database.read() as session:
        found = overview.count_mail_jobs(session, now=NOW)
    assert found == overview.MailJobs(2, NOW - timedelta(minutes=40), 1)
