"""What a receipt and the personal page say in each state, and what they offer no more."""

import pytest
from sqlalchemy import select, update

from services.dates import format_short
from storage.models import Mail
from tests.fixtures.databases import only_sqlite
from tests.organizer import Organizer
from tests.stage import Stage

pytestmark = only_sqlite

TARO = "taro@example.com"


@pytest.fixture
def stage(site):
    return Stage(site)


@pytest.fixture
def look(stage):
    """Register somebody for the event `spring`, and return how to open receipt and own page."""

    def register(email=TARO, **answers):
        receipt = stage.register("spring", email, **answers)
        return lambda: stage.site.visitor().open(receipt)

    return register


def open_personal(stage, email=TARO):
    return stage.site.visitor().open(stage.personal(email))


@pytest.mark.parametrize(
    ("change", "words", "kind"),
    [
        ({"status": "cancelled"}, "このイベントは中止になりました", "panel--warning"),
        (None, "このイベントは終了しました", "panel--info"),
    ],
)
def test_event_that_is_over_leads_nowhere_any_more(stage, look, change, words, kind):
    stage.add_event("spring")
    open_receipt = look()
    stage.site.drain()
    stage.change_event("spring", **change) if change else stage.end_event("spring")

    for page in (open_receipt(), open_personal(stage)):
        assert words in page.text and kind in page.response.text
        for gone in ("/j/", "/invite.ics", "/resend", "/address?", "/cancel?", "登録済み", "完了"):
            assert gone not in page.response.text


def test_page_that_was_open_when_the_event_ended_sends_no_mail(stage, look):
    stage.add_event("spring")
    receipt = look()()
    stage.site.drain()
    stage.end_event("spring")

    page = receipt.form("確認メールを再送する").submit()
    stage.site.drain()

    assert page.heading == "このイベントは終了しました"
    assert "再送" not in page.text
    assert len(stage.site.mailbox.list_mails(TARO)) == 1
    assert receipt.follow("メールアドレスを訂正する").heading == "このイベントは終了しました"


def test_held_request_is_changed_by_the_organizer_alone(stage, look):
    stage.add_event("spring")

    page = look(subject="https://attacker.invalid/")()

    assert "変更・取り消しをご希望の場合は、主催者にお問い合わせください。" in page.text
    assert "メールに記載のURL" not in page.text


def test_request_that_was_denied_has_nothing_to_change(stage, look):
    stage.add_event("spring", approval="manual")
    open_receipt = look()
    stage.deny(TARO)

    assert "変更・キャンセル" not in open_receipt().text


@pytest.mark.parametrize(
    ("close", "words"),
    [
        (lambda stage: stage.deny(TARO), "承認されませんでした"),
        (lambda stage: stage.cancel(TARO), "あらためて参加をご希望の場合"),
        (lambda stage: stage.end_event("spring"), "このイベントは終了しました"),
    ],
    ids=["denied", "cancelled", "ended"],
)
def test_who_changes_details_too_late_reads_how_their_registration_stands(
    stage, look, close, words
):
    stage.add_event("spring", approval="manual")
    look()
    stage.register("spring", TARO)
    edit = open_personal(stage).follow("登録内容を変更する")
    proposal = stage.site.visitor().open(stage.proposal(TARO))
    close(stage)

    typed = edit.form().fill(family_name="佐藤")
    used = proposal.form()
    opened = [edit.visitor.open(page.url) for page in (edit, proposal)]
    for page in (typed.submit(), used.submit(), *opened):
        assert "登録内容は現在変更できないため、変更は行われていません。" in page.text
        assert words in page.text and "panel--warning" in page.response.text


def test_receipt_of_a_cancelled_registration_says_how_to_come_back(stage, look):
    stage.add_event("spring")
    open_receipt = look()

    stage.cancel(TARO)

    assert "あらためて参加をご希望の場合" in open_receipt().text
    headings = [h.text for h in open_personal(stage).root.find_all("h2")]
    assert headings[0] == "あらためて参加をご希望の場合"


def test_receipt_of_who_was_cancelled_by_the_organizer_invites_to_nothing(stage, look):
    event = stage.add_event("spring")
    open_receipt = look()

    Organizer(stage.site, event).cancel(TARO)

    assert open_receipt().heading == "このお申し込みはキャンセルされました"
    assert "あらためて参加をご希望の場合" not in open_receipt().text


def test_receipt_says_that_the_mail_went_only_once_it_has(stage, look):
    stage.add_event("spring")
    open_receipt = look()
    assert "確認メールを t***@example.com にお送りします。" in open_receipt().text
    stage.site.let_pass(minutes=2)
    assert "確認メールを t***@example.com にお送りします。" in open_receipt().text

    stage.site.drain()
    [at] = list_mails(stage, Mail.sent_at)
    sent = f"お送りしました（{format_short(at, 'Asia/Tokyo', 'ja')}）。"
    assert sent in open_receipt().text
    open_receipt().form("確認メールを再送する").submit()
    assert "確認メールを t***@example.com にお送りします。" in open_receipt().text


def test_receipt_says_that_the_mail_could_not_be_sent(stage, look):
    stage.add_event("spring")
    open_receipt = look()
    stage.site.let_pass(minutes=2)
    with stage.site.database.write() as session:
        session.execute(update(Mail).values(state="failed"))

    assert "確認メールが届いていない可能性があります" in open_receipt().text


