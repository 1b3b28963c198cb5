"""Zoom fails in every way; the person waits, hears the truth, and joins."""

import pytest

from services.fault_points import FAULT_VARIABLE
from tests.mailbox import find_link, read_text
from tests.people import TARO


def test_zoom_is_down_and_comes_up_again(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    site.stop_zoom()

    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    assert receipt.heading == "お申し込みが完了しました"
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com") == []

    site.let_pass(seconds=60)
    site.drain()
    confirmation = site.mailbox.read_only("taro@example.com")
    assert "お席を確保しました" in read_text(confirmation)
    assert "準備ができると、このURLから参加できます" in read_text(confirmation)
    join_link = find_link(confirmation, "j")
    waiting = visitor.open(join_link)
    assert "Zoomからの応答を待っています。お席は確保されています。" in waiting.text

    site.let_pass(minutes=15)
    site.drain()
    site.let_pass(hours=1)
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了", "参加用URL準備中"]

    site.start_zoom()
    site.let_pass(hours=1)
    site.drain()
    assert "taro@example.com" in site.read_room(visitor.open(join_link).form().leave())
    assert site.list_effects("taro@example.com") == ["add"]
    assert len(site.mailbox.list_mails()) == 2, "the link that opens now was in the first mail"


def test_zoom_takes_it_but_the_answer_is_lost(site):
    site.add_event(slug="spring")
    site.zoom.fault("add_registrant", does="close", when="after")
    visitor = site.visitor()

    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com") == []
    site.let_pass(seconds=5)
    site.drain()

    mail = site.mailbox.read_only("taro@example.com")
    join_page = visitor.open(find_link(mail, "j"))
    assert "taro@example.com" in site.read_room(join_page.form().leave())
    adds = site.zoom.journal(action="add_registrant")
    assert [entry["effect"] for entry in adds] == ["add"], "found by looking, not added again"


def test_the_call_is_lost_before_zoom_takes_it(site):
    site.add_event(slug="spring")
    site.zoom.fault("add_registrant", does="close", when="before")
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    site.let_pass(seconds=5)
    site.drain()
    assert site.list_effects("taro@example.com") == [], "one look that finds nobody is not enough"
    assert len(site.zoom.journal(action="list_registrants")) == 3, "all three lists"
    site.let_pass(seconds=70)
    site.drain()

    adds = site.zoom.journal(action="add_registrant")
    assert [entry["effect"] for entry in adds] == [None, "add"]
    assert len(site.zoom.journal(action="list_registrants")) == 6
    assert "参加用URL" in read_text(site.mailbox.read_last("taro@example.com"))


def kill_worker_at(site, place):
    """Run a worker in a process of its own that dies there as `kill -9` would have it."""
    worker = site.start_worker_process(**{FAULT_VARIABLE: f"{place}:kill"})
    assert worker.wait(60) == -9
    site.end_leases()


@pytest.mark.real_time
def test_worker_is_killed_between_zooms_answer_and_our_commit(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()

    kill_worker_at(site, "after_zoom")
    assert site.list_effects("taro@example.com") == ["add"]
    site.start_worker_process()
    site.wait_until(lambda: site.mailbox.list_mails())

    mail = site.mailbox.read_only("taro@example.com")
    join_page = visitor.open(find_link(mail, "j"))
    assert "taro@example.com" in site.read_room(join_page.form().leave())
    assert site.list_effects("taro@example.com") == ["add"]
    assert len(site.zoom.state()["registrants"]) == 1


@pytest.mark.real_time
def test_worker_is_killed_before_it_calls_zoom(site):
    site.add_event(slug="spring")
    site.visitor().open("/e/spring").form().fill(**TARO).submit()

    kill_worker_at(site, "before_zoom")
    assert site.zoom.journal(action="add_registrant") == []
    for _ in range(3):
        site.drain()
        site.let_pass(seconds=65)
    site.drain()

    assert site.list_effects("taro@example.com") == ["add"]
    assert len(site.zoom.journal(action="add_registrant")) == 1
    assert find_link(site.mailbox.read_only("taro@example.com"), "j")


@pytest.mark.real_time
def test_worker_is_killed_between_adding_and_approving(site):
    site.add_event(slug="spring", kind="webinar")
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()

    kill_worker_at(site, "before_status")
    assert [p["status"] for p in site.zoom.state()["registrants"]] == ["pending"]
    site.drain()

    assert site.list_effects("taro@example.com") == ["add", "approve"]
    mail = site.mailbox.read_only("taro@example.com")
    join_page = visitor.open(find_link(mail, "j"))
    assert "taro@example.com" in site.read_room(join_page.form().leave())
