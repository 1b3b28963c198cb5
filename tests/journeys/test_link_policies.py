"""How a person gets the link: on the screen, by a code from the mail, or by mail alone."""

import re
import time

import pytest

from services.events import LinkPolicy
from services.people_adding import add_by_hand
from services.submissions import Surface
from storage.submissions import get_creating_submission
from tests import factories
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_code, find_link, read_text
from tests.organizer import Organizer
from tests.people import HANAKO, TARO
from views.even_time import EVEN_CORRECTION_SECONDS, EVEN_SECONDS

NUMBER = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")


def register(site, person, **changes):
    return site.visitor().open("/e/spring").form().fill(**person | changes).submit()


def read_as_anybody(receipt):
    """Return a receipt's words without its number, for comparing two of them."""
    return NUMBER.sub("(number)", receipt.text)


def test_code_from_the_mail_reveals_the_link_on_that_receipt_alone(site):
    site.add_event(slug="spring", link_policy="code")
    receipt = register(site, TARO)
    assert "/j/" not in receipt.response.text and "/r/" not in receipt.response.text
    site.drain()
    other_receipt = register(site, TARO)
    site.drain()
    first_mail, second_mail = site.mailbox.list_mails("taro@example.com")
    code = find_code(first_mail)

    wrong = receipt.form("参加用URLを表示する").fill(code=find_code(second_mail))
    assert "6桁の数字を入力してください" in wrong.submit(status=422).text
    shown = receipt.form("参加用URLを表示する").fill(code=f" {code[:3]} {code[3:]}").submit()

    assert shown.heading == "お申し込みが完了しました"
    room = shown.follow("Zoomで参加する").form().leave()
    assert "taro@example.com" in site.read_room(room)
    unmoved = site.visitor().open(other_receipt.url)
    assert unmoved.text == other_receipt.text
    assert "/j/" not in unmoved.response.text


@only_sqlite
@pytest.mark.parametrize("is_older", [False, True])
def test_mail_to_whom_an_organizer_has_entered_asks_for_no_code(site, is_older):
    event = site.add_event(slug="spring", link_policy="code")
    typed = factories.make_submission(
        event, email=TARO["email"], consents=(), surface=Surface.BY_HAND
    )
    with site.database.write() as session:
        policy, now = LinkPolicy.CODE, site.clock()
        person = add_by_hand(session, event, typed, basis="言われた", policy=policy, now=now)
        if is_older:
            row = get_creating_submission(session, person.id)
            row.code_version, row.code_issued_at = 1, now
    site.let_pass(minutes=1)
    site.drain()

    mail = site.mailbox.read_only(TARO["email"])

    assert "確認コード" not in read_text(mail)
    assert "Zoomで参加する" in site.visitor().open(find_link(mail, "j")).text


def test_code_can_be_tried_five_times(site):
    site.add_event(slug="spring", link_policy="code")
    receipt = register(site, TARO)
    site.drain()
    code = find_code(site.mailbox.read_only("taro@example.com"))
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    for _ in range(5):
        receipt.form("参加用URLを表示する").fill(code=wrong).submit(status=422)
    receipt.form("参加用URLを表示する").fill(code=code).submit(status=422)

    receipt.form("確認メールを再送する").submit()
    site.drain()
    new_code = find_code(site.mailbox.read_last("taro@example.com"))
    assert new_code != code
    receipt.form("参加用URLを表示する").fill(code=code).submit(status=422)
    shown = receipt.form("参加用URLを表示する").fill(code=new_code).submit()
    assert "Zoomで参加する" in shown.text


def test_code_works_for_fifteen_minutes_from_its_mail(site):
    site.add_event(slug="spring", link_policy="code")
    receipt = register(site, TARO)
    site.let_pass(minutes=10)  # the mail server was slow
    site.drain()
    form = receipt.form("参加用URLを表示する")
    form.fill(code=find_code(site.mailbox.read_only("taro@example.com")))

    site.let_pass(minutes=16)
    form.submit(status=422)
    site.clock.move(minutes=-2)
    assert "Zoomで参加する" in form.submit().text


