"""One registration is one entry of a calendar, from the receipt to the cancellation."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from tests.dashboard import sign_in
from tests.mailbox import find_code, find_link, read_text
from tests.organizer import Organizer
from tests.people import TARO


@pytest.fixture
def organizer(site):
    return Organizer(site, site.add_event(slug="spring"))


def register(site):
    receipt = site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    return receipt


def download(page):
    """Get the file that a page offers."""
    [address] = [a["href"] for a in page.root.find_all("a") if "/invite.ics" in a["href"]]
    return read(page.visitor.fetch(address).content)


def read_mail(site):
    """Read the file of the last mail, and what its media type says is to be done."""
    [file] = site.mailbox.read_last("taro@example.com").iter_attachments()
    calendar = Calendar.from_ical(file.get_content())
    assert file.get_content_type() == "text/calendar"
    assert file["Content-Type"].params["method"] == calendar["METHOD"]
    return calendar["METHOD"], read(file.get_content())


def read(content):
    [event] = Calendar.from_ical(content).walk("VEVENT")
    return event


def open_personal(site):
    mail = site.mailbox.list_mails("taro@example.com")[0]
    return site.visitor().open(find_link(mail, "r"))


def drop_query(address):
    return urlsplit(address)._replace(query="").geturl()


def test_receipt_and_mail_have_one_entry_with_a_link_each(site, organizer):
    receipt = register(site)

    on_screen, (method, by_mail) = download(receipt), read_mail(site)

    assert method == "PUBLISH"
    assert on_screen["UID"] == by_mail["UID"] == download(open_personal(site))["UID"]
    assert on_screen["SEQUENCE"] == by_mail["SEQUENCE"]
    assert drop_query(on_screen["URL"]) == drop_query(receipt.link("Zoomで参加する"))
    assert by_mail["URL"] == find_link(site.mailbox.read_only("taro@example.com"), "j")
    assert on_screen["URL"] != by_mail["URL"]


def test_cancelling_and_coming_back_are_told_to_the_same_entry(site, organizer):
    register(site)
    _, first = read_mail(site)

    open_personal(site).follow("参加をキャンセルする").form("キャンセルする").submit()
    site.drain()
    cancelled_by, gone = read_mail(site)
    open_personal(site).follow("もう一度申し込む").form("もう一度申し込む").submit()
    site.drain()
    published_by, back = read_mail(site)

    assert (cancelled_by, published_by) == ("CANCEL", "PUBLISH")
    assert first["UID"] == gone["UID"] == back["UID"]
    assert first["SEQUENCE"] < gone["SEQUENCE"] < back["SEQUENCE"]
    assert (gone["STATUS"], back["STATUS"]) == ("CANCELLED", "CONFIRMED")
    assert "URL" not in gone
    assert back["URL"] == first["URL"]


def test_turning_down_and_approving_again_are_told_to_the_same_entry(site, organizer):
    register(site)
    _, first = read_mail(site)

    organizer.deny("taro@example.com")
    site.drain()
    denied_by, gone = read_mail(site)
    told = read_text(site.mailbox.read_last("taro@example.com"))
    organizer.approve("taro@example.com")
    site.drain()
    published_by, back = read_mail(site)

    assert (denied_by, published_by) == ("CANCEL", "PUBLISH")
    assert first["UID"] == gone["UID"] == back["UID"]
    assert first["SEQUENCE"] < gone["SEQUENCE"] < back["SEQUENCE"]
    assert (gone["STATUS"], back["STATUS"]) == ("CANCELLED", "CONFIRMED")
    assert "ご参加いただけないこととなりました。参加用URLは使えなくなりました。" in told
    assert "添付のファイルを開くと、カレンダーの予定を削除できます。" in told


def test_changed_answers_raise_the_sequence(site, organizer):
    register(site)
    before = download(open_personal(site))

    details = open_personal(site).follow("登録内容を変更する").form("変更を保存する")
    details.fill(question_company="例示システムズ株式会社").submit()

    after = download(open_personal(site))
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_event_that_moves_moves_its_entry(site, organizer):
    receipt = register(site)
    _, before = read_mail(site)
    moved_to = before["DTSTART"].dt + timedelta(days=1)

    organizer.change_event(starts_at=moved_to)

    for page in (site.visitor().open(receipt.url), open_personal(site)):
        after = download(page)
        assert after["UID"] == before["UID"]
        assert after["SEQUENCE"] > before["SEQUENCE"]
        assert after["DTSTART"].dt == moved_to


def test_who_had_registered_gets_the_moved_entry_by_mail(site):
    content = f"/organizer/events/{site.add_event(slug='spring').public_id}/content"
    register(site)
    _, before = read_mail(site)
    moved_to = before["DTSTART"].dt.replace(second=0) + timedelta(days=1)
    owner = sign_in(site)
    site.let_pass(minutes=1)

    page = owner.open(content).form("保存").fill(title_ja="新しい題名").submit()
    site.drain()
    assert "新しい日時" not in page.text
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]
    form = owner.open(content).form("保存").fill(starts_at=f"{moved_to:%Y-%m-%dT%H:%M}")
    page = form.submit()
    # Nobody is faster who has read the new time.
    site.let_pass(seconds=11)
    site.visitor().open("/e/spring").form().fill(**TARO | {"email": "late@example.com"}).submit()
    site.drain()

    assert "新しい日時をメールでお知らせします" in page.text
    method, after = read_mail(site)
    assert (method, after["UID"]) == ("PUBLISH", before["UID"])
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTART"].dt == moved_to
    mail = site.mailbox.read_last("taro@example.com")
    assert "日時変更" in mail["Subject"] and "変更前の日時：" in read_text(mail)
    assert site.mailbox.list_subjects("late@example.com") == ["受付完了"]


def test_event_that_is_cancelled_cancels_its_entry(site, organizer):
    register(site)
    _, before = read_mail(site)

    organizer.run("event", "cancel", "spring", "--yes")
    site.drain()

    method, after = read_mail(site)
    assert method == "CANCEL"
    assert (after["UID"], after["STATUS"]) == (before["UID"], "CANCELLED")
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_entry_comes_with_the_code_and_is_the_one_of_the_mail(site):
    site.add_event(slug="spring", link_policy="code")
    receipt, known = register(site), register(site)
    mail = site.mailbox.list_mails("taro@example.com")[0]

    for page in (receipt, known):
        assert "カレンダーに追加" not in page.text
        page.visitor.fetch(page.url.replace("?", "/invite.ics?"), status=404)
    shown = receipt.form("参加用URLを表示する").fill(code=find_code(mail)).submit()

    [file] = mail.iter_attachments()
    assert download(shown)["UID"] == read(file.get_content())["UID"]
