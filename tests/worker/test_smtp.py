"""Messages leaving over real SMTP connections, and every way in which that fails."""

import socket
import threading
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address

import pytest

from services.messages import MailContent, MessageRefused, compose_message
from worker import smtp
from worker.smtp import (
    FileTransport,
    MailError,
    MailOutcomeUnknown,
    MailRefused,
    MailUnavailable,
    SmtpTransport,
    make_transport,
)

from .smtp_server import Inbox, make_certificate, recite, serve, sign_in, stay_away

GREETED = ["220 mail.example", "250 mail.example", "250 OK", "250 OK"]


def make_message(recipient="taro@example.com", message_id="abc", text="本文\n", minute=0):
    return compose_message(
        MailContent("件名", text, "<p>本文</p>"),
        sender=Address(username="noreply", domain="uketsuke.example"),
        sender_name="受付",
        recipient=recipient,
        message_id=message_id,
        locale="ja",
        reply_to=None,
        date=datetime(2026, 11, 22, 3, minute, tzinfo=UTC),
    )


def send(port, recipient="taro@example.com", *, scheme="smtp", user="", **options):
    host = "127.0.0.1" if scheme == "smtp" else "localhost"
    transport = SmtpTransport(f"{scheme}://{user}{host}:{port}", **options)
    transport.send(make_message(recipient), recipient)


def test_message_arrives_whole_for_one_recipient():
    inbox = Inbox()
    with serve(inbox) as port:
        send(port)
    (envelope,) = inbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "noreply@uketsuke.example",
        ["taro@example.com"],
    )
    assert inbox.recipients_named == 1
    # The boundary is drawn by lot.
    same = make_message()
    same.set_boundary(message_from_bytes(envelope.content).get_boundary())
    assert envelope.content == same.as_bytes()


def test_line_that_starts_with_a_dot_arrives_unchanged():
    inbox = Inbox()
    text = ".\n..\nEND\n.hidden\n"
    with serve(inbox) as port:
        SmtpTransport(f"smtp://127.0.0.1:{port}").send(make_message(text=text), "taro@example.com")
    message = message_from_bytes(inbox.envelopes[0].content, policy=policy.default)
    assert message.get_body(("plain",)).get_content() == text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("da..me@docomo.ne.jp", '"da..me"@docomo.ne.jp'),
        ("dame.@ezweb.ne.jp", '"dame."@ezweb.ne.jp'),
        ("-oQ/tmp@example.com", "-oQ/tmp@example.com"),
    ],
)
def test_odd_address_is_named_as_servers_accept_it(typed, named):
    with recite([*GREETED, "354 go on", "250 queued"]) as server:
        send(server.port, typed)
    assert server.commands[2] == f"rcpt TO:<{named}>"


def test_recipient_with_line_break_never_reaches_the_server():
    inbox = Inbox()
    with serve(inbox) as port:
        transport = SmtpTransport(f"smtp://127.0.0.1:{port}")
        with pytest.raises(MessageRefused):
            transport.send(make_message(), "a@example.com>\r\nRCPT TO:<eve@attacker.invalid")
    assert inbox.recipients_named == 0


@pytest.mark.parametrize(
    ("command", "reply", "error"),
    [
        ("rcpt", "550 5.1.1 <taro@example.com> user unknown", MailRefused),
        ("rcpt", "550 5.2.1 disabled", MailRefused),
        ("rcpt", "550 no such user", MailRefused),
        ("rcpt", "556 the domain takes no mail", MailRefused),
        ("rcpt", "451 4.7.1 greylisted", MailUnavailable),
        ("rcpt", "451 5.1.1 nobody knows yet", MailUnavailable),
        ("rcpt", "550 4.2.1 too many mails in a minute", MailUnavailable),
        ("rcpt", "550 5.4.5 Daily user sending limit exceeded", MailUnavailable),
        ("rcpt", "550 5.1.8 sender's domain unknown", MailUnavailable),
        ("rcpt", "550 5.1.90 reached the limit of the day", MailUnavailable),
        ("rcpt", "554 5.7.1 relay access denied", MailUnavailable),
        ("rcpt", "552 too many recipients", MailUnavailable),
        ("rcpt", "530 sign in first", MailUnavailable),
        ("mail", "553 5.7.1 sender refused", MailUnavailable),
        ("mail", "421 4.3.2 shutting down", MailUnavailable),
        ("data", "554 5.6.0 refused after the text", MailRefused),
        ("data", "550 5.1.1 nobody of that name", MailRefused),
        ("data", "554 5.7.1 refused by policy", MailUnavailable),
        ("data", "554 transaction failed", MailUnavailable),
        ("data", "550 no", MailUnavailable),
        ("data", "452 4.3.1 disk full", MailUnavailable),
    ],
)
def test_refusal_is_final_only_where_it_is_of_recipient_or_text(command, reply, error):
    inbox = Inbox(**{command: reply})
    with serve(inbox) as port, pytest.raises(MailError) as raised:
        send(port)
    assert type(raised.value) is error
    assert str(raised.value).startswith(reply[:9])
    assert inbox.envelopes == []


def test_error_repeats_no_address_and_no_link():
    reply = "550 <taro@example.com> refused, see https://mail.example/why?id=7"
    with serve(Inbox(rcpt=reply)) as port, pytest.raises(MailRefused) as raised:
        send(port)
    assert str(raised.value) == "550 … refused, see …"


