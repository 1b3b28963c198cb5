"""Jobs from the command line."""

from datetime import timedelta

import pytest

from cli.jobs import get_hint
from services.deliveries import request_walk
from services.events import LinkPolicy
from services.registrations import register
from services.restoring import HELD
from services.zoom_pauses import record_failure, resume
from storage import events, job_lists, submissions, zoom_pauses
from storage.restoring import hold_mails
from tests.factories import make_submission
from tests.fixtures.databases import only_sqlite
from tests.people import TARO
from worker.zoom_health import look_after_pauses
from zoom_client import ConfigurationError, MeetingNotFound


def park_some(site, slug="spring", count=1):
    """Leave registrations that Zoom refused, and return their jobs' keys."""
    event = site.add_event(slug=slug)
    for number in range(count):
        site.zoom.fault("add_registrant", refusal="work_email")
        with site.database.write() as session:
            stored = events.need_event(session, event.id)
            submission = make_submission(stored, email=f"p{number}@example.com")
            register(session, stored, submission, policy=LinkPolicy.SHOW, now=site.clock())
        site.drain()
    with site.database.read() as session:
        found = job_lists.list_jobs(session, states=("parked",), event_id=event.id, limit=100)
    return [job.key for job in found]


def count_adds(site):
    return len(site.zoom.journal(action="add_registrant"))


def test_job_is_told_with_its_event_receipt_and_reason(site, run):
    [key] = park_some(site)
    with site.database.read() as session:
        number = submissions.get_creating_submission(session, 1).number

    lines = run("jobs", "list", "--state", "parked").output.splitlines()

    assert lines[0].split()[:5] == ["WORK", "EVENT", "RECEIPT", "STATE", "TRIES"]
    assert lines[1].startswith(f"{key}  spring  {number}  put aside  1 ")
    assert "Zoom wants the work address that was invited (WorkEmailRequired" in lines[1]
    assert "@" not in lines[1]


@only_sqlite
def test_many_are_counted_by_reason_first(site, run):
    park_some(site, count=21)
    lines = run("jobs", "list", "--state", "parked").output.splitlines()
    assert lines[0].split() == ["JOBS", "KIND", "STATE", "REASON"]
    assert lines[1].split() == ["21", "zoom.sync", "put", "aside", "WorkEmailRequired"]
    assert lines[2] == ""
    assert len(lines) == 3 + 22


@only_sqlite
def test_log_names_a_job_as_the_list_does(site, run, caplog):
    event = site.add_event(slug="spring")
    with site.database.write() as session:
        stored = events.need_event(session, event.id)
        # So that numbers of jobs and of registrations differ.
        for number in range(2):
            submission = make_submission(stored, email=f"p{number}@example.com")
            register(session, stored, submission, policy=LinkPolicy.SHOW, now=site.clock())
    site.stop_zoom()
    site.drain()

    named = {line.job for line in caplog.records if line.getMessage() == "zoom call failed"}
    output = run("jobs", "list").output
    assert named == {"zoom:1", "zoom:2"}
    assert all(f"{key} " in output for key in named)
    assert "it goes on by itself (ZoomUnreachable" in output


def test_next_try_is_when_zooms_pause_ends(site, run):
    granted = site.zoom.state()["scopes"]
    site.zoom.grant_scopes(scope for scope in granted if "write:registrant" not in scope)
    event = site.add_event(slug="spring")
    for number in range(2):
        with site.database.write() as session:
            stored = events.need_event(session, event.id)
            submission = make_submission(stored, email=f"p{number}@example.com")
            register(session, stored, submission, policy=LinkPolicy.CODE, now=site.clock())
    site.drain()
    with site.database.read() as session:
        [account] = zoom_pauses.list_paused_accounts(session)

    lines = run("jobs", "list").output.splitlines()

    told = [line for line in lines if line.startswith("zoom:")]
    hour = f"{account.probe_at:%Y-%m-%d %H:%M:%S}, when Zoom's pause ends"
    assert len(told) == 2 and all(hour in line for line in told)


def list_errors_below(error):
    for below in error.__subclasses__():
        yield below.__name__
        yield from list_errors_below(below)


