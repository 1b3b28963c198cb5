"""A person chooses dates of a series in a real browser, and changes them later."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import heading, send
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link
from tests.series import make_series

pytestmark = [pytest.mark.browser, only_sqlite]


TARO = "taro@example.com"
TWO_LINES = 56


def test_person_chooses_dates_reads_them_in_the_mail_and_changes_them(site, open_tab):
    site.zoom.set_clock(site.clock())
    with site.database.write() as session:
        make_series(session, site.zoom, now=site.clock(), slug="course")
    tab = open_tab()
    labels = tab.locator("label", has_text="日本時間")
    tab.goto(f"{site.url}/e/course")
    for label, text in (
        ("姓", "山田"),
        ("名", "太郎"),
        ("メールアドレス 必須", TARO),
    ):
        tab.get_by_label(label, exact=True).fill(text)
    tab.get_by_label("「個人情報の取扱い」に同意する 必須", exact=True).check()
    send(tab)
    tab.get_by_role("link", name="参加する日程を選んでください").click()
    dates = tab.get_by_role("group", name="参加する日程").get_by_role("checkbox")
    expect(dates.first).to_be_focused()
    tab.keyboard.press("Space")
    first = labels.first.inner_text()
    time = labels.first.get_by_text("〜").bounding_box()
    assert time["height"] < TWO_LINES, "start and end of a time stay together"
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    expect(tab.get_by_text(first.strip())).to_be_visible()
    expect(tab.get_by_role("heading", name="ご入力の内容")).to_have_count(0)
    site.drain()
    mail = site.mailbox.read_only(TARO)
    assert first.strip() in mail.get_body(("plain",)).get_content()

    tab.goto(find_link(mail, "r"))
    tab.get_by_role("link", name="登録内容を変更する").click()
    dates = tab.get_by_role("group", name="参加する日程").get_by_role("checkbox")
    dates.nth(0).uncheck()
    dates.nth(2).check()
    third = labels.nth(2).inner_text()
    tab.get_by_role("button", name="変更を保存する").click()
    expect(tab.get_by_text("登録内容を変更しました")).to_be_visible()
    expect(tab.locator(".facts").get_by_text(third.strip())).to_be_visible()
    site.drain()
    assert site.mailbox.list_subjects(TARO) == ["受付完了", "日程変更"]
    [person] = site.zoom.state()["registrants"]
    assert len(person["occurrence_ids"]) == 1
