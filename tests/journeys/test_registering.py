"""A person registers and gets a personal join link."""

from datetime import timedelta

import pytest
import requests

from tests.dashboard import sign_in
from tests.mailbox import find_link, read_text
from tests.organizer import Organizer
from tests.people import ANN, TARO


def test_person_registers_and_joins(site):
    event = site.add_event(slug="spring")
    visitor = site.visitor()

    form_page = visitor.open("/e/spring")
    assert form_page.heading == "春の説明会"
    receipt = form_page.form().fill(**TARO).submit()
    assert receipt.heading == "お申し込みが完了しました"
    site.drain()

    mail = site.mailbox.read_only("taro@example.com")
    assert "山田 太郎" in read_text(mail)
    join_page = visitor.open(find_link(mail, "j"))
    room = join_page.form().leave()

    assert site.read_room(room).count("taro@example.com") == 1
    [person] = site.zoom.state()["registrants"]
    assert (person["meeting_id"], person["status"]) == (event.zoom_id, "approved")


def test_receipt_itself_leads_to_zoom(site):
    site.add_event(slug="spring", kind="webinar")
    visitor = site.visitor()

    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    waiting = receipt.follow("Zoomで参加する")
    assert "参加用URLを準備しています" in waiting.text
    assert waiting.root.find_all("form") == []
    site.drain()

    ready = waiting.follow("状態を更新") if waiting.text.count("状態を更新") else waiting
    assert "taro@example.com" in site.read_room(ready.form("Zoomで参加する").leave())


def test_person_registers_and_joins_in_english(site):
    site.add_event(slug="spring")
    visitor = site.visitor(locale="en")

    form_page = visitor.open("/e/spring")
    assert (form_page.locale, form_page.heading) == ("en", "Spring briefing")
    receipt = form_page.form().fill(**ANN).submit()
    assert (receipt.locale, receipt.heading) == ("en", "You are registered")
    assert "Thank you, Ann Smith." in receipt.text
    site.drain()

    mail = site.mailbox.read_only("ann@example.com")
    assert str(mail["Subject"]).startswith("Registered, ")
    assert read_text(mail).startswith("Dear Ann Smith,")
    join_page = site.visitor().open(find_link(mail, "j"))
    assert join_page.locale == "en", "the link of an English mail opens in English"
    assert "ann@example.com" in site.read_room(join_page.form("Join on Zoom").leave())
    [person] = site.zoom.state()["registrants"]
    assert (person["profile"]["first_name"], person["profile"]["last_name"]) == ("Ann", "Smith")


def test_person_corrects_an_error_first(site):
    site.add_event(slug="spring")
    typed = TARO | {"email": "taro@", "given_name": ""}
    form = site.visitor().open("/e/spring").form().fill(**typed | {"question_privacy": []})

    refused = form.submit(status=422)
    assert refused.title.startswith("エラー：")
    assert refused.errors == [
        "お名前（名）を入力してください",
        "メールアドレスは name@example.com のような形式で入力してください",
        "お申し込みには「個人情報の取扱い」への同意が必要です",
    ]
    again = refused.form()
    kept = [again[name] for name in ("family_name", "email", "question_company")]
    assert kept == ["山田", "taro@", "例株式会社"]

    receipt = again.fill(given_name="太郎", email=TARO["email"], question_privacy="yes").submit()
    site.drain()

    assert receipt.heading == "お申し込みが完了しました"
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]
    assert site.list_effects("taro@example.com") == ["add"]


def test_mistyped_domain_is_asked_about_once(site):
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form().fill(**TARO | {"email": "taro@gmial.com"})

    asked = form.submit(status=422)
    assert asked.errors == ["メールアドレスは taro@gmail.com の間違いではありませんか"]
    receipt = asked.form().press("入力したまま（taro@gmial.com）で申し込む").submit()
    site.drain()

    assert receipt.heading == "お申し込みが完了しました"
    assert site.mailbox.list_subjects("taro@gmial.com") == ["受付完了"]


def test_link_survives_a_changed_passcode_once_it_is_published_again(site):
    starts_at = site.clock().replace(microsecond=0) + timedelta(days=7)
    event = site.add_event(slug="spring", starts_at=starts_at)
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    link = find_link(site.mailbox.read_only("taro@example.com"), "j")
    site.zoom.change_meeting(event.zoom_id, password="changed")

    stale = visitor.open(link).form().leave()
    assert requests.get(stale, timeout=10).status_code != 200
    Organizer(site, event).run("event", "publish", "spring")

    assert "taro@example.com" in site.read_room(visitor.open(link).form().leave())


@pytest.mark.parametrize("policy", ["show", "code"])
def test_who_registers_for_twelve_sessions_is_told_of_each(site, policy):
    sessions = [f"session-{number}" for number in range(12)]
    events = [site.add_event(slug=slug, link_policy=policy) for slug in sessions]
    visitor = site.visitor()
    receipts = [visitor.open(f"/e/{slug}").form().fill(**TARO).submit() for slug in sessions]
    site.let_pass(minutes=2)
    site.drain()
    assert len(site.mailbox.list_mails("taro@example.com")) == 10
    says_when = "同じ宛先へのメールは1日10通まで" in visitor.open(receipts[-1].url).text
    browser = sign_in(site)
    people = f"/organizer/events/{events[-1].public_id}/people"
    person = browser.open(people).follow("山田 太郎")
    assert "に延期" in person.text

    site.let_pass(days=1)
    site.drain()

    assert len(site.mailbox.list_mails("taro@example.com")) == 12
    assert says_when is (policy == "show")


@pytest.mark.parametrize(("code", "offers_another_address"), [(3027, True), (3043, False)])
def test_who_is_refused_by_zoom_is_offered_another_address_where_one_helps(
    site, code, offers_another_address
):
    site.add_event(slug="spring")
    site.zoom.fault("add_registrant", does="answer", status=400, code=code, message="No.")
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    mail = read_text(site.mailbox.read_only("taro@example.com"))

    assert ("別のメールアドレスで" in mail) is offers_another_address
    assert ("/e/spring" in mail) is offers_another_address
    assert ("空きが出た場合は" in mail) is not offers_another_address