def test_known_address_looks_like_a_new_one_under_code(site):
    site.add_event(slug="spring", link_policy="code")
    known = register(site, TARO)
    site.drain()
    again = register(site, TARO)
    new = register(site, TARO, email="tomo@example.com")

    assert read_as_anybody(again) == read_as_anybody(new) == read_as_anybody(known)
    assert again.response.headers.keys() == new.response.headers.keys()
    for receipt in (again, new):
        refused = receipt.form("参加用URLを表示する").fill(code="000000").submit(status=422)
        assert "最新のメールの6桁の数字を入力してください" in refused.text


@pytest.mark.parametrize("policy", ["code", "mail"])
@pytest.mark.parametrize("capacity", [None, 1], ids=["with seats", "full"])
def test_time_of_an_answer_does_not_tell_a_known_address(site, policy, capacity):
    site.add_event(slug="spring", link_policy=policy, capacity=capacity)
    form = site.visitor().open("/e/spring").form()
    register(site, TARO)
    seconds = []
    for number in range(4):
        for email in ("taro@example.com", f"hanako{number}@example.com"):
            form.fill(**TARO | {"email": email})
            began_at = time.monotonic()
            form.page.visitor.try_post(form.action, form.fields)
            seconds.append(time.monotonic() - began_at)

    assert min(seconds) >= EVEN_SECONDS


@pytest.mark.parametrize("policy", ["code", "mail"])
def test_time_of_a_correction_does_not_tell_a_known_address(site, policy):
    site.add_event(slug="spring", link_policy=policy)
    register(site, TARO)
    seconds = []
    for number in range(4):
        for email in ("taro@example.com", f"hanako{number}@example.com"):
            mistaken = register(site, TARO | {"email": f"wrong@{email.replace('@', '.')}"})
            form = mistaken.follow("メールアドレスを訂正する").form().fill(email=email)
            began_at = time.monotonic()
            form.page.visitor.try_post(form.action, form.fields)
            seconds.append(time.monotonic() - began_at)

    assert min(seconds) >= EVEN_CORRECTION_SECONDS


def test_one_address_gets_three_mails_a_day_and_the_page_stays_the_same(site):
    site.add_event(slug="spring", link_policy="code")
    receipts = [register(site, TARO) for _ in range(5)]
    receipts[0].form("確認メールを再送する").submit()
    site.drain()
    assert len(site.mailbox.list_mails("taro@example.com")) == 3
    assert len({read_as_anybody(receipt) for receipt in receipts}) == 1

    site.let_pass(hours=24, minutes=1)
    again = receipts[4].form("確認メールを再送する").submit()
    assert "確認メールの再送を受け付けました。" in again.text
    site.drain()
    mail = site.mailbox.read_last("taro@example.com")
    assert len(site.mailbox.list_mails("taro@example.com")) == 4
    shown = again.form("参加用URLを表示する").fill(code=find_code(mail)).submit()
    assert "Zoomで参加する" in shown.text


def test_pending_person_sees_the_state_and_no_link_with_the_code(site):
    event = site.add_event(slug="spring", link_policy="code", approval="manual")
    organizer = Organizer(site, event)
    receipt = register(site, TARO)
    site.drain()
    code = find_code(site.mailbox.read_only("taro@example.com"))

    shown = receipt.form("参加用URLを表示する").fill(code=code).submit()
    assert shown.heading == "お申し込みを受け付けました（まだ確定していません）"
    assert "/j/" not in shown.response.text

    organizer.approve("taro@example.com")
    site.drain()
    approved = site.visitor().open(receipt.url)
    room = approved.follow("Zoomで参加する").form().leave()
    assert "taro@example.com" in site.read_room(room)


