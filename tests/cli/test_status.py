"""`flask status`: one screen for whoever is called at night."""

import json

import pytest
from sqlalchemy import text

from app import create_app
from config import Settings
from storage import events, heartbeats
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.people import HANAKO, TARO


def beat(site):
    with site.database.write() as session:
        heartbeats.beat(session, "worker", started_at=site.clock(), now=site.clock())


def register(site, person):
    site.visitor().open("/e/spring").form().fill(**person).submit()
    site.drain()


def test_site_that_is_well_needs_nobody(site, run):
    site.add_event(slug="spring")
    register(site, TARO)
    beat(site)

    lines = run("status").output.splitlines()

    [spring] = [line.split() for line in lines if line.startswith("spring ")]
    assert spring[3:] == ["0", "1", "0", "0", "0"]
    assert any(line.startswith("workers       1 alive, since 20") for line in lines)
    assert lines[-1] == "Nobody has to do anything."


def test_what_stands_still_is_told_with_what_to_do(site, run):
    site.add_event(slug="spring")
    register(site, TARO | {"email": "host@example.com"})
    site.stop_zoom()
    register(site, HANAKO)
    beat(site)
    site.clock.move(minutes=45)

    output = run("status", exit_code=1).output

    needs = output.partition("Somebody has to look:\n")[2].splitlines()
    assert "  no worker is running: flask serve, or flask worker" in needs
    waiting = "registrations have waited for Zoom for half an hour or longer"
    assert f"  {waiting} (registrations: 1, events: 1)" in needs
    hint = "the host needs no registration: they start the meeting"
    assert f"  1 put aside (zoom.sync, HostCannotRegister): {hint}" in needs
    assert "@" not in output and "佐藤" not in output


@only_sqlite
def test_form_that_zoom_has_closed_is_told_with_what_to_do(site, run):
    site.add_event(slug="spring")
    [meeting] = site.zoom.state()["meetings"]
    site.zoom.change_meeting(meeting["id"], capacity=0)
    register(site, TARO)
    beat(site)

    needs = run("status", exit_code=1).output.partition("Somebody has to look:\n")[2]

    hint = "Zoom has no place left: raise the limit there, then flask event publish"
    assert f"  event spring: the form is closed: {hint}\n" in needs
    with site.database.write() as session:
        [event] = events.list_events(session)
        event.full_dates = ["1", "2"]
    output = run("status", exit_code=1).output
    assert f"  event spring: the form is closed for dates: 2: {hint}\n" in output


@only_sqlite
def test_programs_read_json(site, run):
    site.add_event(slug="spring")
    register(site, TARO)

    document = json.loads(run("status", "--json", exit_code=1).output)

    assert document["needs"] == ["no worker is running: flask serve, or flask worker"]
    [event] = document["events"]
    assert (event["slug"], event["registered"], event["waiting_since"]) == ("spring", 1, None)
    assert document["mails"] == {"due": 0, "due_since": None, "later": 0}


def test_database_that_is_away_is_one_line(tmp_path):
    url = "postgresql://127.0.0.1:1/none"
    app = create_app(Settings(instance=tmp_path, database_url=url, secret_key="k" * 32))
    done = app.test_cli_runner().invoke(args=["status"])
    app.extensions["site"].database.dispose()
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith("database  DOWN: ")
    assert done.output.endswith(
        ": see that it runs and takes connections, or correct UKETSUKE_DATABASE_URL; once it "
        "answers, everything goes on by itself\n"
    )


@pytest.fixture
def read_only_site(site):
    """A site whose PostgreSQL follows another one, as after a change of servers."""
    name = site.database.url.database
    with site.database.write() as session:
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    site.database.dispose()
    return site


@only_postgresql
def test_database_that_may_only_be_read_is_told_first(read_only_site, run):
    refusal = "may only be read: name the server that takes writes in UKETSUKE_DATABASE_URL"

    status = run("status", exit_code=1).output
    needs = status.partition("Somebody has to look:\n")[2].splitlines()

    assert "\ndatabase      answers, and KEEPS NOTHING: " in status
    assert needs[0].startswith(f"  the database {refusal}")
    assert "no worker" not in "".join(needs), "perhaps it lives, and cannot say so"
    assert f"no  database\n    {refusal}" in run("check", exit_code=1).output


@only_sqlite
def test_settings_that_a_published_event_needs_are_missed(start_site, make_runner):
    site = start_site(is_demo=False, mail_url="")
    beat(site)
    assert make_runner(site)("status").output.endswith("Nobody has to do anything.\n")
    site.add_event(slug="spring")

    output = make_runner(site)("status", exit_code=1).output

    assert "  not set here: UKETSUKE_MAIL_URL; workers that lack them send no mails, " in output
