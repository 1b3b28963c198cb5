"""Reading many registrations at once, and that a million others are not read for a few."""

import pytest
from sqlalchemy import event, text

from storage import job_requests, registration_lists
from tests.factories import NOW

DONE = 2000


@pytest.fixture
def explain(database):
    """Return how the database would do the statement of a call."""

    def explain(call):
        asked = []

        def keep(_connection, _cursor, statement, parameters, *_):
            asked.append((statement, parameters))

        event.listen(database.engine, "before_cursor_execute", keep)
        with database.read() as session:
            call(session)
        event.remove(database.engine, "before_cursor_execute", keep)
        [(statement, parameters)] = asked
        how = "EXPLAIN" if database.engine.name == "postgresql" else "EXPLAIN QUERY PLAN"
        with database.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"{how} {statement}", parameters)
            return "\n".join(str(row[-1]) for row in plan)

    return explain


@pytest.mark.parametrize("dates", [None, ["d1"]], ids=["alone", "series"])
def test_whose_work_has_ended_undone_are_found_in_the_index(database, explain, dates):
    with database.write() as session:
        for number in range(DONE):
            job_requests.enqueue_about(
                session, job_requests.ZOOM_SYNC, number, event_id=1, run_at=NOW, now=NOW
            )
        session.execute(text("UPDATE job SET state = 'done'"))
        session.execute(text("ANALYZE job"))

    plan = explain(
        lambda session: registration_lists.list_stopped(
            session, 1, reason="over", dates_reason="none left", dates=dates, limit=100
        )
    )

    assert "ix_job_stopped" in plan
    assert "Seq Scan on job" not in plan