def test_link_comes_by_mail_alone(site):
    site.add_event(slug="spring", link_policy="mail")
    receipt = register(site, TARO)
    site.drain()
    again = register(site, TARO)
    later = site.visitor().open(receipt.url)

    assert read_as_anybody(receipt) == read_as_anybody(again) == read_as_anybody(later)
    assert "/j/" not in later.response.text and "/r/" not in later.response.text
    join_page = site.visitor().open(find_link(site.mailbox.list_mails()[0], "j"))
    assert "taro@example.com" in site.read_room(join_page.form().leave())


def test_person_whom_zoom_knew_before_gets_the_link_by_mail_alone(site):
    event = site.add_event(slug="spring")
    site.zoom.add_registrant(event.zoom_id, "taro@example.com", first_name="T")
    site.let_pass(seconds=10)
    receipt = register(site, TARO)
    site.drain()

    join_page = receipt.follow("Zoomで参加する")
    assert "参加用URLはメールでお送りしています" in join_page.text
    assert join_page.root.find_all("form") == []
    mail = site.mailbox.read_only("taro@example.com")
    room = site.visitor().open(find_link(mail, "j")).form().leave()
    assert "taro@example.com" in site.read_room(room)


def test_wrong_address_is_corrected_and_gets_nothing_more(site):
    organizer = Organizer(site, site.add_event(slug="spring", capacity=1))
    receipt = register(site, TARO, email="tarou@example.com")
    site.drain()
    wrong_mail = site.mailbox.read_only("tarou@example.com")
    assert site.list_effects("tarou@example.com") == ["add"]

    correct = receipt.follow("メールアドレスを訂正する")
    corrected = correct.form().fill(email="taro@example.com").submit()
    assert corrected.heading == "お申し込みが完了しました"
    assert corrected.url != receipt.url
    site.drain()

    visitor = site.visitor()
    assert site.list_effects("tarou@example.com") == ["add", "cancel"]
    assert len(site.mailbox.list_mails("tarou@example.com")) == 1
    visitor.open(find_link(wrong_mail, "j"), status=404)
    visitor.open(find_link(wrong_mail, "r"), status=404)
    assert visitor.open(receipt.url).text == corrected.text, "the first receipt leads to the second"
    mail = site.mailbox.read_only("taro@example.com")
    assert "taro@example.com" in site.read_room(visitor.open(find_link(mail, "j")).form().leave())
    assert organizer.find("tarou@example.com").status == "cancelled"


@pytest.mark.parametrize(
    ("button", "address"),
    [
        ("taro@gmail.com に送る", "taro@gmail.com"),
        ("入力したまま（taro@gmial.com）に送る", "taro@gmial.com"),
    ],
)
def test_slip_in_a_corrected_address_is_asked_about(site, button, address):
    organizer = Organizer(site, site.add_event(slug="spring"))
    receipt = register(site, TARO, email="tarou@example.com")
    correct = receipt.follow("メールアドレスを訂正する")

    asked = correct.form().fill(email="taro@gmial.com").submit(status=422)
    assert asked.errors == ["メールアドレスは taro@gmail.com の間違いではありませんか"]
    assert organizer.find("tarou@example.com").status == "approved"
    corrected = asked.form().press(button).submit()

    assert corrected.heading == "お申し込みが完了しました"
    assert organizer.find(address).status == "approved"


def test_address_that_was_right_all_along_keeps_its_place(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    receipt = register(site, TARO)
    correct = receipt.follow("メールアドレスを訂正する")

    same = correct.form().fill(email="Taro@example.com").submit()
    site.drain()

    assert same.heading == "お申し込みが完了しました"
    assert organizer.find("taro@example.com").status == "approved"
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]


def test_address_that_is_proven_is_not_taken_away(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    receipt = register(site, TARO)
    address_page = receipt.follow("メールアドレスを訂正する")
    site.drain()
    mail = site.mailbox.read_only("taro@example.com")
    site.visitor().open(find_link(mail, "j")).form().leave()

    address_page.form().fill(email="hanako@example.com").submit()

    assert organizer.find("taro@example.com").status == "approved"
    assert site.count_rows("registration") == 1
    assert HANAKO["email"] not in site.visitor().open(receipt.url).text
