"""The operator hears that nothing can be stored, though nothing can be stored about it."""

import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest

from storage import session
from tests.faults.disks import full
from tests.fixtures.databases import only_sqlite
from tests.mailbox import read_text
from tests.worker.smtp_server import recite
from worker.smtp import make_transport
from worker.storage_watch import StorageWatch

OPERATOR = "operator@example.com"


@contextmanager
def read_only(site):
    """Let a database take nothing meanwhile."""
    if site.database.is_sqlite:
        with closing(sqlite3.connect(site.database.url.database)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.rollback()
        return
    url = site.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    change = f'ALTER DATABASE "{site.database.url.database}"'.encode()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(change + b" SET default_transaction_read_only = on")
        site.database.dispose()
        yield
        other.execute(change + b" RESET default_transaction_read_only")
        site.database.dispose()


@pytest.fixture
def site(start_site, monkeypatch):
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 20)
    return start_site(operator_email=OPERATOR)


def make_watch(site, mail_url="", **settings):
    return StorageWatch(
        replace(site.settings, **settings),
        site.database,
        transport=make_transport(mail_url, site.settings.mailbox),
        app_context=site.app.app_context,
        read_clock=site.clock,
    )


def look(site, *watches, minutes):
    for _ in range(minutes):
        for watch in watches:
            watch.look()
        site.clock.move(minutes=1)


def list_subjects(site):
    return [str(mail["Subject"]) for mail in site.mailbox.list_mails(OPERATOR)]


def test_operator_is_told_once_and_when_it_is_over(site):
    watches = [make_watch(site) for _ in range(3)]
    with read_only(site):
        look(site, *watches, minutes=5)
        assert list_subjects(site) == []
        look(site, *watches, minutes=5)
        [content] = [read_text(mail) for mail in site.mailbox.list_mails(OPERATOR)]
        assert "申し込みを保存できません" in content and site.settings.site_url in content
    look(site, *watches, minutes=3)

    assert list_subjects(site) == [
        "【警告】申し込みを保存できません",
        "【解消】申し込みを保存できません",
    ]
    with read_only(site):
        look(site, *watches, minutes=10)
    assert len(list_subjects(site)) == 3


@only_sqlite
def test_full_disk_is_told_once_too_and_its_end(site, small_disk):
    """Where the site keeps its files there is no room for a word either."""
    watches = [make_watch(site, instance=small_disk) for _ in range(3)]
    with full(small_disk), read_only(site):
        look(site, *watches, minutes=7)
    look(site, *watches, minutes=3)

    assert [subject[:4] for subject in list_subjects(site)] == ["【警告】", "【解消】"]


@only_sqlite
def test_where_no_mark_can_be_made_each_process_tells_begin_and_end(site, tmp_path):
    (tmp_path / "file").touch()
    watches = [make_watch(site, instance=tmp_path / "file") for _ in range(2)]
    with read_only(site):
        look(site, *watches, minutes=7)
    look(site, *watches, minutes=3)

    assert [subject[:4] for subject in list_subjects(site)] == ["【警告】"] * 2 + ["【解消】"] * 2


@only_sqlite
def test_process_that_starts_meanwhile_knows_that_it_was_told(site):
    with read_only(site):
        look(site, make_watch(site), minutes=7)
        look(site, make_watch(site), minutes=7)
    look(site, make_watch(site), minutes=1)

    assert len(list_subjects(site)) == 2


@only_sqlite
def test_short_wait_is_no_alarm(site):
    watch = make_watch(site)
    for _ in range(3):
        with read_only(site):
            look(site, watch, minutes=4)
        look(site, watch, minutes=1)

    assert list_subjects(site) == []


@only_sqlite
def test_mail_server_that_is_away_is_asked_again(site):
    with read_only(site):
        look(site, make_watch(site, "smtp://127.0.0.1:1"), minutes=7)
        assert list_subjects(site) == []
        look(site, make_watch(site), minutes=7)

    assert list_subjects(site) == ["【警告】申し込みを保存できません"]


@only_sqlite
def test_mail_that_perhaps_went_goes_once(site):
    silent = ["220 hi", "250 ok", "250 ok", "250 ok", "354 go"]
    with read_only(site), recite(silent) as recital:
        watch = make_watch(site, f"smtp://127.0.0.1:{recital.port}")
        look(site, watch, minutes=6)
        watch = make_watch(site)
        look(site, watch, minutes=7)

    assert list_subjects(site) == []


@only_sqlite
def test_of_processes_that_notice_at_once_one_tells(site):
    with read_only(site):
        watches = [make_watch(site) for _ in range(4)]
        look(site, *watches, minutes=5)
        start = threading.Barrier(len(watches))
        threads = [
            threading.Thread(target=lambda watch=watch: (start.wait(), watch.look()))
            for watch in watches
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(list_subjects(site)) == 1
