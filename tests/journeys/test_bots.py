"""While much comes a form is asked for a proof: a browser works, or a mail's button is pressed."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from services import mail_proofs, proofs_of_work, submission_limits
from services.registrations import drop
from storage.models import Event, Organization, Registration, SubmissionRow
from tests.dashboard import make_membership
from tests.fixtures.databases import only_sqlite
from tests.journeys.test_scanners import dump
from tests.mailbox import read_text
from tests.people import HANAKO, TARO
from tests.work import do_work

BY_MAIL = "確認メールを受け取る"


@pytest.fixture
def site(start_site, monkeypatch):
    """Have everything count as much: nobody is registered without a proof."""
    monkeypatch.setattr(submission_limits, "CALM_NETWORK", 0.5)
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    return site


def send(site, person=TARO, *, slug="spring", status=422):
    return site.visitor().open(f"/e/{slug}").form().fill(**person).submit(status=status)


def read_link(site, email=TARO["email"]):
    """Return the address in the mail that asks for a press of its button."""
    site.drain()
    mails = [mail for mail in site.mailbox.list_mails() if mail["To"] == email]
    [link] = {link for mail in mails for link in re.findall(r"\S+/v/[\w-]+", read_text(mail))}
    return link


def test_who_does_no_work_is_asked_and_who_does_is_registered(site):
    asked = send(site, TARO | {"question_company": '"><b>例 & Co.'})
    assert asked.form()["question_company"] == '"><b>例 & Co.'
    assert "入力内容はこのページに残っています" in asked.text
    again = asked.form().submit(status=422)
    assert site.count_rows("submission") == 0

    receipt = do_work(again).submit()

    assert receipt.heading == "お申し込みが完了しました"
    site.drain()
    assert site.list_effects(TARO["email"]) == ["add"]


@only_sqlite
def test_work_is_good_for_one_submission_and_not_for_long(site):
    site.add_event(slug="summer")
    worked = do_work(send(site))
    stolen = {"proof": worked["proof"]}
    receipt = worked.submit()

    assert worked.submit().url == receipt.url
    other = worked.fill(given_name="次郎").submit(status=422)
    assert "もう一度確認します" in other.text
    send(site, HANAKO).form().fill(**stolen).submit(status=422)
    send(site, slug="summer").form().fill(**stolen).submit(status=422)
    late = do_work(send(site, HANAKO))
    site.clock.move(minutes=21)
    late.submit(status=422)
    assert site.count_rows("submission") == site.count_rows("registration") == 1


@only_sqlite
def test_what_is_no_proof_is_asked_again(site):
    asked = send(site)
    for proof in ("x", "e30=", "W10=", "bnVsbA==", "?" * 9000, "W" * 3000):
        asked = asked.form().fill(proof=proof).submit(status=422)

    assert do_work(asked).submit().heading == "お申し込みが完了しました"


def test_button_of_the_mail_registers_without_script(site):
    receipt = send(site).form().press(BY_MAIL).submit()
    assert receipt.heading == "メール内のボタンを押してください"
    link = read_link(site)
    assert site.count_rows("registration") == 0
    before = dump(site)
    visitor = site.visitor()
    page = visitor.open(link)
    visitor.look("HEAD", link)
    assert dump(site) == before

    done = page.form().submit()

    assert done.url.partition("?")[0] == receipt.url.partition("?")[0]
    assert done.heading == "お申し込みが完了しました"
    assert page.form().submit().url == done.url
    assert visitor.open(link).heading == "お申し込みを受け付けました"
    site.drain()
    assert site.list_effects(TARO["email"]) == ["add"]
    assert site.count_rows("registration") == 1


@only_sqlite
def test_button_works_for_a_day(site):
    with site.database.write() as session:
        make_membership(session, email="owner@example.com", now=site.clock())
    receipt = send(site).form().press(BY_MAIL).submit()
    link = read_link(site)
    page = site.visitor().open(link)

    site.clock.move(hours=24)

    assert page.form().submit(status=410).heading == "このリンクは使えなくなりました"
    assert site.visitor().open(link, status=410)
    assert site.count_rows("registration") == 0
    over = receipt.visitor.open(receipt.url)
    assert over.heading == "メール内のボタンの有効期限が切れました"
    assert over.follow("申込フォームへ").form()
    site.drain()
    site.let_pass(minutes=2)
    site.drain()
    assert site.mailbox.list_mails("owner@example.com"), "the organizer is told"
    change_event(site, status="closed")
    assert "申込フォームへ" not in receipt.visitor.open(receipt.url).text


@only_sqlite
def test_nobody_is_asked_for_an_event_that_is_off(site):
    send(site).form().press(BY_MAIL).submit()
    with site.database.write() as session:
        [event] = session.query(Event)
        event.status = "cancelled"

    site.drain()

    assert site.mailbox.list_mails() == []


@only_sqlite
def test_asking_by_mail_tells_nothing_of_the_address(site):
    do_work(send(site)).submit()
    known = send(site).form().press(BY_MAIL).submit()
    unknown = send(site, HANAKO).form().press(BY_MAIL).submit()

    words = [page.text.split("受付番号")[0].partition("さん")[2] for page in (known, unknown)]
    assert words[0].replace("t***", "h***") == words[1]
    site.visitor().open(read_link(site)).form().submit()
    assert site.count_rows("registration") == 1


@only_sqlite
def test_same_form_asks_for_one_mail_and_an_address_for_three(site):
    asked = send(site).form().press(BY_MAIL)
    receipts = [asked.submit() for _ in range(2)]
    more = [send(site).form().press(BY_MAIL).submit() for _ in range(3)]
    site.drain()

    assert receipts[0].url == receipts[1].url
    assert len(site.mailbox.list_mails()) == 3
    assert [page.heading for page in more[1:]] == [
        "メール内のボタンを押してください",
        "お申し込みを受け付けました（まだ確定していません）",
    ]


@only_sqlite
def test_network_asks_for_so_many_mails_and_is_told(site, monkeypatch):
    monkeypatch.setattr(mail_proofs, "NETWORK_BURST", 1)
    send(site).form().press(BY_MAIL).submit()

    refused = send(site, HANAKO).form().press(BY_MAIL).submit(status=429)

    assert refused.response.headers["Retry-After"] == "300"
    assert "確認メールの依頼が集中しています" in refused.text
    assert site.count_rows("submission") == 1
    assert do_work(refused).submit().heading == "お申し込みが完了しました"


def test_work_that_two_send_at_once_makes_one_registration(site):
    worked = do_work(send(site))
    unworked = [send(site, HANAKO | {"email": f"p{n}@example.com"}).form() for n in range(4)]

    with ThreadPoolExecutor(4) as pool:
        receipts = set(pool.map(lambda _: worked.submit().url, range(4)))
        statuses = list(pool.map(lambda form: form.submit(status=422), unworked))

    assert (len(receipts), len(statuses), site.count_rows("registration")) == (1, 4, 1)


@only_sqlite
def test_work_that_was_bound_to_nothing_would_be_good_for_all(site, monkeypatch):
    """What the test before would miss if it could not fail."""
    monkeypatch.setattr(proofs_of_work, "_bind", lambda *_: {})
    proof = do_work(send(site))["proof"]
    forms = [send(site, TARO | {"email": f"p{n}@example.com"}).form() for n in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda form: form.fill(proof=proof).submit(), forms))

    assert site.count_rows("registration") == 4


@only_sqlite
def test_frame_asks_within_itself(site):
    with site.database.write() as session:
        session.query(Organization).one().embed_origins = ["https://www.example.com"]
        [event] = session.query(Event)
        event.version += 1
    visitor = site.visitor()
    asked = visitor.open("/e/spring/embed?theme=dark").form().fill(**TARO).submit(status=422)
    by_mail = visitor.open("/e/spring/embed").form().fill(**HANAKO).submit(status=422).form()

    policy = asked.response.headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.example.com;" in policy
    assert "theme=dark" in asked.form().action
    receipt = do_work(asked).submit()
    assert "/e/spring/embed/done/" in receipt.url
    assert receipt.heading == "お申し込みが完了しました"
    waiting = by_mail.press(BY_MAIL).submit()
    assert 'data-view="proof"' in waiting.response.text
    done = visitor.open(read_link(site, HANAKO["email"])).form().submit()
    assert done.url.startswith(f"{site.url}/s/")


@only_sqlite
def test_address_that_is_sent_over_and_over_is_told_to_wait(site, monkeypatch):
    monkeypatch.setattr(submission_limits, "ADDRESS_BURST", 1)
    do_work(send(site)).submit()
    refused = send(site, status=429)

    assert refused.response.headers["Retry-After"] == "180"
    assert "このメールアドレスでの送信が続いています" in refused.text
    assert refused.form()["family_name"] == "山田"
    site.clock.move(minutes=3)
    do_work(refused.form().submit(status=422))


@only_sqlite
def test_nobody_works_or_waits_for_a_mail_at_a_full_event(site):
    form = send(site).form().press(BY_MAIL)
    with site.database.write() as session:
        [event] = session.query(Event)
        event.capacity = 0

    full = form.submit(status=409)

    assert "満席になりました" in full.text
    assert site.count_rows("submission") == 0


@only_sqlite
def test_event_asks_always_or_never(site, start_site):
    site.add_event(slug="never", bot_check="never")
    site.add_event(slug="always", bot_check="always")
    calm = start_site(rate_limits=False)

    assert send(site, slug="never", status=200).heading == "お申し込みが完了しました"
    assert send(calm, slug="spring", status=200).heading == "お申し込みが完了しました"
    assert do_work(send(calm, slug="always")).submit().heading == "お申し込みが完了しました"


def test_nobody_keeps_the_owner_of_an_address_out(site, monkeypatch):
    monkeypatch.setattr(submission_limits, "ADDRESS_BURST", 1)
    for _ in range(3):
        send(site)
        send(site).form().submit(status=422)
    send(site).form().press(BY_MAIL).submit()

    assert do_work(send(site)).submit().heading == "お申し込みが完了しました"


def test_trap_is_no_way_around_the_limit_of_mails(site, monkeypatch):
    monkeypatch.setattr(mail_proofs, "NETWORK_BURST", 1)
    for status in (200, 429):
        asked = send(site).form().press(BY_MAIL)
        asked.fields.append(("subject", "x"))
        asked.submit(status=status)


@only_sqlite
def test_organizer_is_told_of_what_waits_without_learning_who_it_is(site):
    with site.database.write() as session:
        make_membership(session, email="owner@example.com", now=site.clock())
    asked = send(site, TARO | {"subject": "Buy now"})
    do_work(asked).submit()
    site.clock.move(minutes=2)
    site.drain()

    [mail] = [mail for mail in site.mailbox.list_mails() if mail["To"] == "owner@example.com"]
    assert mail["Subject"] == "保留中のお申し込みがあります：春の説明会"
    text = read_text(mail)
    assert "お申し込みが1件あります" in text
    assert re.search(r"/organizer/events/\S+/held\s", text)
    assert TARO["email"] not in text and TARO["family_name"] not in text


def ask_by_mail_and_work(site):
    """Press for the mail, go back and have the browser work; return the link and the form."""
    asked = send(site)
    waiting = asked.form().press(BY_MAIL).submit()
    assert waiting.heading == "メール内のボタンを押してください"
    return read_link(site), do_work(asked)


def press(site, link):
    """Press the mail's button; return the status, and where it leads."""
    response = site.visitor().try_post(link, [])
    return response.status_code, response.headers.get("Location", "").partition("?")[0]


