"""Ways for a message to leave: an SMTP server, or a folder.

MailError
├── MailRefused         this recipient or message is refused for good
├── MailUnavailable     try later: no connection, 4xx, or we are refused, whoever it is for
└── MailOutcomeUnknown  the connection ended after the message was sent: perhaps it arrived
"""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from email.headerregistry import AddressHeader, DateHeader
from email.message import EmailMessage
from pathlib import Path
from threading import Event, Thread
from typing import Protocol
from urllib.parse import unquote, urlsplit

from outbound.deadline import Deadline
from outbound.dialling import dial
from services.messages import make_address

CONNECT_SECONDS = 10
TOTAL_SECONDS = 25

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_START_OF_TEXT = 354
_OK = 250
_PERMANENT = 500

# What a refusal is about, by RFC 3463 and its registry: 1 is the address, 2 the mailbox, 6 the
# text; 3, 4, 5 and 7 are the server, the network, the dialogue and somebody's policy. Higher
# details are a server's own: at Exchange Online 5.1.90 is our limit of the day.
_STATUS = re.compile(rb"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")
_OF_THIS_MAIL = (1, 2, 6)
_MOST_DETAIL = 10
_OF_THE_SENDER = ((1, 7), (1, 8))
# Without such a status these are about the recipient who was named (RFC 5321 4.2.3, RFC 7504). 552
# is not: servers say so of too many recipients, too (RFC 5321 4.5.3.1.10).
_OF_RECIPIENT = (550, 551, 553, 556)


class MailError(Exception):
    """A message did not leave. `str()` names no address, so that it may be stored and logged."""


class MailRefused(MailError):
    pass


class MailUnavailable(MailError):
    pass


class MailOutcomeUnknown(MailError):
    pass


class MailTransport(Protocol):
    def send(self, message: EmailMessage, recipient: str) -> None:
        """Hand over a message for one mailbox.

        Raises:
            MailError: see the tree above.
        """

    def check(self, sender: str) -> None:
        """Go as far as sending does without a message. Raises MailError."""


def make_transport(mail_url: str, mailbox: Path) -> MailTransport:
    """Return the transport for `UKETSUKE_MAIL_URL`; without one mails are files in `mailbox`.

    Raises:
        ValueError: the address is of no known form.
    """
    return SmtpTransport(mail_url) if mail_url else FileTransport(mailbox)


