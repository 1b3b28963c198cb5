"""What a person does later, from the page that the mails lead to."""

from dataclasses import replace

import pytest

from services.questions import Choice, Condition, ConsentKind, Question, QuestionKind
from storage import registrations
from tests.factories import COMPANY, PRIVACY
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text
from tests.organizer import Organizer
from tests.people import TARO

NEWS = Question(
    "news",
    QuestionKind.CONSENT,
    {"ja": "ご案内メールを受け取る", "en": "Send me news"},
    consent=ConsentKind.MARKETING,
)
TITLE = Question("title", QuestionKind.TEXT, {"ja": "役職", "en": "Job title"})
WAY = Question(
    "way",
    QuestionKind.RADIO,
    {"ja": "知ったきっかけ", "en": "How you heard of it"},
    choices=(Choice("web", {"ja": "ウェブ", "en": "Web"}),),
    condition=Condition("title", ("部長",)),
)


def test_person_cancels_and_comes_back(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    mail = site.mailbox.read_only("taro@example.com")
    room = visitor.open(find_link(mail, "j")).form().leave()

    personal = visitor.open(find_link(mail, "r"))
    cancelled = personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    assert "参加をキャンセルしました。" in cancelled.text
    assert "/j/" not in cancelled.response.text
    site.drain()
    assert site.list_effects("taro@example.com") == ["add", "cancel"]
    assert "参加用URLは使えなくなりました" in visitor.open(find_link(mail, "j")).text
    assert visitor.open(receipt.url).heading == "このお申し込みはキャンセルされました"

    back = visitor.open(find_link(mail, "r")).follow("もう一度申し込む")
    again = back.form("もう一度申し込む").submit()
    assert "あらためてお申し込みを受け付けました。" in again.text
    site.drain()

    assert site.list_effects("taro@example.com") == ["add", "cancel", "approve"]
    assert visitor.open(find_link(mail, "j")).form().leave() == room, "the same link at Zoom"
    assert "taro@example.com" in site.read_room(room)
    subjects = site.mailbox.list_subjects("taro@example.com")
    assert subjects == ["受付完了", "キャンセル完了", "受付完了"]


def test_person_whom_the_organizer_cancelled_by_mistake_has_the_same_link_again(site):
    organizer = Organizer(site, site.add_event(slug="spring", closes_at=None))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    mail = site.mailbox.read_only(TARO["email"])
    room = visitor.open(find_link(mail, "j")).form().leave()
    organizer.cancel(TARO["email"])
    site.drain()
    assert "主催者にお問い合わせください" in visitor.open(find_link(mail, "r")).text

    organizer.run("registrations", "reinstate", TARO["email"])
    site.drain()

    assert site.list_effects(TARO["email"]) == ["add", "cancel", "approve"]
    assert visitor.open(find_link(mail, "j")).form().leave() == room
    personal = visitor.open(find_link(mail, "r"))
    assert "主催者にお問い合わせください" not in personal.text
    assert site.mailbox.list_subjects(TARO["email"])[1:] == ["キャンセル完了", "参加確定"]


@only_sqlite
@pytest.mark.parametrize(
    ("members", "hint", "warning"),
    [
        ({}, "キャンセルして再度お申し込みください", ""),
        ({"capacity": 1}, "主催者にお問い合わせください", "現在満席です。"),
        ({"is_closed": True}, "主催者にお問い合わせください", "現在は受付を行っていない"),
    ],
)
def test_nobody_is_advised_to_give_up_a_place_that_they_would_not_get_again(
    site, members, hint, warning
):
    organizer = Organizer(site, site.add_event(slug="spring", capacity=members.get("capacity")))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    if "is_closed" in members:
        organizer.change_event(closes_at=site.clock())

    personal = visitor.open(find_link(site.mailbox.read_only(TARO["email"]), "r"))
    asked = personal.follow("参加をキャンセルする")

    [advice] = [e for e in personal.root.find_all("p") if "メールアドレスを変更する場合" in e.text]
    assert hint in advice.text
    assert warning in asked.text if warning else "できません" not in asked.text


@only_sqlite
def test_who_cancelled_is_led_nowhere_while_registration_is_closed(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    organizer.change_event(closes_at=site.clock())
    personal = receipt.follow("登録内容の変更・キャンセル").follow("参加をキャンセルする")
    personal.form("キャンセルする").submit()
    site.drain()

    assert "もう一度" not in read_text(site.mailbox.read_last(TARO["email"]))
    assert "もう一度" not in visitor.open(receipt.url).text
    page = visitor.open(personal.link("戻る"))
    assert "もう一度申し込む" not in page.text
    organizer.change_event(closes_at=None)
    assert "もう一度申し込む" in visitor.open(page.url).text
    assert "もう一度お申し込みいただけます" in visitor.open(receipt.url).text


@pytest.mark.parametrize(("repeats", "times"), [(0, 2), (2, 1)])
def test_who_cancels_and_comes_back_by_the_mails_link_is_told_each_time(site, repeats, times):
    site.add_event(slug="spring")
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    personal = find_link(site.mailbox.read_only("taro@example.com"), "r")
    for _ in range(repeats):
        site.let_pass(minutes=10)
        visitor.open("/e/spring").form().fill(**TARO).submit()
        site.drain()

    for _ in range(times):
        for act in ("cancel", "again"):
            visitor.open(f"{personal}/{act}").form().submit()
            site.let_pass(minutes=2)
            site.drain()

    subjects = site.mailbox.list_subjects("taro@example.com")[1 + repeats :]
    assert subjects == ["キャンセル完了", "受付完了"] * times


def test_who_cancels_and_comes_back_from_the_screen_is_told_the_day_after(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    receipt.form("確認メールを再送する").submit()
    site.drain()
    personal = receipt.follow("登録内容の変更・キャンセル").url.partition("?")[0]

    for act in ("cancel", "again"):
        visitor.open(f"{personal}/{act}").form().submit()
        site.let_pass(minutes=2)
        site.drain()
    told = site.mailbox.list_subjects("taro@example.com")
    site.let_pass(days=1)
    site.drain()

    assert (len(told), told[-1]) == (3, "キャンセル完了")
    assert site.mailbox.list_subjects("taro@example.com") == [*told, "受付完了"]


def test_person_cancels_before_zoom_heard_of_them(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()

    personal = receipt.follow("登録内容の変更・キャンセル")
    personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    site.let_pass(minutes=2)
    site.drain()

    assert site.list_effects("taro@example.com") == []
    assert site.mailbox.list_subjects("taro@example.com") == ["キャンセル完了"]


def test_person_changes_details_and_takes_them_away(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    personal = visitor.open(find_link(site.mailbox.read_only("taro@example.com"), "r"))

    edit = personal.follow("登録内容を変更する")
    assert edit.form()["question_company"] == "例株式会社"
    refused = edit.form().fill(given_name="").submit(status=422)
    assert refused.errors == ["お名前（名）を入力してください"]
    saved = refused.form().fill(given_name="太朗", question_company="見本商店").submit()

    assert "登録内容を変更しました。" in saved.text
    assert "山田 太朗" in saved.text and "見本商店" in saved.text
    assert organizer.find("taro@example.com").proven_at is not None
    held = visitor.fetch(saved.link("お預かりしている情報をダウンロードする（JSON）")).json()
    assert held["registration"]["given_name"] == "太朗"
    assert held["answers"] == {"company": {"values": ["見本商店"]}}
    [change] = held["changes"]
    assert change["before"]["given_name"] == "太郎"
    assert [consent["given"] for consent in held["consents"]] == [True]
    assert [mail["name"] for mail in held["mails"]] == ["confirmation"]


def test_answers_whose_questions_left_the_form_stay_when_others_are_changed(site):
    questions = (COMPANY, TITLE, WAY, PRIVACY)
    organizer = Organizer(site, site.add_event(slug="spring", questions=questions))
    visitor = site.visitor()
    given = {"question_title": "部長", "question_way": "web"}
    visitor.open("/e/spring").form().fill(**TARO, **given).submit()
    site.drain()
    organizer.change_form((COMPANY, PRIVACY))
    personal = visitor.open(find_link(site.mailbox.read_only("taro@example.com"), "r"))

    edit = personal.follow("登録内容を変更する").form("変更を保存する")
    saved = edit.fill(question_company="見本商店").submit()

    for answer in ("会社名・団体名 見本商店", "役職 部長", "知ったきっかけ ウェブ"):
        assert answer in saved.text
    data = saved.link("お預かりしている情報をダウンロードする（JSON）")
    [change] = visitor.fetch(data).json()["changes"]
    changed = {**change["before"]["answers"], "company": {"values": ["見本商店"]}}
    assert change["after"]["answers"] == changed


def test_person_withdraws_from_news_and_the_evidence_stays(site):
    site.add_event(slug="spring", questions=(COMPANY, PRIVACY, NEWS))
    visitor = site.visitor()
    form = visitor.open("/e/spring").form()
    assert form["question_news"] == "", "the box for news is never ticked beforehand"
    form.fill(**TARO, question_news="yes").submit()
    site.drain()
    personal = visitor.open(find_link(site.mailbox.read_only("taro@example.com"), "r"))

    settings = personal.form("設定を保存する")
    assert settings["news"] == "news"
    saved = settings.fill(news=[]).submit()

    assert saved.form("設定を保存する")["news"] == ""
    held = visitor.fetch(saved.link("お預かりしている情報をダウンロードする（JSON）")).json()
    news = [c["given"] for c in held["consents"] if c["kind"] == "marketing"]
    assert news == [True, False]


def test_withdrawal_is_recorded_in_the_words_that_were_shown(site):
    site.add_event(slug="spring", questions=(COMPANY, PRIVACY, NEWS))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO, question_news="yes").submit()
    site.drain()
    personal = find_link(site.mailbox.read_only("taro@example.com"), "r")

    page = visitor.open(f"{personal}?lang=en")
    page.form("Save the settings").fill(news=[]).submit()

    data = page.link("Download everything we hold about you (JSON)")
    news = [c for c in visitor.fetch(data).json()["consents"] if c["kind"] == "marketing"]
    assert news[-1]["label"] in page.text
    assert [c["locale"] for c in news] == ["ja", "en"]


def test_consent_whose_box_left_the_form_can_be_withdrawn_in_its_own_words(site):
    organizer = Organizer(site, site.add_event(slug="spring", questions=(COMPANY, PRIVACY, NEWS)))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO, question_news="yes").submit()
    site.drain()
    shown_by = organizer.find("taro@example.com").form_version_id
    organizer.change_form((COMPANY, PRIVACY))
    personal = visitor.open(find_link(site.mailbox.read_only("taro@example.com"), "r"))
    edit = personal.follow("登録内容を変更する").form("変更を保存する")

    edited = edit.fill(question_company="見本商店").submit()
    saved = edited.form("設定を保存する").fill(news=[]).submit()

    assert saved.form("設定を保存する")["news"] == ""
    person = organizer.find("taro@example.com")
    assert person.form_version_id != shown_by, "the registration is of the new form"
    with site.database.read() as session:
        *_, given, withdrawn = registrations.list_consents(session, person.id)
    assert (given.is_given, withdrawn.is_given) == (True, False)
    for name in ("form_version_id", "question_id", "label", "notice_hash"):
        assert getattr(withdrawn, name) == getattr(given, name)


def test_each_sender_of_news_has_a_box_of_its_own(site):
    partner = replace(NEWS, id="partner", label={"ja": "共催の株式会社例からの案内を受け取る"})
    site.add_event(slug="spring", questions=(COMPANY, PRIVACY, NEWS, partner))
    visitor = site.visitor()
    both = {"question_news": "yes", "question_partner": "yes"}
    visitor.open("/e/spring").form().fill(**TARO, **both).submit()
    site.drain()
    personal = visitor.open(find_link(site.mailbox.read_only("taro@example.com"), "r"))

    saved = personal.form("設定を保存する").fill(news=["news"]).submit()

    data = saved.link("お預かりしている情報をダウンロードする（JSON）")
    held = visitor.fetch(data).json()["consents"]
    assert [(c["label"], c["given"]) for c in held][-1] == (partner.label["ja"], False)
    assert saved.form("設定を保存する").list_values("news") == ["news"]


def test_person_cancelled_by_the_organizer_is_told_so_and_invited_to_nothing(site):
    event = site.add_event(slug="spring")
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    personal = find_link(site.mailbox.read_only("taro@example.com"), "r")

    Organizer(site, event).cancel("taro@example.com")
    site.drain()

    mail = read_text(site.mailbox.read_last("taro@example.com"))
    assert "主催者により、お申し込みがキャンセルされました" in mail
    assert "/again" not in mail
    page = visitor.open(personal)
    assert "もう一度申し込む" not in page.text
    refused = visitor.open(f"{personal}/again").form().submit()
    assert "panel--warning" in refused.response.text


@only_sqlite
def test_who_comes_back_to_wait_for_approval_does_not_read_that_they_are_registered(site):
    site.add_event(slug="spring", approval="manual")
    visitor = site.visitor(locale="en")
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    asked = receipt.follow("Change or cancel your registration").follow("Withdraw your request")

    back = asked.form().submit().follow("Register again").form().submit()

    assert "We have received your registration again." in back.text
    assert "Waiting for approval" in back.text and "You are registered" not in back.text
