"""The page about mail: a test mail on the way of all mails, and DNS stated honestly."""

from __future__ import annotations

from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.worker.smtp_server import Inbox, serve

pytestmark = only_sqlite

PAGE = "/organizer/settings/mail"


def send(owner):
    return owner.open(PAGE).form("me@example.com にテストメールを送信").submit()


def test_test_mail_goes_to_whoever_asks(start_site):
    inbox = Inbox()
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}", mail_from="events@example.co.jp")
        owner = sign_in(site, email="me@example.com")

        assert "まもなく送信します" in send(owner).text
        site.drain()

        assert "メールサーバーが受け付けました" in owner.open(PAGE).text
    [envelope] = inbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("events@example.co.jp", ["me@example.com"])


def test_failure_is_told_with_what_was_said(start_site):
    site = start_site(mail_url="smtp://127.0.0.1:1")
    owner = sign_in(site, email="me@example.com")
    send(owner)
    site.drain()

    page = owner.open(PAGE)

    assert "再送します" in page.text and "ConnectionRefusedError" in page.text


def test_sender_of_no_public_domain_is_not_asked_for(site):
    page = sign_in(site).open(f"{PAGE}?dns=1&selector=s1")

    assert "公開のドメインではない" in page.text
    assert not page.root.find_all("table")


def test_wrong_selector_is_said_at_its_field(start_site):
    site = start_site(mail_from="events@example.co.jp")
    owner = sign_in(site)

    page = owner.open(f"{PAGE}?dns=1&selector=%3Cscript%3E")

    assert page.root.find_all("p", id="selector-error")
    assert not page.root.find_all("table")


def test_ten_test_mails_a_day_are_enough(start_site):
    owner = sign_in(start_site(rate_limits=True), email="me@example.com")
    form = owner.open(PAGE).form("me@example.com にテストメールを送信")

    answers = [owner.try_post(form.action, form.fields).status_code for _ in range(11)]

    assert answers == [303] * 10 + [429]