@pytest.mark.parametrize(
    "name", ["ZoomUnreachable", "ZoomOutcomeUnknown", *list_errors_below(ConfigurationError)]
)
def test_whatever_makes_zoom_stand_still_comes_with_what_to_do(name):
    assert get_hint(f"{name}: Zoom's words")


@only_sqlite
def test_jobs_of_one_event_are_listed(site, run):
    [spring] = park_some(site)
    [autumn] = park_some(site, "autumn")
    output = run("jobs", "list", "--event", "autumn", "--state", "parked").output
    assert (spring in output, autumn in output) == (False, True)


def test_job_that_was_put_aside_is_tried_again(site, run):
    [key] = park_some(site)
    assert run("jobs", "retry", key).output == f"Job {key} is due now.\n"
    before = count_adds(site)
    site.drain()
    assert count_adds(site) == before + 1


def test_all_of_one_reason_or_event_are_tried_again(site, run):
    park_some(site, count=2)
    park_some(site, "autumn")

    none = run("jobs", "retry", "--all", "--reason", "WorkEmail").output
    autumn = run("jobs", "retry", "--all", "--event", "autumn").output
    rest = run("jobs", "retry", "--all", "--reason", "WorkEmailRequired").output

    assert [none, autumn, rest] == [f"{count} jobs are due now.\n" for count in (0, 1, 2)]


@only_sqlite
def test_retry_needs_one_job_or_all(site, run):
    for arguments in ([], ["zoom:1", "--all"], ["zoom:1", "--event", "spring"]):
        assert "Name one job, or --all" in run("jobs", "retry", *arguments, exit_code=2).output


@only_sqlite
@pytest.mark.parametrize("named", [["mail:1"], ["--all", "--reason", "HeldBack"]])
def test_mail_that_a_restore_held_back_is_left_to_the_command_for_it(site, run, named):
    site.add_event(slug="spring")
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    with site.database.write() as session:
        hold_mails(session, reason=HELD, now=site.clock())

    refused = run("jobs", "retry", *named, exit_code=1)

    assert "flask mails send" in refused.stderr
    listed = run("jobs", "list", "--state", "parked").output
    assert "HeldBack" in listed and "mail:1" in listed


def test_look_that_is_asked_for_again_at_once_is_not_dropped(site, run):
    """It would be back within a minute, as nothing else finds out when the event can go on."""
    event = site.add_event(slug="spring")
    with site.database.write() as session:
        record_failure(session, "", event.id, MeetingNotFound("3001"), now=site.clock())
        request_walk(session, event.id, run_at=site.clock() + timedelta(hours=1), now=site.clock())
    key = f"settle:{event.id}"

    refused = run("jobs", "drop", key, exit_code=1).stderr
    assert "event spring stands still" in refused and f"flask jobs retry {key}" in refused
    with site.database.write() as session:
        assert job_lists.get_job(session, key).state == "ready"
        resume(zoom_pauses.lock_event(session, event.id, now=site.clock()), site.clock())
    run("jobs", "drop", key)

    site.let_pass(minutes=5)
    look_after_pauses(site.database, now=site.clock())
    assert "settle" not in run("jobs", "list").output


@only_sqlite
def test_look_that_others_stand_in_for_is_dropped(site, run):
    """Whoever waits for Zoom shows as well that the event can go on."""
    event = site.add_event(slug="spring")
    with site.database.write() as session:
        submission = make_submission(event)
        register(session, event, submission, policy=LinkPolicy.SHOW, now=site.clock())
        record_failure(session, "", event.id, MeetingNotFound("3001"), now=site.clock())
        request_walk(session, event.id, run_at=site.clock(), now=site.clock())

    run("jobs", "drop", f"settle:{event.id}")
    site.let_pass(minutes=5)
    look_after_pauses(site.database, now=site.clock())
    assert "settle" not in run("jobs", "list").output


@only_sqlite
def test_job_is_dropped(site, run):
    [key] = park_some(site)
    run("jobs", "drop", key)
    assert len(run("jobs", "list", "--state", "parked").output.splitlines()) == 1
    again = run("jobs", "drop", key, exit_code=1)
    assert again.stderr == f"Error: There is no job {key} that could be dropped.\n"


@only_sqlite
def test_unknown_job_is_named(site, run):
    done = run("jobs", "retry", "zoom:99", exit_code=1)
    assert done.stderr == "Error: There is no job zoom:99 that waits or was put aside.\n"