def test_receipt_of_who_was_given_up_has_no_button_that_leads_nowhere(stage, look):
    stage.add_event("spring")
    open_receipt = look()
    stage.give_up(TARO)
    stage.site.let_pass(seconds=70)

    page = open_receipt()
    assert "参加方法は、主催者にお問い合わせください。" in page.text
    assert "/j/" not in page.response.text and "カレンダー" not in page.text
    assert "確認メールを" not in page.text.replace("確認メールを再送する", "")


@pytest.mark.parametrize("policy", ["code", "mail"])
def test_receipt_says_nothing_of_the_mail_where_its_reader_is_unknown(stage, look, policy):
    stage.add_event("spring", link_policy=policy)
    open_receipt = look()
    before = open_receipt().text
    stage.site.let_pass(minutes=2)
    stage.site.drain()

    assert list_mails(stage, Mail.state) == ["sent"]
    assert open_receipt().text == before
    assert "t***@example.com にメールをお送りします。" in before


def list_mails(stage, column):
    with stage.site.database.read() as session:
        return list(session.scalars(select(column)))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"approval": "manual"}, "主催者の承認後、参加用URLをメールでお送りします。"),
        ({"capacity": 0, "has_waitlist": True}, "空きが出たらメールでお知らせします。"),
    ],
)
def test_who_has_no_place_learns_what_follows_and_may_withdraw(stage, look, members, words):
    stage.add_event("spring", **members)
    receipt = look()()
    assert "確認メールを t***@example.com にお送りします。" in receipt.text
    assert words in receipt.text

    personal = open_personal(stage)
    assert words in personal.text
    asked = personal.follow("申し込みを取り消す")
    assert "お申し込みを取り消します。" in asked.text and "参加用URL" not in asked.text
    assert "参加をキャンセルしました。" in asked.form("申し込みを取り消す").submit().text


def test_person_of_a_mobile_carrier_reads_one_paragraph(stage, look):
    stage.add_event("spring")

    page = look("taro@docomo.ne.jp")()

    assert "携帯電話会社の迷惑メール対策" in page.text
    assert "10分たっても届かない場合は" not in page.text


def test_link_is_offered_quietly_until_zoom_has_answered(stage, look):
    stage.add_event("spring")
    look()

    page = open_personal(stage)

    [link] = [a for a in page.root.find_all("a") if "/j/" in a["href"]]
    assert link.has_class("button--secondary")
    assert "Zoomへの登録を処理しています。" in page.text


@pytest.mark.parametrize("fallback_url", ["", "https://example.com/webinar"])
def test_refusal_of_zooms_leaves_only_the_link_of_the_organizer(stage, look, fallback_url):
    stage.add_event("spring", fallback_url=fallback_url)
    look("host@example.com")
    stage.site.drain()

    page = open_personal(stage, "host@example.com")

    [panel] = [e for e in page.root.walk() if e.has_class("panel--warning")]
    assert "Zoomに登録できませんでした" in panel.text
    assert "参加登録済み" not in page.text
    assert ("/j/" in page.response.text) is bool(fallback_url)
    assert "/invite.ics" not in page.response.text


def test_correction_that_is_refused_says_whom_to_ask(stage, look):
    stage.add_event("spring")
    receipt = look()()
    asked = receipt.follow("メールアドレスを訂正する").form().fill(email="jiro@example.com")
    stage.change_event("spring", status="closed")

    page = asked.submit()

    assert page.url.startswith(receipt.url.partition("?")[0])
    [panel] = [e for e in page.root.walk() if e.has_class("panel--warning")]
    assert "お受けできなくなりました。主催者にお問い合わせください。" in panel.text
    assert "メールアドレスを訂正する" not in page.text
    assert stage.is_registered("spring", TARO)


@pytest.mark.parametrize("typed", ["taro2@example.com", "taro3@example.com"])
def test_correction_that_came_second_says_that_it_was_not_used(stage, look, typed):
    stage.add_event("spring")
    receipt = look()()
    first, second = (receipt.follow("メールアドレスを訂正する").form() for _ in range(2))
    corrected = first.fill(email="taro2@example.com").submit()

    page = second.fill(email=typed).submit()

    panels = [e.text for e in page.root.walk() if e.has_class("panel--warning")]
    is_lost = typed != "taro2@example.com"
    assert any("今入力されたアドレスには変更されていません" in text for text in panels) is is_lost
    assert page.url.partition("?")[0] == corrected.url.partition("?")[0]
    assert stage.is_registered("spring", typed) is not is_lost


def test_receipt_of_a_refusal_does_not_say_that_all_is_done(stage, look):
    stage.add_event("spring")
    open_receipt = look("host@example.com")
    stage.site.drain()
    stage.site.let_pass(minutes=2)

    receipt = open_receipt()

    assert receipt.heading == "Zoomに登録できませんでした"
    assert "panel--success" not in receipt.response.text
    assert "お申し込みが完了しました" not in receipt.response.text


def test_person_reads_their_name_in_their_own_order(stage, look):
    stage.add_event("spring")
    receipt = look()()

    page = receipt.follow("English")

    assert "Thank you, 山田 太郎." in page.text


def test_choices_stand_on_a_line_each(stage, look):
    stage.add_event("spring")

    page = look(question_reason=["learn", "other"])()

    [reason] = [e for e in page.root.find_all("dd") if "その他" in e.text]
    [typed] = reason.find_all("bdi")
    assert len(typed.children[0].split("\n")) == 2
