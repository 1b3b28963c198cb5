"""The organizer decides who comes; whoever has no place yet has no link anywhere."""

import re

import pytest
from sqlalchemy import select

from storage.models import OrganizerMail
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text
from tests.organizer import Organizer
from tests.people import HANAKO, TARO

OWNER = "owner@example.com"


def test_person_is_approved_by_hand_later(site):
    organizer = Organizer(site, site.add_event(slug="spring", approval="manual"))
    visitor = site.visitor()

    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    assert receipt.heading == "お申し込みを受け付けました（まだ確定していません）"
    assert "/j/" not in receipt.response.text
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com") == ["受付"]
    pending = site.mailbox.read_only("taro@example.com")
    assert "/j/" not in pending.as_string()
    assert site.zoom.journal() == [], "nothing goes to Zoom before the organizer approves"

    organizer.approve("taro@example.com")
    site.drain()

    assert site.mailbox.list_subjects("taro@example.com") == ["受付", "参加確定"]
    mail = site.mailbox.read_last("taro@example.com")
    join_page = visitor.open(find_link(mail, "j"))
    assert "taro@example.com" in site.read_room(join_page.form().leave())
    assert visitor.open(receipt.url).heading == "お申し込みが完了しました"


def test_person_who_is_denied_gets_no_link_and_one_mail(site):
    organizer = Organizer(site, site.add_event(slug="spring", approval="manual"))
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    organizer.deny("taro@example.com")
    organizer.deny("taro@example.com")
    site.drain()

    assert len(site.mailbox.list_mails("taro@example.com")) == 2
    denied = site.mailbox.read_last("taro@example.com")
    assert "今回はご参加いただけません" in read_text(denied)
    assert "参加用URL" not in read_text(denied) and "添付" not in read_text(denied)
    assert list(denied.iter_attachments()) == []
    assert visitor.open(receipt.url).heading == "お申し込みは承認されませんでした"
    personal = visitor.open(find_link(site.mailbox.list_mails()[0], "r"))
    assert "承認されませんでした" in personal.text and "/j/" not in personal.response.text
    assert site.zoom.journal() == []