def test_who_has_asked_for_the_mail_and_works_instead_is_registered_once(site):
    asked = send(site)
    waiting = asked.form().press(BY_MAIL).submit()
    link = read_link(site)
    worked = do_work(asked)

    receipt = worked.submit()

    assert receipt.heading == "お申し込みが完了しました"
    assert receipt.url == waiting.url == worked.submit().url
    assert site.visitor().open(link).heading == "お申し込みを受け付けました"
    assert press(site, link) == (303, receipt.url.partition("?")[0])
    with site.database.read() as session:
        assert session.query(Registration).one().proven_at is not None, "by the button"
    site.let_pass(minutes=2)
    site.drain()
    assert site.list_effects(TARO["email"]) == ["add"]
    assert site.count_rows("registration") == site.count_rows("submission") == 1
    assert len(site.mailbox.list_mails()) == 2, "the button's, and what says that it is done"


@pytest.mark.parametrize("has_button", [True, False])
def test_work_and_button_at_once_are_one_registration(site, has_button):
    link, worked = ask_by_mail_and_work(site)
    visitors = [site.visitor() for _ in range(4)]
    posts = [(worked.action, worked.fields)] * 4
    if has_button:
        posts[2:] = [(link, [])] * 2

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda v, post: v.try_post(*post), visitors, posts))

    # A button that was slower finds that it is done, and leads there too.
    assert {answer.status_code for answer in answers} <= {200, 303}
    targets = {answer.headers.get("Location", "").partition("?")[0] for answer in answers}
    assert len(targets - {""}) == 1
    site.drain()
    assert site.list_effects(TARO["email"]) == ["add"]
    assert site.count_rows("registration") == site.count_rows("submission") == 1


