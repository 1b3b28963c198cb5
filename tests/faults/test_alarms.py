"""F06, F18: what stands still, or soon will, is told to the operator before anybody asks."""

import logging

import pytest
from sqlalchemy import func, select

from storage.disks import FILLING_PERCENT, measure_fullest
from storage.models import Alarm
from tests.faults.crowd import Crowd
from tests.fixtures.databases import only_sqlite, open_database
from tests.people import HANAKO, TARO
from tests.races import race
from worker.alarms import AlarmWatch
from worker.smtp import make_transport

OPERATOR = "operator@example.com"


def make_watch(site, database=None):
    return AlarmWatch(
        site.settings,
        database or site.database,
        transport=make_transport("", site.settings.mailbox),
        app_context=site.app.app_context,
        read_clock=site.clock,
    )


def list_alarms(caplog):
    return [r.alarm for r in caplog.records if r.message == "alarm"]


@pytest.fixture
def site(start_site, caplog):
    caplog.set_level(logging.ERROR, logger="worker.alarms")
    return start_site(operator_email=OPERATOR)


def test_f06_outage_of_zoom_is_told_once_by_four_workers_at_once(site, database_url, caplog):
    site.add_event(slug="spring")
    site.stop_zoom()
    crowd = Crowd(site.url)
    for person in (TARO, HANAKO):
        crowd.register(person)
    site.drain()
    for minutes in (2, 30):
        site.let_pass(minutes=minutes)
        site.drain()

    race(database_url, lambda database: make_watch(site, database).look(is_worker=True))

    assert list_alarms(caplog) == ["zoom_waiting"]
    assert len(site.mailbox.list_mails(OPERATOR)) == 1
    with site.database.read() as session:
        assert session.scalar(select(func.count(Alarm.name))) == 1


@only_sqlite
def test_f18_disk_is_told_while_there_is_still_room(start_site, small_disk, caplog):
    caplog.set_level(logging.ERROR, logger="worker.alarms")
    site = start_site(instance=small_disk, operator_email=OPERATOR)
    watch = make_watch(site)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 1_200_000)
    watch.look(is_worker=True)
    assert list_alarms(caplog) == []

    filler.write_bytes(b"x" * 1_750_000)
    watch.look(is_worker=True)
    watch.look(is_worker=True)
    [key] = list_alarms(caplog)
    assert key.startswith("disk_filling:")
    [told] = site.mailbox.list_mails(OPERATOR)

    # What wavers about the limit is no news, as long as there is much less room than was.
    for count in (1_600_000, 1_650_000):
        filler.write_bytes(b"x" * count)
        site.let_pass(hours=2)
        watch.look(is_worker=True)
    assert len(site.mailbox.list_mails(OPERATOR)) == 1

    filler.unlink()
    site.let_pass(hours=1)
    watch.look(is_worker=True)
    [_, over] = site.mailbox.list_mails(OPERATOR)
    assert [str(mail["Subject"])[:4] for mail in (told, over)] == ["【警告】", "【解消】"]


def test_f18_disk_of_the_database_is_seen_where_it_is_another_one(small_disk, tmp_path):
    file, link = small_disk / "site.sqlite3", tmp_path / "link.sqlite3"
    file.write_bytes(b"x" * 1_750_000)
    link.symlink_to(file)
    instance = tmp_path / "instance"

    for path in (file, link):
        fill = measure_fullest(open_database(f"sqlite:///{path}"), instance)
        assert (fill.percent > FILLING_PERCENT, fill.folder) == (True, small_disk)

    elsewhere = measure_fullest(open_database("postgresql:///site"), instance)
    assert (elsewhere.percent < 100, elsewhere.folder) == (True, instance)
