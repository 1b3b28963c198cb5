"""F22: a job that kills every worker that takes it does not hold up the others."""

import pytest
from sqlalchemy import select

from services.fault_points import FAULT_VARIABLE
from storage.jobs import POISONOUS_AFTER
from storage.models import Job
from tests.faults.crowd import Crowd
from tests.faults.journals import settle
from tests.people import ANN, HANAKO, TARO


def read_jobs(site):
    with site.database.read() as session:
        jobs = session.scalars(select(Job).where(Job.kind == "zoom.sync").order_by(Job.id))
        return [(job.key, job.state, job.reason) for job in jobs]


@pytest.mark.real_time
def test_f22_poison_is_put_aside_and_the_others_go_on(site):
    site.add_event(slug="spring")
    crowd = Crowd(site.url)
    crowd.register(TARO)
    for _ in range(POISONOUS_AFTER):
        worker = site.start_worker_process(**{FAULT_VARIABLE: "after_claim:kill"})
        assert worker.wait(60) == -9
        site.end_leases()
    for person in (HANAKO, ANN):
        crowd.register(person)

    site.drain()

    [(key, state, reason), *others] = read_jobs(site)
    assert state == "parked" and "its worker died, or" in reason
    assert [state for _, state, _ in others] == ["done", "done"]
    retried = site.app.test_cli_runner().invoke(args=["jobs", "retry", key])
    assert retried.exit_code == 0, retried.output
    settle(site, crowd.answers)