def test_who_works_instead_of_the_mail_may_have_to_wait_for_a_seat(site):
    link, worked = ask_by_mail_and_work(site)
    change_event(site, capacity=0, has_waitlist=True)

    receipt = worked.submit()

    assert "キャンセル待ち" in receipt.text
    with site.database.read() as session:
        assert session.query(Registration).one().status == "waitlisted"
    assert press(site, link) == (303, receipt.url.partition("?")[0])
    assert site.count_rows("registration") == 1


@only_sqlite
@pytest.mark.parametrize("change", [{"capacity": 0}, {"status": "closed"}, {"status": "cancelled"}])
def test_who_works_too_late_is_told_what_the_button_tells(site, change):
    link, worked = ask_by_mail_and_work(site)
    button = site.visitor().open(link).form()
    change_event(site, **change)

    told = worked.submit(status=409)

    assert button.submit(status=409).heading in told.text
    assert (site.count_rows("submission"), site.count_rows("registration")) == (1, 0)


@only_sqlite
def test_who_was_put_away_by_the_organizer_and_works_since_is_registered(site):
    link, worked = ask_by_mail_and_work(site)
    with site.database.write() as session:
        drop(session, session.query(SubmissionRow).one())
    assert press(site, link) == (410, "")

    assert worked.submit().heading == "お申し込みが完了しました"
    assert site.count_rows("submission") == site.count_rows("registration") == 1


