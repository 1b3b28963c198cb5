"""SQLite is locked by somebody else, or its disk is full: nothing half, nothing typed twice."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from storage import session, write_queue
from tests.dashboard import Dashboard
from tests.faults.crowd import Crowd
from tests.faults.disks import full
from tests.faults.journals import settle
from tests.faults.test_event_start import press, read_clicks, register_all
from tests.fixtures.databases import SECRET, only_sqlite
from tests.installation import ROOT, Installation, wait_until
from tests.live_site import LiveSite
from tests.people import ANN, HANAKO, TARO

KEPT = "入力内容は残っています"


@contextmanager
def locked(site):
    """Hold the database as another program does that writes, or forgets to end."""
    with closing(sqlite3.connect(site.database.url.database, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield other
        if other.in_transaction:
            other.rollback()


@only_sqlite
def test_f17_short_lock_is_waited_for(site):
    site.add_event(slug="spring")
    crowd = Crowd(site.url)
    form = crowd.fill_in(TARO)
    with locked(site) as other:
        threading.Timer(1.0, other.rollback).start()
        assert crowd.send(form).receipt is not None

    settle(site, crowd.answers)


@only_sqlite
def test_f17_long_lock_gives_the_form_back_filled_in(start_site, monkeypatch):
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 300)
    site = start_site()
    site.add_event(slug="spring")
    crowd, visitor = Crowd(site.url), site.visitor()
    form = visitor.open("/e/spring").form().fill(**TARO)
    with locked(site):
        again = form.submit(status=503)
        assert visitor.open("/e/spring").form(), "who only reads waits for nobody"
    assert site.count_rows("submission") == 0

    assert KEPT in again.text and int(again.response.headers["Retry-After"]) > 0
    filled = again.form()
    assert {name: filled[name] for name in TARO} == TARO
    assert filled.submit().heading == "お申し込みが完了しました"
    settle(site, crowd.answers)


@only_sqlite
def test_f17_long_lock_puts_a_password_on_no_page(start_site, monkeypatch):
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 300)
    site = start_site()
    typed = {"email": "hanako@example.com", "password": "long and mine alone"}
    with closing(Dashboard(site.url)) as browser:
        form = browser.open("/organizer/sign-in").form().fill(**typed)
        with locked(site):
            page = form.submit(status=503)

    assert "long and mine" not in page.response.text and not page.root.find_all("form")


@only_sqlite
def test_f17_commit_that_somebody_else_does_not_end_gives_the_form_back(site, monkeypatch):
    site.add_event(slug="spring")
    crowd, queue = Crowd(site.url), site.database._write_queue
    form, is_mended = crowd.fill_in(TARO), threading.Event()

    def stand_still():
        with site.database.write(is_brief=True):
            assert is_mended.wait(60)

    with ThreadPoolExecutor(2) as hands:
        with site.database.write():
            sent = hands.submit(crowd.send, form)
            wait_until(lambda: queue.count_waiting() == 1)
            stuck = hands.submit(stand_still)
            wait_until(lambda: queue.count_waiting() == 2)
            monkeypatch.setattr(write_queue, "WRITE_QUEUE_SECONDS", 0.2)
        answer = sent.result()
        is_mended.set()
        stuck.result()

    assert answer.receipt is None and KEPT in answer.text
    assert crowd.send(form).receipt is not None
    settle(site, crowd.answers)
    assert site.count_rows("registration") == 1


@pytest.fixture
def site_on_small_disk(small_disk, sqlite_databases):
    template = Path(sqlite_databases.make_migrated().removeprefix("sqlite:///"))
    file = small_disk / "site.sqlite3"
    file.write_bytes(template.read_bytes())
    with closing(LiveSite(f"sqlite:///{file}", small_disk / "instance", real_time=True)) as site:
        yield site


def test_f18_full_disk_keeps_pages_and_values_and_goes_on(site_on_small_disk, small_disk):
    site = site_on_small_disk
    site.add_event(slug="spring")
    crowd, visitor = Crowd(site.url), site.visitor()
    receipt = crowd.register(TARO).receipt
    form = visitor.open("/e/spring").form().fill(**HANAKO)
    with full(small_disk):
        again = form.submit(status=503)
        assert visitor.open("/e/spring").form() and visitor.open(receipt).heading
        site.drain()

    assert integrity(site) == "ok"
    assert again.form()["email"] == HANAKO["email"]
    assert again.form().submit().heading == "お申し込みが完了しました"
    crowd.register(ANN)
    settle(site, crowd.answers)


def test_f18_full_disk_keeps_nobody_out_of_the_meeting(site_on_small_disk, small_disk):
    site = site_on_small_disk
    paths = register_all(site, people=40)
    with full(small_disk):
        answers = [press(site, path) for path in paths]
    uncounted = read_clicks(site).count((0, False))

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["Location"] for answer in answers}) == 40
    assert uncounted > 0, "the disk was full"
    press(site, paths[-1])
    assert read_clicks(site)[-1] == (1, True)
    assert integrity(site) == "ok"


def test_f18_full_disk_gives_back_the_form_of_everybody_who_shares_a_commit(
    site_on_small_disk, small_disk
):
    site = site_on_small_disk
    site.add_event(slug="spring")
    people, crowd = [TARO, HANAKO, ANN], Crowd(site.url)
    forms = [crowd.fill_in(person) for person in people]
    queue = site.database._write_queue
    with ThreadPoolExecutor(len(forms)) as hands, full(small_disk):
        with site.database.write():
            sent = [hands.submit(crowd.send, form) for form in forms]
            wait_until(lambda: queue.count_waiting() == len(forms))
        answers = [answer.result() for answer in sent]

    assert [KEPT in answer.text for answer in answers] == [True] * len(forms)
    assert site.count_rows("submission") == 0 and integrity(site) == "ok"
    for form in forms:
        assert crowd.send(form).receipt is not None
    settle(site, crowd.answers)


@pytest.mark.real_time
@only_sqlite
def test_f18_full_folder_of_temporary_files_costs_nobody_a_form(site, small_disk):
    site.add_event(slug="spring")
    port = site.start_web_processes(TMPDIR=str(small_disk), UKETSUKE_WEB_PROCESSES="1")
    address, too_long = f"http://127.0.0.1:{port}", {"more": "x" * 300_000}
    # Python chooses its folder once, by what can be written.
    assert requests.post(f"{address}/e/spring", too_long, timeout=10).status_code == 413
    crowd = Crowd(address)
    form = crowd.fill_in(TARO)
    form.fields.append(("more", "x" * 250_000))

    with full(small_disk):
        assert crowd.send(form).receipt is not None
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{address}/e/spring", too_long, timeout=10)


def test_f18_full_disk_is_named_while_workers_cannot_show_that_they_live(
    site_on_small_disk, small_disk
):
    site = site_on_small_disk
    assert ask_what_is_missing(site) == ["worker"]
    with full(small_disk):
        assert ask_what_is_missing(site) == ["disk space of the database"]
        for command in ("status", "check"):
            said = site.app.test_cli_runner().invoke(args=[command]).output
            assert "has no room on its disk, so nobody can register" in said
            assert "no worker" not in said, "perhaps it lives, and cannot say so"
    assert ask_what_is_missing(site) == ["worker"]


def ask_what_is_missing(site):
    return site.visitor().look("GET", "/readyz").json()["missing"]


def integrity(site):
    with closing(sqlite3.connect(site.database.url.database)) as database:
        return database.execute("PRAGMA integrity_check").fetchone()[0]


def test_f18_log_that_cannot_be_written_stops_no_request(tmp_path, sqlite_databases):
    made = Installation(
        tmp_path,
        UKETSUKE_DATABASE_URL=sqlite_databases.make_migrated(),
        UKETSUKE_SECRET_KEY=SECRET.decode(),
        UKETSUKE_LOG_LEVEL="DEBUG",
    )
    command = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "web"]
    with Path("/dev/full").open("wb") as full_disk:
        process = subprocess.Popen(
            command, cwd=ROOT, env=made.environ, stdout=full_disk, stderr=full_disk
        )
    try:
        wait_until(lambda: made.answers(f"{made.url}/healthz"))
        answers = [requests.get(f"{made.url}/e/none", timeout=10).status_code for _ in range(5)]
        assert answers == [404] * 5
    finally:
        made.kill()
        process.wait()