def test_nobody_listening_is_unavailable():
    with serve(Inbox()) as port:
        pass
    with pytest.raises(MailUnavailable):
        send(port)


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["421 busy"], MailUnavailable),
        (["554 no service"], MailUnavailable),
        (GREETED[:3], MailUnavailable),
        (GREETED, MailUnavailable),
        ([*GREETED, "354 go on"], MailOutcomeUnknown),
    ],
)
def test_cut_connection_is_unknown_only_after_the_text(lines, error):
    with recite(lines) as server, pytest.raises(MailError) as raised:
        send(server.port)
    assert type(raised.value) is error


def test_server_that_hangs_up_after_accepting_has_it():
    with recite([*GREETED, "354 go on", "250 queued"]) as server:
        send(server.port)


def test_dripping_server_is_left_after_the_deadline():
    started = time.monotonic()
    with recite(["220 " + "x" * 500], drip_seconds=0.05) as server, pytest.raises(MailUnavailable):
        send(server.port, total_seconds=0.4)
    # To its end it would take 25 seconds.
    assert time.monotonic() - started < 10


def test_dripping_answer_to_the_text_is_unknown():
    with (
        recite([*GREETED, "354 go on", "250-" + "x" * 500], drip_seconds=0.05) as server,
        pytest.raises(MailOutcomeUnknown),
    ):
        send(server.port, total_seconds=2.0)


@pytest.fixture
def name_server(monkeypatch):
    """Say which addresses `mail.example` has; it is silent where there are none."""
    addresses: list[str] = []
    is_over, look_up = threading.Event(), socket.getaddrinfo

    def answer(host, *rest):
        found = addresses if host == "mail.example" else [host]
        if not found:
            is_over.wait(30)
        return [row for address in found for row in look_up(address, *rest)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    yield addresses
    is_over.set()


def send_to_name(port, **options):
    transport = SmtpTransport(f"smtp://mail.example:{port}", **options)
    transport.send(make_message(), "taro@example.com")


@pytest.mark.parametrize("addresses", [8, 0])
def test_f24_mail_server_that_is_silent_everywhere_is_left_in_time(name_server, addresses):
    name_server.extend(["127.0.0.2"] * addresses)
    started = time.monotonic()
    with (
        serve(Inbox()) as port,
        stay_away("127.0.0.2", port),
        pytest.raises(MailUnavailable, match="TimeoutError"),
    ):
        send_to_name(port, total_seconds=0.4)
    # If each address had ten seconds it would take 80, and the name server takes 30.
    assert time.monotonic() - started < 10


def test_silent_address_of_a_mail_server_leaves_time_for_the_next(name_server, monkeypatch):
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.6)
    inbox = Inbox()
    name_server.extend(["127.0.0.2", "127.0.0.1"])
    with serve(inbox) as port, stay_away("127.0.0.2", port):
        send_to_name(port)
    assert len(inbox.envelopes) == 1


def test_name_and_password_come_from_the_address():
    inbox = Inbox()
    with serve(inbox, authenticator=sign_in, auth_require_tls=False) as port:
        send(port, user="u%40x:p%20w%2Fd@")
    assert inbox.envelopes[0].rcpt_tos == ["taro@example.com"]


def test_refused_password_is_worth_another_try():
    lines = ["220 mail.example", "250-mail.example\r\n250 AUTH PLAIN", "535 5.7.8 wrong", "221 bye"]
    with recite(lines) as server, pytest.raises(MailUnavailable, match="^535 5.7.8"):
        send(server.port, user="u:wrong@")


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_tls_sends_to_a_trusted_server_only(scheme, tmp_path, monkeypatch):
    certificate, context = make_certificate(tmp_path, "localhost")
    inbox = Inbox()
    key = "ssl_context" if scheme == "smtps" else "tls_context"
    with serve(inbox, **{key: context}) as port:
        with pytest.raises(MailUnavailable, match="SSLCertVerificationError"):
            send(port, scheme=scheme)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send(port, scheme=scheme)
    assert len(inbox.envelopes) == 1


def test_tls_refuses_a_certificate_of_another_host(tmp_path, monkeypatch):
    certificate, context = make_certificate(tmp_path, "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        serve(Inbox(), ssl_context=context) as port,
        pytest.raises(MailUnavailable, match="SSLCertVerificationError"),
    ):
        send(port, scheme="smtps")


def test_starttls_never_falls_back_to_plain_text():
    inbox = Inbox()
    with serve(inbox) as port, pytest.raises(MailUnavailable):
        send(port, scheme="smtp+starttls")
    assert inbox.recipients_named == 0


def test_file_is_named_by_time_and_message(tmp_path):
    message = make_message()
    FileTransport(tmp_path / "mailbox").send(message, "taro@example.com")
    (file,) = (tmp_path / "mailbox").iterdir()
    assert file.name == "20261122T030000Z-2aba1a0f36ea6099.eml"
    assert file.read_bytes() == message.as_bytes()


def test_message_sent_again_stays_one_file(tmp_path):
    transport = FileTransport(tmp_path)
    transport.send(make_message(), "taro@example.com")
    transport.send(make_message(minute=5, text="二度目\n"), "taro@example.com")
    transport.send(make_message(message_id="other"), "taro@example.com")
    assert len(list(tmp_path.iterdir())) == 2


def test_folder_that_takes_no_file_is_worth_another_try(tmp_path):
    folder = tmp_path / "mailbox"
    folder.touch()
    with pytest.raises(MailUnavailable, match="FileExistsError"):
        FileTransport(folder).send(make_message(), "taro@example.com")


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://"])
def test_address_of_unknown_form_is_refused_at_start(url, tmp_path):
    with pytest.raises(ValueError, match="smtps://"):
        make_transport(url, tmp_path)


def test_without_an_address_mails_are_files(tmp_path):
    assert isinstance(make_transport("", tmp_path), FileTransport)
    assert isinstance(make_transport("smtp://127.0.0.1", tmp_path), SmtpTransport)
