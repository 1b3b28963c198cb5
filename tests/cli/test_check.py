"""`flask check` and `flask migrate`."""

import pytest
from alembic.command import downgrade
from sqlalchemy import text

from app import create_app
from config import Settings
from storage import heartbeats, migrate
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.worker.smtp_server import Inbox, recite, serve

# The place is named: whoever forgot the site's variables has met another database.
MISFIT = "The database {}/uketsuke.sqlite3 is not set up: name another one, or run flask migrate."


@pytest.fixture
def empty(tmp_path):
    """Return how commands are run on an installation that was never set up."""
    app = create_app(Settings(instance=tmp_path))

    def run(*arguments):
        return app.test_cli_runner().invoke(args=list(arguments))

    yield run
    app.extensions["site"].database.dispose()


def beat(site):
    with site.database.write() as session:
        heartbeats.beat(session, "worker", started_at=site.clock(), now=site.clock())


def test_database_is_brought_to_this_version(empty, tmp_path):
    for command in (["event", "list"], ["web"], ["worker"]):
        refused = empty(*command)
        assert (refused.exit_code, refused.stderr) == (
            1,
            f"Error: {MISFIT.format(tmp_path)}\n",
        )
    assert empty("migrate").exit_code == 0
    assert empty("event", "list").exit_code == 0
    assert empty("migrate").exit_code == 0


@only_postgresql
def test_migration_that_others_leave_no_moment_says_what_to_do(site, run, monkeypatch):
    for name, value in (("_LOCK_SECONDS", 0.1), ("_PAUSE_SECONDS", 0), ("_TRIES", 2)):
        monkeypatch.setattr(migrate, name, value)
    with migrate._exclusive(site.database) as connection:
        downgrade(migrate._configure(connection, None), "0001")

    with site.database.engine.connect() as busy, busy.begin():
        busy.execute(text("SELECT count(*) FROM zoom_registrant"))
        refused = run("migrate", exit_code=1)

    assert refused.stderr == (
        "Error: Others hold tables of the database all the time, so it was not upgraded, and "
        "nothing was changed: stop what runs long on it (pg_stat_activity shows it), or the site's "
        "processes, and try again.\n"
    )
    assert run("migrate").output == "The database is of this version.\n"


def test_slip_in_the_name_of_a_setting_is_told(empty, monkeypatch):
    monkeypatch.setenv("UKETSUKE_SENDER", "events@example.com")

    assert "    UKETSUKE_SENDER: no such setting\n" in empty("check").output


def test_new_installation_hears_what_is_missing(empty, tmp_path):
    done = empty("check")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "no  Zoom account in the settings",
        "    none: connect Zoom in the dashboard, or set UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and "
        "_CLIENT_SECRET",
        "no  public address",
        "    UKETSUKE_BASE_URL is not set: links would lead nowhere",
        "no  mail server",
        "    UKETSUKE_MAIL_URL is not set: mails are written to files, and wait for a worker that "
        "has it once an event was published",
        "no  operator's address",
        "    UKETSUKE_OPERATOR_EMAIL is not set: what stands still is told in the log alone",
        "ok  disk",
        "no  database",
        f"    {MISFIT.format(tmp_path)}",
    ]


@only_sqlite
def test_healthy_site_is_told_so(site, run):
    beat(site)
    # Who came may stay unknown.
    scopes = site.zoom.state()["scopes"]
    site.zoom.grant_scopes(s for s in scopes if not s.startswith("report") and "past" not in s)
    lines = run("check").output.splitlines()
    assert lines == [
        "ok  Zoom account in the settings",
        "ok  disk",
        "ok  database",
        "ok  clock",
        "ok  secret",
        "ok  worker",
        "ok  Zoom's permissions for meetings",
        "ok  Zoom's permissions for webinars",
    ]


@only_sqlite
def test_worker_that_is_silent_is_noticed(site, run):
    beat(site)
    site.clock.move(minutes=2)
    output = run("check", exit_code=1).output
    assert "no  worker\n    none was seen in the last minute: run flask serve" in output


@only_sqlite
def test_missing_scope_is_named_for_the_kinds_in_use(site, run):
    beat(site)
    site.add_event(kind="meeting")
    granted = site.zoom.state()["scopes"]
    site.zoom.grant_scopes(scope for scope in granted if not scope.startswith("meeting:write"))
    output = run("check", exit_code=1).output
    assert "meeting:write:registrant:admin" in output
    assert "webinar" not in output


@only_sqlite
def test_refused_credentials_are_noticed(site, run):
    beat(site)
    site.zoom.revoke_secret()
    assert "no  Zoom\n" in run("check", exit_code=1).output


@only_sqlite
def test_part_of_an_account_is_noticed(start_site, make_runner):
    site = start_site(zoom_client_secret="")
    output = make_runner(site)("check", exit_code=1).output
    assert "UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and _CLIENT_SECRET belong together" in output


def test_database_that_does_not_answer_is_one_line(tmp_path):
    settings = Settings(
        instance=tmp_path,
        database_url="postgresql://127.0.0.1:1/none",
        secret_key="k" * 32,
    )
    app = create_app(settings)
    done = app.test_cli_runner().invoke(args=["event", "list"])
    app.extensions["site"].database.dispose()
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The database cannot be used: ")
    assert len(done.stderr.splitlines()) == 1


@only_sqlite
def test_mail_server_is_tried_without_a_mail(start_site, make_runner):
    inbox = Inbox()
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        beat(site)
        assert "ok  mail server's answer" in make_runner(site)("check").output
        assert (inbox.recipients_named, inbox.envelopes) == (0, [])

        output = make_runner(site)("check", "--send-test", "it@example.com").output
        assert "ok  test mail" in output
    [envelope] = inbox.envelopes
    assert envelope.rcpt_tos == ["it@example.com"]


@only_sqlite
@pytest.mark.parametrize("lines", [["554 not from here"], ["220 hi", "250 ok", "421 not now"]])
def test_mail_server_that_refuses_is_told_with_its_words(start_site, make_runner, lines):
    with recite(lines) as recital:
        site = start_site(mail_url=f"smtp://127.0.0.1:{recital.port}")
        beat(site)
        output = make_runner(site)("check", exit_code=1).output
    assert f"no  mail server's answer\n    127.0.0.1: {lines[-1]}: see that" in output


@only_sqlite
def test_mail_server_that_is_away_is_told(start_site, make_runner):
    site = start_site(mail_url="smtp://127.0.0.1:1")
    beat(site)
    output = make_runner(site)("check", exit_code=1).output
    assert "no  mail server's answer\n    127.0.0.1: ConnectionRefusedError: see that" in output


@pytest.mark.real_time
def test_clock_that_differs_from_the_servers_is_told(site, run):
    if site.database.is_sqlite:
        pytest.skip("SQLite has no clock of its own")
    site.clock.move(seconds=30)
    beat(site)
    output = run("check", exit_code=1).output
    assert "no  clock\n    -30 seconds between here and the database server\n" in output
