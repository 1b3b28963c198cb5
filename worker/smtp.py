"""Ways for a message to leave: an SMTP server, or a folder.

MailError
├── MailRefused         this recipient or message is refused for good
├── MailUnavailable     try later: no connection, sign-in refused, 4xx, greylisting
└── MailOutcomeUnknown  the connection ended after the message was sent: perhaps it arrived
"""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
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
        """Send within 25 seconds in all; a refusal of the sender is worth another try later."""
        sender = _get_sender(message)
        with self._connect(sender) as client:
            with _unavailable_on_error():
                _check(client.mail(sender), MailUnavailable)
                _check(client.rcpt(make_address(recipient).addr_spec), MailRefused)
                _check(client.docmd("DATA"), MailRefused, expected=_START_OF_TEXT)
            _send_text(client, message)
            with suppress(OSError, smtplib.SMTPException):
                client.quit()

    def check(self, sender: str) -> None:
        """Connect, greet, secure and sign in, and say NOOP."""
        with self._connect(sender) as client:
            with _unavailable_on_error():
                _check(client.noop(), MailUnavailable)
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
        _check(client.getreply(), MailUnavailable, expected=220)
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
    _check(reply, MailRefused)


def _check(reply: tuple[int, bytes], refusal: type[MailError], *, expected: int = _OK) -> None:
    """Raise what a reply means; `refusal` is for 5xx, everything else is worth another try."""
    code, text = reply
    if code == expected or (expected == _OK and code == 251):
        return
    raise (refusal if code >= _PERMANENT else MailUnavailable)(_describe(code, text))


def _describe(code: int, text: bytes | str) -> str:
    """Keep what helps the organizer of a server's answer, which may repeat addresses and links."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    masked = re.sub(r"\S*(@|://)\S*", "…", " ".join(words.split()))
    return f"{code} {masked}"[:200]