def test_approved_person_who_is_denied_later_loses_the_place_at_zoom(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    join_link = find_link(site.mailbox.read_only("taro@example.com"), "j")

    organizer.deny("taro@example.com")
    site.drain()
    assert site.list_effects("taro@example.com") == ["add", "cancel"]
    assert "お申し込みは承認されませんでした" in visitor.open(join_link).text

    organizer.approve("taro@example.com")
    site.drain()
    assert site.list_effects("taro@example.com") == ["add", "cancel", "approve"]
    assert "taro@example.com" in site.read_room(visitor.open(join_link).form().leave())


def test_waiting_list_moves_up_when_a_seat_becomes_free(site):
    site.add_event(slug="spring", capacity=1, has_waitlist=True)
    first, second = site.visitor(), site.visitor()
    first.open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    form_page = second.open("/e/spring")
    assert "満席になりました。空きが出たらメールでお知らせします。" in form_page.text
    receipt = form_page.form().fill(**HANAKO).submit()
    assert receipt.heading == "お申し込みを受け付けました（まだ確定していません）"
    assert "現在キャンセル待ち1番目です" in receipt.text
    site.drain()
    assert site.mailbox.list_subjects("hanako@example.com") == ["キャンセル待ち"]
    assert site.list_effects("hanako@example.com") == []

    personal = first.open(find_link(site.mailbox.read_only("taro@example.com"), "r"))
    personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    site.drain()

    assert site.mailbox.list_subjects("hanako@example.com") == ["キャンセル待ち", "参加確定"]
    mail = site.mailbox.read_last("hanako@example.com")
    assert "参加が確定しました" in read_text(mail)
    assert "主催者" not in read_text(mail), "no organizer has decided anything"
    join_page = second.open(find_link(mail, "j"))
    assert "hanako@example.com" in site.read_room(join_page.form().leave())
    assert second.open(receipt.url).heading == "お申し込みが完了しました"


def test_program_that_fills_every_field_is_held_until_released(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    visitor = site.visitor()

    receipt = visitor.open("/e/spring").form().fill(**TARO, subject="Buy now").submit()
    assert receipt.heading == "お申し込みを受け付けました（まだ確定していません）"
    assert "主催者が内容を確認し、メールでご連絡します。" in receipt.text
    site.drain()
    assert site.mailbox.list_mails() == [] and site.zoom.journal() == []
    assert site.count_rows("registration") == 0

    organizer.release_held()
    site.drain()

    mail = site.mailbox.read_only("taro@example.com")
    assert "taro@example.com" in site.read_room(visitor.open(find_link(mail, "j")).form().leave())
    assert visitor.open(receipt.url).heading == "お申し込みが完了しました"


def test_held_submission_that_is_dropped_is_told_of_on_its_receipt_alone(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO, subject="Buy now").submit()

    organizer.drop_held()
    site.drain()

    assert visitor.open(receipt.url).heading == "今回のお申し込みは完了していません"
    assert site.mailbox.list_mails() == [] and site.count_rows("registration") == 0


@only_sqlite
@pytest.mark.parametrize("by_organizer", [False, True])
def test_request_that_is_withdrawn_had_no_link_and_no_entry_in_a_calendar(site, by_organizer):
    organizer = Organizer(site, site.add_event(slug="spring", approval="manual"))
    receipt = site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    if by_organizer:
        organizer.cancel("taro@example.com")
    else:
        personal = receipt.follow("登録内容の変更・キャンセル").follow("申し込みを取り消す")
        personal.form("申し込みを取り消す").submit()
    site.drain()

    mail = site.mailbox.read_last("taro@example.com")
    words = "主催者によりキャンセルされています" if by_organizer else "取り消しを承りました"
    assert words in read_text(mail)
    assert "参加用URL" not in read_text(mail) and "カレンダー" not in read_text(mail)
    assert [part for part in mail.walk() if part.get_content_type() == "text/calendar"] == []


@only_sqlite
def test_organizer_hears_of_who_waits_and_finds_them(site):
    boss = sign_in(site, email=OWNER)
    organizer = Organizer(site, site.add_event(slug="spring", approval="manual"))
    for person in (TARO, HANAKO):
        site.visitor().open("/e/spring").form().fill(**person).submit()
    site.build_worker().look()
    site.drain()

    mail = site.mailbox.read_only(OWNER)
    assert mail["Subject"] == "承認待ちのお申し込みがあります：春の説明会"
    assert "承認待ちのお申し込みが2件あります" in read_text(mail)
    page = boss.open(re.search(r"/organizer/events/\S+", read_text(mail))[0])
    assert "taro@example.com" in page.text and page.url.endswith("?status=pending")

    site.let_pass(days=1)
    site.build_worker().look()
    for person in (TARO, HANAKO):
        organizer.approve(person["email"])
    site.drain()
    assert len(site.mailbox.list_mails(OWNER)) == 1, "nobody waits any more"


@only_sqlite
def test_after_days_without_a_mail_server_one_mail_goes(site):
    sign_in(site, email=OWNER)
    site.add_event(slug="spring", approval="manual")
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    for _ in range(3):
        site.build_worker().look()
        site.let_pass(days=1, minutes=1)
    assert site.count_rows("organizer_mail") == 3
    site.drain()
    assert len(site.mailbox.list_mails(OWNER)) == 1


@only_sqlite
def test_mail_that_waits_is_not_dropped_for_one_that_was_dropped_itself(site):
    sign_in(site, email=OWNER)
    site.add_event(slug="spring", approval="manual")
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    for _ in range(2):
        site.build_worker().look()
        site.let_pass(days=1, minutes=1)
    with site.database.write() as session:
        newest = session.scalars(select(OrganizerMail).order_by(OrganizerMail.id)).all()[-1]
        newest.state = "dropped"
    site.drain()
    assert len(site.mailbox.list_mails(OWNER)) == 1
