"""The same person sends the form again: nothing is doubled, changed or told to strangers."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.questions import Question, QuestionKind
from storage import events
from tests.dashboard import sign_in
from tests.factories import COMPANY, PRIVACY
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text
from tests.organizer import Organizer
from tests.people import HANAKO, TARO

HOST = TARO | {"email": "host@example.com"}
"""Whom Zoom never takes."""


def test_same_address_again_changes_nothing_until_its_owner_says_so(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    other = HANAKO | {"email": "TARO@example.com", "question_company": "別の会社"}
    receipt = site.visitor().open("/e/spring").form().fill(**other).submit()
    assert receipt.heading == "メールをご確認ください"
    assert "佐藤 花子" in receipt.text and "山田" not in receipt.text
    assert "/j/" not in receipt.response.text and "/r/" not in receipt.response.text
    site.drain()

    assert organizer.find("taro@example.com").family_name == "山田"
    assert site.list_effects("taro@example.com") == ["add"]
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了", "お申し込みの確認"]
    mail = site.mailbox.read_last("taro@example.com")
    assert "登録内容は変わっていません" in read_text(mail)
    assert "ご自身のメールアドレスでお申し込みください" in read_text(mail)
    assert "佐藤" not in read_text(mail) and "別の会社" not in read_text(mail)

    personal = visitor.open(find_link(mail, "r"))
    [proposal] = [a["href"] for a in personal.root.find_all("a") if "/answers/" in a["href"]]
    comparison = visitor.open(proposal)
    assert "佐藤 花子 現在：山田 太郎" in comparison.text
    assert "別の会社 現在：例株式会社" in comparison.text
    changed = comparison.form("この内容に変更する").submit()
    assert "登録内容を変更しました。" in changed.text
    assert "佐藤 花子" in changed.text and "別の会社" in changed.text
    assert "/answers/" not in changed.response.text, "what was used is not offered again"


def test_who_took_over_answers_is_still_found_by_their_receipt_number(site):
    event = site.add_event(slug="spring")
    receipt = site.visitor().open("/e/spring").form().fill(**TARO).submit()
    number = re.search(r"受付番号 (\S+)", receipt.text).group(1)
    other = TARO | {"question_company": "別の会社"}
    site.visitor().open("/e/spring").form().fill(**other).submit()
    site.drain()
    personal = site.visitor().open(find_link(site.mailbox.read_last("taro@example.com"), "r"))
    [proposal] = [a["href"] for a in personal.root.find_all("a") if "/answers/" in a["href"]]
    site.visitor().open(proposal).form("この内容に変更する").submit()

    people = sign_in(site).open(f"/organizer/events/{event.public_id}/people?q={number}")

    assert "taro@example.com" in people.text
    assert number in Organizer(site, event).run("registrations", "list", "spring")


def test_taking_over_a_newer_form_keeps_what_it_no_longer_asks(site):
    title = Question("title", QuestionKind.TEXT, {"ja": "役職", "en": "Title"})
    organizer = Organizer(site, site.add_event(slug="spring", questions=(COMPANY, title, PRIVACY)))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO, question_title="部長").submit()
    organizer.change_form((COMPANY, PRIVACY))
    site.visitor().open("/e/spring").form().fill(**TARO | {"question_company": "別の会社"}).submit()
    site.drain()
    personal = visitor.open(find_link(site.mailbox.read_last("taro@example.com"), "r"))

    [proposal] = [a["href"] for a in personal.root.find_all("a") if "/answers/" in a["href"]]
    comparison = visitor.open(proposal)
    assert "役職 部長" in comparison.text and "役職 現在：" not in comparison.text
    for _press in range(2):
        changed = comparison.form("この内容に変更する").submit()

    assert "会社名・団体名 別の会社" in changed.text and "役職 部長" in changed.text


def test_form_sent_twice_by_a_double_click_is_one(site):
    event = site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form().fill(**TARO)

    with ThreadPoolExecutor(2) as clicks:
        receipts = list(clicks.map(lambda _: site.visitor().post(form.action, form.fields), "12"))
    later = form.submit()
    site.drain()

    assert {receipt.url for receipt in receipts} == {later.url}
    assert site.count_rows("submission") == 1
    assert site.count_rows("registration") == 1
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]
    assert site.list_effects("taro@example.com") == ["add"]
    with site.database.read() as session:
        assert events.get_counter(session, event.id, events.SEATS) == 1


def test_two_tabs_at_once_are_one_person(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    tabs = [visitor.open("/e/spring").form().fill(**TARO) for _ in range(2)]

    with ThreadPoolExecutor(2) as hands:
        receipts = list(hands.map(lambda tab: site.visitor().post(tab.action, tab.fields), tabs))
    site.drain()

    assert len({receipt.url for receipt in receipts}) == 2
    with_link = [receipt for receipt in receipts if "/j/" in receipt.response.text]
    assert len(with_link) == 1, "the tab that was a moment later is told to look into its mail"
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]
    assert site.count_rows("registration") == 1
    assert site.list_effects("taro@example.com") == ["add"]


def test_second_person_at_the_same_screen_is_a_second_person(site):
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form()

    first = form.fill(**TARO).submit()
    back = form.fill(**HANAKO).submit()
    site.drain()

    assert first.url != back.url and "佐藤 花子" in back.text
    assert site.list_effects("taro@example.com") == ["add"]
    assert site.list_effects("hanako@example.com") == ["add"]


def test_form_that_was_changed_meanwhile_comes_back_filled_in(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    title = Question("title", QuestionKind.TEXT, {"ja": "役職", "en": "Title"}, required=True)
    organizer.change_form((COMPANY, title, PRIVACY))

    again = form.submit(status=422)
    assert "ページを開いた後にフォームの内容が変わりました" in again.text
    assert site.count_rows("submission") == 0
    filled = again.form()
    assert (filled["email"], filled["question_company"]) == ("taro@example.com", "例株式会社")
    receipt = filled.fill(question_title="部長").submit()

    assert receipt.heading == "お申し込みが完了しました"
    assert "役職 部長" in receipt.text


def test_form_of_yesterday_comes_back_filled_in(site):
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    site.let_pass(hours=25)

    again = form.submit(status=422)
    assert "時間が経過したため、もう一度送信してください" in again.text
    assert again.form()["email"] == "taro@example.com"
    assert again.form().submit().heading == "お申し込みが完了しました"


def test_form_that_is_sent_again_after_cancelling_is_answered_by_mail(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    personal = receipt.follow("登録内容の変更・キャンセル")
    personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    site.drain()

    for _ in range(2):
        site.let_pass(seconds=45)
        visitor.open("/e/spring").form().fill(**TARO).submit()
        site.drain()

    mail = site.mailbox.read_last("taro@example.com")
    subjects = site.mailbox.list_subjects("taro@example.com")
    assert subjects == ["キャンセル完了", "お申し込みの確認"]
    assert visitor.open(find_link(mail, "r")).follow("もう一度申し込む").heading


@only_sqlite
@pytest.mark.parametrize("fallback_url", ["", "https://live.example.com/spring"])
def test_who_was_refused_and_sends_the_form_again_reads_of_the_refusal(site, fallback_url):
    site.add_event(slug="spring", fallback_url=fallback_url)
    for _ in range(2):
        site.visitor().open("/e/spring").form().fill(**HOST).submit()
        for _ in range(2):
            site.drain()
            site.let_pass(minutes=2)

    subjects = site.mailbox.list_subjects(HOST["email"])
    assert subjects == ["Zoomに登録できません", "お申し込みの確認"]
    text = read_text(site.mailbox.read_last(HOST["email"]))
    assert "Zoomで登録が受け付けられていません" in text
    assert "準備ができると" not in text and "もう一度お申し込み" not in text
    assert ("/j/" in text, "主催者が用意した参加用URL" in text) == (bool(fallback_url),) * 2


@only_sqlite
@pytest.mark.parametrize(
    ("act", "words", "offers"),
    [
        (None, "現在、承認待ちです。", True),
        ("deny", "今回はご参加いただけません。", False),
        ("cancel", "ご希望の場合は、主催者にお問い合わせください。", False),
    ],
)
def test_mail_about_a_form_sent_again_says_where_the_registration_stands(site, act, words, offers):
    organizer = Organizer(site, site.add_event(slug="spring", approval="manual"))
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    if act:
        organizer.run("registrations", act, TARO["email"])
    site.drain()
    site.let_pass(minutes=3)
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    mail = site.mailbox.read_last(TARO["email"])
    assert mail["Subject"].startswith("【お申し込みの確認】")
    assert words in read_text(mail)
    assert ("/answers/" in read_text(mail)) is offers
    for link in re.findall(r"http\S+", read_text(mail)):
        site.visitor().open(link)
