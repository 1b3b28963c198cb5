"""Jobs from the command line."""

from services.events import LinkPolicy
from services.registrations import register
from storage import events, job_lists
from tests.factories import make_submission
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite


def park_one(site):
    """Leave one registration that Zoom refused, and return its job's id."""
    event = site.add_event(slug="spring")
    with site.database.write() as session:
        stored = events.need_event(session, event.id)
        submission = make_submission(stored, email="host@example.com")
        register(session, stored, submission, policy=LinkPolicy.SHOW, now=site.clock())
    site.drain()
    with site.database.read() as session:
        [job] = job_lists.list_jobs(session, states=("parked",), limit=10)
        return job.id


def test_reason_is_told_in_words(site, run):
    job_id = park_one(site)
    lines = run("jobs", "list", "--state", "parked").output.splitlines()
    assert lines[0].split()[:4] == ["ID", "WORK", "STATE", "TRIES"]
    assert lines[1].startswith(f"{job_id}   zoom:1  put aside  1 ")
    assert "the host needs no registration: they start the meeting (HostCannot" in lines[1]
    assert "host@example.com" not in lines[1]


def test_job_that_was_put_aside_is_tried_again(site, run):
    job_id = park_one(site)
    done = run("jobs", "retry", str(job_id))
    assert done.output == f"Job {job_id} is due now.\n"
    before = len(site.zoom.journal(action="add_registrant"))
    site.drain()
    assert len(site.zoom.journal(action="add_registrant")) == before + 1


def test_job_is_dropped(site, run):
    job_id = park_one(site)
    run("jobs", "drop", str(job_id))
    assert len(run("jobs", "list", "--state", "parked").output.splitlines()) == 1
    again = run("jobs", "drop", str(job_id), exit_code=1)
    assert again.stderr == f"Error: There is no job {job_id} that could be dropped.\n"


def test_unknown_job_is_named(site, run):
    done = run("jobs", "retry", "99", exit_code=1)
    assert done.stderr == "Error: There is no job 99 that waits or was put aside.\n"
