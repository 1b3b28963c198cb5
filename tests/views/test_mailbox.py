"""The demo's mailbox: what it shows, and to whom."""

from datetime import UTC, datetime
from email.headerregistry import Address

import pytest

from app import create_app
from config import Settings
from services.messages import Attachment, MailContent, compose_message
from worker.smtp import FileTransport

HTML = "<html><head></head><body><script>alert(1)</script><p>本文</p></body></html>"
CALENDAR = Attachment("invite.ics", "text/calendar", b"BEGIN:VCALENDAR\r\n")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mailbox"


@pytest.fixture
def client(tmp_path):
    return create_app(Settings(instance=tmp_path, is_demo=True)).test_client()


def deliver(folder, message_id="abc", subject="【受付完了】題名", minute=0):
    message = compose_message(
        MailContent(subject, "参加用URL\nhttps://uketsuke.example/j/abc\n", HTML, (CALENDAR,)),
        sender=Address(username="noreply", domain="uketsuke.example"),
        sender_name="株式会社サンプル",
        recipient="taro@example.com",
        message_id=message_id,
        locale="ja",
        reply_to=None,
        date=datetime(2026, 11, 22, 3, minute, tzinfo=UTC),
    )
    FileTransport(folder).send(message, "taro@example.com")
    return next(path.name for path in folder.glob(f"20261122T03{minute:02}*"))


def test_empty_mailbox_says_so(client):
    assert "メールはまだありません" in client.get("/mailbox").text


def test_list_has_the_newest_mail_first(client, folder):
    deliver(folder, "first", "一通目", minute=1)
    deliver(folder, "second", "二通目", minute=2)
    (folder / "notes.txt").write_text("not a mail")
    page = client.get("/mailbox").text
    assert page.index("二通目") < page.index("一通目")
    assert "2026年11月22日（日）12:02（日本時間）" in page
    assert "notes" not in page


def test_mail_shows_text_headers_and_links(client, folder):
    name = deliver(folder)
    answer = client.get(f"/mailbox/{name}")
    assert "【受付完了】題名</h1>" in answer.text
    assert '<a href="https://uketsuke.example/j/abc">' in answer.text
    assert "auto-generated" in answer.text
    assert f'src="/mailbox/{name}/html"' in answer.text
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]


def test_html_part_runs_no_script_and_opens_links_outside(client, folder):
    answer = client.get(f"/mailbox/{deliver(folder)}/html")
    assert '<base target="_blank">' in answer.text
    rules = answer.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in rules
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in rules
    assert not any(rule.startswith("script-src") for rule in rules)


def test_attachment_is_downloaded_and_never_shown(client, folder):
    name = deliver(folder)
    answer = client.get(f"/mailbox/{name}/attachments/0")
    assert answer.data == CALENDAR.content
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename=invite.ics"
    assert client.get(f"/mailbox/{name}/attachments/1").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "20261122T030000Z-0000000000000000.eml",
        "secret.key",
        "..%2fsecret.key",
        "%2e%2e/secret.key",
        "..%5csecret.key",
        "20261122T030000Z-0000000000000000.eml%00",
    ],
)
def test_other_files_are_not_there(client, folder, name):
    deliver(folder)
    (folder / "secret.key").write_text("secret")
    (folder.parent / "secret.key").write_text("secret")
    assert client.get(f"/mailbox/{name}").status_code == 404
    assert client.get(f"/mailbox/{name}/html").status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("192.0.2.7", 404),
        ("10.0.0.1", 404),
        ("", 404),
        ("localhost", 404),
    ],
)
def test_only_a_browser_on_this_machine_may_look(client, folder, address, status):
    name = deliver(folder)
    for url in ("/mailbox", f"/mailbox/{name}", f"/mailbox/{name}/html"):
        answer = client.get(url, environ_overrides={"REMOTE_ADDR": address})
        assert answer.status_code == status


def test_site_that_is_no_demo_has_no_mailbox(tmp_path):
    deliver(tmp_path / "mailbox")
    client = create_app(Settings(instance=tmp_path)).test_client()
    assert client.get("/mailbox").status_code == 404
