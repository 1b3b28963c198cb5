"""F36: a backup that is restored for practice, while the site itself goes on."""

from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select

from services.date_following import request_look
from storage import rehearsals
from storage.models import Registration
from tests.cli.conftest import make_run
from tests.faults.crowd import Crowd
from tests.fixtures.databases import only_sqlite
from tests.people import ANN, HANAKO, TARO
from tests.series import list_ids, make_series
from tests.zoom_sandbox.api import Api
from worker.alarms import AlarmWatch
from worker.smtp import make_transport

OPERATOR = "operator@example.com"


@pytest.fixture
def series(site):
    """Three dates, two of which Hanako has chosen."""
    site.zoom.set_clock(site.clock())
    with site.database.write() as session:
        made = make_series(session, site.zoom, now=site.clock(), slug="course")
        request_look(session, made, now=site.clock())
    chosen = {"question_event_dates": list_ids(made)[1:]}
    site.visitor().open("/e/course").form("同意して申し込む").fill(**HANAKO, **chosen).submit()
    return made


def rehearse(site, restored, tmp_path):
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    run = make_run(restored)
    return run, run("restore", "--rehearsal", str(file)).output


def move_a_date(site, series):
    zoom = Api(site.sandbox.url)
    zoom.sign_in()
    later = series.starts_at + timedelta(days=1, hours=3)
    zoom.call(
        "PATCH",
        f"/meetings/{series.zoom_id}",
        {"start_time": f"{later:%Y-%m-%dT%H:%M:%SZ}"},
        occurrence_id=list_ids(series)[1],
    )


def work(site):
    for hours in (2, 1):
        site.clock.move(hours=hours)
        site.drain()


def list_subjects(site, email):
    return [str(mail["Subject"]) for mail in site.mailbox.list_mails(email)]


def test_copy_for_practice_reaches_nobody_until_it_is_made_the_site(
    site, restored, series, tmp_path
):
    site.add_event(slug="spring")
    site.drain()
    run, report = rehearse(site, restored, tmp_path)
    move_a_date(site, series)
    Crowd(restored.url).register(ANN)
    asked = len(site.zoom.journal())
    work(restored)

    assert "A rehearsal: nobody is mailed, and Zoom is not called" in report
    assert (restored.mailbox.list_mails(), len(site.zoom.journal())) == ([], asked)
    assert "this is a rehearsal, with the backup of" in run("status", exit_code=1).output
    assert "no  a site of its own\n" in run("check", exit_code=1).output
    assert requests.get(f"{restored.url}/readyz", timeout=10).json()["missing"] == ["rehearsal"]
    refused = run("event", "publish", "spring", exit_code=1).stderr
    assert refused == "Error: Zoom: not called, as this is a rehearsal: flask status says more\n"
    work(site)
    assert "日程変更" in list_subjects(site, HANAKO["email"])[-1], "the site itself goes on"

    run("go-live", "--yes")
    work(restored)

    assert "rehearsal" not in run("status", exit_code=1).output
    [told] = list_subjects(restored, ANN["email"])
    assert ("受付完了" in told, site.list_effects(ANN["email"])) == (True, ["add"])
    assert "受付完了" not in "".join(list_subjects(restored, HANAKO["email"])), "sent before"
    assert run("go-live", "--yes", exit_code=1).stderr.startswith("Error: This is no rehearsal")


def test_copy_for_practice_tells_the_operator_of_nothing(site, restored, tmp_path):
    site.add_event(slug="spring")
    Crowd(site.url).register(TARO)
    run, _ = rehearse(site, restored, tmp_path)
    restored.clock.move(hours=2)
    watch = AlarmWatch(
        replace(restored.settings, operator_email=OPERATOR),
        restored.database,
        transport=make_transport("", restored.settings.mailbox),
        app_context=restored.app.app_context,
        read_clock=restored.clock,
    )

    watch.look(is_worker=False)
    during = list_subjects(restored, OPERATOR)
    run("go-live", "--yes")
    watch.look(is_worker=False)

    assert (during, len(list_subjects(restored, OPERATOR)) > 0) == ([], True)


@only_sqlite
def test_rehearsal_takes_the_place_of_no_site_and_is_none_once_it_is_restored_anew(
    site, restored, tmp_path
):
    run, _ = rehearse(site, restored, tmp_path)
    file = tmp_path / "of-the-copy.zip"
    run("backup", str(file))

    refused = run("restore", "--rehearsal", "--replace", str(file), exit_code=1).stderr
    run("restore", "--replace", str(file))

    assert refused.startswith("Error: A rehearsal replaces no site")
    with restored.database.read() as session:
        assert not rehearsals.is_rehearsal(session)


@only_sqlite
def test_copy_that_becomes_the_site_erases_again_who_was_erased_since(site, restored, tmp_path):
    site.add_event(slug="spring")
    for person in (TARO, HANAKO):
        Crowd(site.url).register(person)
    site.drain()
    run, _ = rehearse(site, restored, tmp_path)
    make_run(site)("registrations", "erase", TARO["email"], "--yes")
    work(site)
    former, own = (place.settings.instance / "erased" for place in (site, restored))
    own.parent.mkdir()
    own.write_bytes(former.read_bytes())

    assert "Erased again: 1 people" in run("go-live", "--yes").output
    work(restored)

    with restored.database.read() as session:
        assert set(session.scalars(select(Registration.email))) == {"", HANAKO["email"]}
    at_zoom = {found["email"]: found["status"] for found in site.zoom.state()["registrants"]}
    assert at_zoom == {TARO["email"]: "denied", HANAKO["email"]: "approved"}