class SmtpTransport:
    """One connection for each message, to `smtp://`, `smtp+starttls://` or `smtps://`.

    Name and password stand in the address, percent-encoded: `smtps://name:word@mail.example.com`.
    """

    def __init__(self, url: str, *, total_seconds: float = TOTAL_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("a mail address starts with smtp://, smtp+starttls:// or smtps://")
        self._scheme = parts.scheme
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._total_seconds = total_seconds
        self._tls = ssl.create_default_context()

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Send within 25 seconds in all; only what is about this very mail is refused for good."""
        sender = _get_sender(message)
        with self._connect(sender) as client:
            with _unavailable_on_error():
                _check(client.mail(sender))
                _check(client.rcpt(make_address(recipient).addr_spec), final_codes=_OF_RECIPIENT)
                _check(client.docmd("DATA"), expected=_START_OF_TEXT, final_codes=())
            _send_text(client, message)
            with suppress(OSError, smtplib.SMTPException):
                client.quit()

    def check(self, sender: str) -> None:
        """Connect, greet, secure and sign in, and say NOOP."""
        with self._connect(sender) as client:
            with _unavailable_on_error():
                _check(client.noop())
            with suppress(OSError, smtplib.SMTPException):
                client.quit()

    @contextmanager
    def _connect(self, sender: str) -> Iterator[smtplib.SMTP]:
        """Give a client that has greeted and signed in, and has what is left of the time."""
        deadline = Deadline(self._total_seconds)
        # The sender's domain greets: asking the resolver for our own name can take many seconds.
        client = smtplib.SMTP(local_hostname=sender.rpartition("@")[2])
        # Without this smtplib checks the certificate against an empty name.
        client._host = self._host  # type: ignore[attr-defined]
        with _unavailable_on_error():
            # Not by smtplib, which gives each address of a host all the time there is.
            sock = dial(self._host, self._port, deadline.sooner(CONNECT_SECONDS))
        client.sock = sock
        try:
            with _cut_at(deadline, sock):
                with _unavailable_on_error():
                    sock.settimeout(deadline.positive_seconds())
                    self._open(client)
                yield client
        finally:
            client.close()

    def _open(self, client: smtplib.SMTP) -> None:
        if self._scheme == "smtps":
            assert client.sock is not None
            client.sock = self._tls.wrap_socket(client.sock, server_hostname=self._host)
        _check(client.getreply(), expected=220)
        client.ehlo_or_helo_if_needed()
        if self._scheme == "smtp+starttls":
            client.starttls(context=self._tls)
            client.ehlo_or_helo_if_needed()
        if self._user:
            client.login(self._user, self._password)


class FileTransport:
    """Writes each message to a file of its own, `<UTC time>-<hash of its id>.eml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Write the file in one step; the same message sent again stays one file."""
        make_address(recipient)
        digest = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:16]
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = next(self._folder.glob(f"*-{digest}.eml"), None)
            path = written or self._folder / f"{_get_time(message)}-{digest}.eml"
            _replace_file(path, message.as_bytes())
        except OSError as error:
            raise MailUnavailable(type(error).__name__) from error

    def check(self, sender: str) -> None:
        """Say nothing: the folder is made when it is needed."""


def _replace_file(path: Path, content: bytes) -> None:
    draft = path.with_suffix(f".{os.getpid()}.part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _get_sender(message: EmailMessage) -> str:
    header = message["From"]
    assert isinstance(header, AddressHeader)
    return header.addresses[0].addr_spec


def _get_time(message: EmailMessage) -> str:
    header = message["Date"]
    assert isinstance(header, DateHeader)
    assert header.datetime is not None
    return f"{header.datetime.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@contextmanager
def _cut_at(deadline: Deadline, sock: socket.socket) -> Iterator[None]:
    """Cut the connection at the deadline: a time-out alone allows one byte after another."""
    done = Event()
    # It stays when TLS takes the socket itself over.
    handle = sock.dup()

    def watch() -> None:
        with handle:
            if not done.wait(deadline.positive_seconds()):
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)

    Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


@contextmanager
def _unavailable_on_error() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise MailUnavailable(_describe(error.smtp_code, error.smtp_error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailUnavailable(type(error).__name__) from error


def _send_text(client: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        text = re.sub(rb"(?m)^\.", b"..", message.as_bytes())
        client.send(text + (b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n"))
        reply = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise MailOutcomeUnknown(type(error).__name__) from error
    _check(reply, final_codes=())


def _check(
    reply: tuple[int, bytes], *, expected: int = _OK, final_codes: Collection[int] | None = None
) -> None:
    """Raise what a reply means.

    `final_codes` refuse for good where the server says no more; without any, nothing does, as the
    server knows nothing yet of whom the mail is for.
    """
    code, text = reply
    if code == expected or (expected == _OK and code == 251):
        return
    is_final = final_codes is not None and _is_of_this_mail(code, text, final_codes)
    raise (MailRefused if is_final else MailUnavailable)(_describe(code, text))


def _is_of_this_mail(code: int, text: bytes, final_codes: Collection[int]) -> bool:
    """Tell whether a server would take others: what it holds against us ends by itself, or not."""
    if code < _PERMANENT:
        return False
    status = _STATUS.match(text)
    if status is None:
        return code in final_codes
    kind, subject, detail = map(int, status.groups())
    is_known = detail <= _MOST_DETAIL and (subject, detail) not in _OF_THE_SENDER
    return kind == 5 and subject in _OF_THIS_MAIL and is_known


def _describe(code: int, text: bytes | str) -> str:
    """Keep what helps the organizer of a server's answer, which may repeat addresses and links."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    masked = re.sub(r"\S*(@|://)\S*", "…", " ".join(words.split()))
    return f"{code} {masked}"[:200]