@only_sqlite
def test_work_for_an_address_that_was_registered_meanwhile_waits_for_no_button(site):
    link, worked = ask_by_mail_and_work(site)
    do_work(send(site)).submit()

    receipt = worked.submit()

    assert receipt.heading == "メールをご確認ください"
    assert press(site, link) == (303, receipt.url.partition("?")[0])
    assert site.count_rows("registration") == 1


@only_sqlite
def test_work_tells_nothing_of_the_address_at_a_full_event(site):
    change_event(site, link_policy="code")
    asked = {
        email: send(site, TARO | {"email": email}) for email in ("a@example.com", "b@example.com")
    }
    for page in asked.values():
        page.form().press(BY_MAIL).submit()
    do_work(send(site, TARO | {"email": "a@example.com"})).submit()
    change_event(site, capacity=1)

    known, unknown = (do_work(page).submit(status=409) for page in asked.values())

    assert known.text == unknown.text


@only_sqlite
def test_button_leads_nobody_to_the_receipt_of_another_address(site):
    link, worked = ask_by_mail_and_work(site)
    address = worked.submit().follow("メールアドレスを訂正する")
    address.form().fill(email=HANAKO["email"]).submit()

    assert press(site, link) == (410, "")
    assert site.visitor().open(link, status=410)


def change_event(site, **members):
    with site.database.write() as session:
        [event] = session.query(Event)
        for name, value in members.items():
            setattr(event, name, value)
        event.version += 1
