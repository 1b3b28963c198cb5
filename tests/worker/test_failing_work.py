"""The operator hears of work that fails, and nobody foresaw why, long before it is given up."""

import logging
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.held_mails import JOB_KIND, OVER_JOB
from services.job_failures import JobFailure
from storage import job_requests
from storage.models import Alarm, Job
from tests.fixtures.databases import only_sqlite
from tests.mailbox import read_text
from tests.worker.test_alarms import OPERATOR, Watch

FAILS, IS_OVER = ("ERROR", "alarm", "work_failing"), ("WARNING", "alarm over", "work_failing")
BEGAN = "【警告】処理が失敗し続けています"


class FailingWatch(Watch):
    def ask(self, kind=JOB_KIND):
        """Ask for work that no worker can read."""
        now = self.site.clock()
        with self.site.database.write() as session:
            job_requests.enqueue(session, kind=kind, key=kind, payload={}, run_at=now, now=now)

    def mend(self):
        event = self.site.add_event(slug="spring")
        with self.site.database.write() as session:
            session.execute(update(Job).values(payload={"event_id": event.id}))

    def retry(self):
        self.site.app.test_cli_runner().invoke(args=["jobs", "retry", JOB_KIND])

    def pass_by(self, *, minutes):
        """Let minutes pass in which workers work and look."""
        for _ in range(minutes):
            self.site.drain()
            self.look()
            self.site.let_pass(minutes=1)

    def read_job(self):
        with self.site.database.read() as session:
            return session.scalars(select(Job)).one()


@pytest.fixture
def watch(start_site, caplog):
    caplog.set_level(logging.WARNING)
    return FailingWatch(start_site, caplog)


def test_work_that_fails_is_told_after_half_an_hour_and_when_it_is_done(watch):
    watch.ask()
    watch.pass_by(minutes=30)
    assert watch.read_job().reason.startswith("unexpected KeyError, ")
    assert watch.list_lines() == []

    watch.pass_by(minutes=2)
    assert watch.list_lines() == [FAILS]
    text = "\n".join(read_text(watch.site.mailbox.read_only(OPERATOR)).splitlines())
    lines = set(text.splitlines())
    assert {"処理の件数：1", "処理の内容：保留中のお申し込みのお知らせ", "理由：KeyError"} <= set(
        lines
    )
    assert re.search(r"^続けて失敗した回数：[456]$", text, re.MULTILINE)
    assert re.search(r"^失敗の始まり：\d+年\d+月\d+日", text, re.MULTILINE)
    assert "flask jobs retry" in " ".join(text.split())

    watch.mend()
    watch.pass_by(minutes=90)
    assert (watch.list_lines(), watch.list_alarms()) == ([FAILS, IS_OVER], [])
    assert [subject[:4] for subject in watch.list_subjects()] == ["【警告】", "【解消】"]


@only_sqlite
def test_status_and_metrics_say_what_fails(watch):
    watch.ask()
    watch.pass_by(minutes=32)

    done = watch.site.app.test_cli_runner().invoke(args=["status"])
    assert "work fails again and again" in done.output
    assert "work: held, reason: KeyError, times: " in done.output and done.exit_code == 1
    metrics = watch.site.app.test_client().get("/metrics").text
    assert 'uketsuke_jobs_failing{kind="held",reason="KeyError"} 1' in metrics
    assert 'uketsuke_alarm{name="work_failing"} 1' in metrics


@only_sqlite
def test_work_that_is_retried_by_hand_and_fails_again_is_not_over(watch):
    watch.ask()
    watch.pass_by(minutes=32)
    watch.retry()
    watch.look()
    watch.pass_by(minutes=2)
    assert watch.list_lines() == [FAILS]

    watch.mend()
    watch.retry()
    watch.pass_by(minutes=1)
    assert watch.list_lines() == [FAILS, IS_OVER]


@only_sqlite
def test_other_work_of_the_kind_that_goes_on_well_keeps_no_alarm(watch):
    """The job of a busy endpoint is with a worker at most times, for months."""
    watch.ask()
    watch.pass_by(minutes=32)
    now = watch.site.clock()
    with watch.site.database.write() as session:
        job_requests.enqueue(session, kind=JOB_KIND, key="b", payload={}, run_at=now, now=now)
        until = now + timedelta(minutes=3)
        busy = {"state": "running", "attempts": 50, "lease_until": until, "updated_at": now}
        session.execute(update(Job).where(Job.key == "b").values(**busy))
    watch.mend()
    watch.retry()
    watch.pass_by(minutes=1)
    assert watch.list_lines() == [FAILS, IS_OVER]


@only_sqlite
def test_work_of_another_kind_that_fails_later_is_told_by_itself(watch):
    watch.ask()
    watch.pass_by(minutes=32)
    watch.ask(OVER_JOB)
    watch.pass_by(minutes=30)
    assert watch.list_lines() == [FAILS]

    watch.pass_by(minutes=3)
    assert watch.list_lines() == [FAILS, FAILS]
    assert watch.list_subjects() == [BEGAN, BEGAN]
    with watch.site.database.read() as session:
        assert session.scalars(select(Alarm.facts)).one()["work"] == "held, proof_over"


@only_sqlite
def test_work_that_is_given_up_then_is_told_as_that_and_not_as_over(watch):
    watch.ask()
    watch.pass_by(minutes=32)
    for _ in range(16):
        watch.work_on(hours=1, minutes=15)
        watch.look()

    assert watch.read_job().state == "parked"
    assert watch.list_lines() == [FAILS, ("ERROR", "alarm", "work_given_up")]
    assert watch.list_alarms() == ["work_given_up"]
    assert len(watch.list_subjects()) == 2


@only_sqlite
def test_work_at_which_the_database_fails_twice_is_told_and_once_is_not(watch):
    now = watch.site.clock()
    once, twice = (
        JobFailure("OperationalError", is_outage=True, times=times, since=now) for times in (1, 2)
    )
    with watch.site.database.write() as session:
        job_requests.enqueue(
            session, kind=JOB_KIND, key="a", payload={}, run_at=now + timedelta(days=1), now=now
        )
    watch.site.let_pass(minutes=31)
    for failure, told in ((once, []), (twice, [FAILS])):
        with watch.site.database.write() as session:
            session.execute(update(Job).values(reason=failure.write()))
        watch.look()
        assert watch.list_lines() == told
