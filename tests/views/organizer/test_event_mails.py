"""The mails of an event, looked at before anybody gets one."""

import pytest

from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite


def open_mails(site, query="", **values):
    with site.database.write() as session:
        event = factories.make_event(session, now=site.clock(), **values)
    browser = sign_in(site)
    address = f"/organizer/events/{event.public_id}/mails"
    return browser.open(address + query), browser.fetch(f"{address}/body{query}")


def list_names(page):
    [tabs] = [nav for nav in page.root.find_all("nav") if nav["aria-label"] == "メール"]
    return [link.text for link in tabs.find_all("a")]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, ["受付完了"]),
        (
            {"approval": "manual"},
            ["受付（承認待ち）", "参加確定（参加用URLつき）", "お断り"],
        ),
        (
            {"capacity": 5, "has_waitlist": True},
            ["受付完了", "キャンセル待ちの受付", "参加確定（参加用URLつき）"],
        ),
    ],
)
def test_mails_that_an_event_sends_are_named(site, values, names):
    page, _body = open_mails(site, **values)

    others = ["登録済みのお知らせ", "日時変更のお知らせ", "キャンセル完了", "開催中止"]
    assert list_names(page) == [*names, *others]


def test_mail_is_shown_as_it_arrives_and_stores_nothing(site):
    page, body = open_mails(site, title={"ja": "春の<b>説明会</b>"}, status="draft")

    assert "【受付完了】" in page.text and "山田 太郎 様" in page.text
    assert "お申し込みが完了しました" in body.text
    assert "春の&lt;b&gt;説明会" in body.text
    assert body.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert site.count_rows("mail") == site.count_rows("registration") == 0


def test_code_of_an_event_that_asks_for_one_is_in_its_mail(site):
    query = "?mail=confirmation&language=en"
    page, body = open_mails(site, query, link_policy="code", title={"en": "Spring briefing"})

    assert "Dear Taro Yamada" in page.text
    assert "123456" in body.text


def test_mail_to_who_is_turned_down_is_shown_as_most_get_it(site):
    page, body = open_mails(site, "?mail=denied&language=ja", approval="manual")

    assert "今回はご参加いただけません" in body.text
    for text in (page.text, body.text):
        assert "参加用URLは使えなくなりました" not in text and "invite.ics" not in text
