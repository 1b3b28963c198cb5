"""One network sends too much: it is asked to wait, loses nothing, and stops nobody else."""

import pytest
from sqlalchemy import text

from services import limits
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_code
from tests.people import HANAKO, TARO

AGAIN = "もう一度送信する"
NOT_SAVED = "同じネットワークからの送信が集中しているため、まだ保存されていません。"
NOT_DONE = "同じネットワークからの送信が集中しているため、処理はまだ完了していません。"


@pytest.fixture(autouse=True)
def _one_an_hour(monkeypatch):
    """Let a network send once; units come back too slowly to matter while a test runs."""
    monkeypatch.setattr(limits, "BURST", 1)
    monkeypatch.setattr(limits, "INTERVAL_SECONDS", 3600.0)


@pytest.fixture
def site(start_site):
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    return site


@pytest.fixture
def site_behind_proxy(start_site):
    site = start_site(rate_limits=True, trusted_proxies=1)
    site.add_event(slug="spring")
    return site


def register(site, person=TARO, *, forwarded_for=None, status=200):
    form = site.visitor().open("/e/spring").form().fill(**person)
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    return form.submit(status=status, headers=headers)


def test_form_comes_back_as_it_was_sent(site):
    register(site)
    form = site.visitor().open("/e/spring").form().fill(**HANAKO)

    page = form.submit(status=429)

    assert page.response.headers["Retry-After"] == "60"
    assert "同じネットワークからのお申し込みが集中しています" in page.text
    again = page.form()
    assert {name: again[name] for name in HANAKO} == HANAKO
    assert again["form_token"] == form["form_token"]
    assert site.count_rows("submission") == 1


def test_same_form_is_taken_once_time_has_passed(site):
    register(site)
    page = register(site, HANAKO, status=429)

    site.clock.move(hours=1)
    receipt = page.form().submit()

    assert receipt.heading == "お申し込みが完了しました"
    assert site.count_rows("submission") == 2


@only_sqlite
def test_looking_costs_nothing(site):
    for _ in range(3):
        site.visitor().open("/e/spring")
        site.visitor().open("/e/spring").form().submit(status=422)

    assert register(site).heading == "お申し込みが完了しました"


@only_sqlite
def test_header_of_a_visitor_makes_no_other_network(site):
    register(site, forwarded_for="192.0.2.1")

    register(site, HANAKO, forwarded_for="192.0.2.2", status=429)


@only_sqlite
def test_network_is_what_our_own_proxy_saw(site_behind_proxy):
    register(site_behind_proxy, forwarded_for="192.0.2.1, 198.51.100.7")

    register(site_behind_proxy, HANAKO, forwarded_for="192.0.2.2, 198.51.100.7", status=429)
    register(site_behind_proxy, HANAKO, forwarded_for="192.0.2.1, 198.51.100.8")
    assert site_behind_proxy.count_rows("submission") == 2


@only_sqlite
def test_what_sends_mails_from_a_receipt_is_limited(site):
    receipt = register(site)
    address = receipt.follow("メールアドレスを訂正する").form()

    refused = receipt.form("確認メールを再送する").submit(status=429)
    kept = address.fill(email="hanako@example.com").submit(status=429).form(AGAIN)

    assert refused.response.headers["Retry-After"] == "60"
    assert NOT_DONE in refused.text
    assert site.count_rows("registration") == site.count_rows("mail") == 1
    site.clock.move(hours=1)
    assert "確認メールの再送を受け付けました" in refused.form(AGAIN).submit().text
    site.clock.move(hours=1)
    assert kept["email"] == "hanako@example.com"
    assert "h***@example.com" in kept.submit().text


@only_sqlite
def test_what_sends_mails_from_a_personal_page_is_limited(site):
    receipt = register(site)
    personal = receipt.follow("登録内容の変更・キャンセル")
    cancel = personal.follow("参加をキャンセルする").form("キャンセルする")

    kept = cancel.submit(status=429).form(AGAIN)
    assert "参加登録済み" in site.visitor().open(personal.url).text
    site.clock.move(hours=1)
    again = kept.submit().follow("もう一度申し込む").form("もう一度申し込む")
    again.submit(status=429)

    assert "キャンセル済み" in site.visitor().open(personal.url).text


def test_who_cannot_be_counted_is_registered_but_sent_no_more_mails(site):
    receipt = register(site)
    with site.database.write() as session:
        session.execute(text("DROP TABLE rate_bucket"))

    assert register(site, HANAKO).heading == "お申し込みが完了しました"

    receipt.form("確認メールを再送する").submit(status=503)
    assert site.count_rows("registration") == site.count_rows("mail") == 2


@only_sqlite
def test_trying_codes_is_limited(site, monkeypatch):
    site.add_event(slug="summer", link_policy="code")
    receipt = site.visitor().open("/e/summer").form().fill(**TARO).submit()
    site.drain()
    form = receipt.form("参加用URLを表示する")
    form.fill(code=find_code(site.mailbox.read_only("taro@example.com")))

    kept = form.submit(status=429).form(AGAIN)
    monkeypatch.setattr(limits, "BURST", 2)
    shown = kept.submit()

    assert "Zoomで参加する" in shown.text


def test_changed_answers_are_kept_by_the_page_that_asks_to_wait(site):
    personal = register(site).follow("登録内容の変更・キャンセル")
    form = personal.follow("登録内容を変更する").form("変更を保存する")

    page = form.fill(question_company="例示システムズ株式会社").submit(status=429)

    assert "例示システムズ株式会社" not in site.visitor().open(personal.url).text
    assert page.response.headers["Retry-After"] == "60" and NOT_SAVED in page.text
    kept = page.form(AGAIN)
    assert sorted(kept.fields) == sorted(form.fields)
    site.clock.move(hours=1)
    assert "例示システムズ株式会社" in kept.submit().text
