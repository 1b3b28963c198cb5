"""SMTP servers on free ports: a whole one, and one that says only what it is told."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Inbox:
    """Keeps what arrives; `replies` has the server's answer by command where it is not 250."""

    def __init__(self, **replies: str) -> None:
        self.replies = replies
        self.envelopes = []
        self.recipients_named = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        if "mail" in self.replies:
            return self.replies["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.recipients_named += 1
        if "rcpt" in self.replies:
            return self.replies["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "data" in self.replies:
            return self.replies["data"]
        self.envelopes.append(envelope)
        return "250 OK"


def sign_in(server, session, envelope, mechanism, login):
    """Know one person: name `u@x`, password `p w/d`."""
    return AuthResult(success=(login.login, login.password) == (b"u@x", b"p w/d"))


@contextmanager
def serve(inbox: Inbox, **options) -> Iterator[int]:
    """Run aiosmtpd and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        closing = asyncio.run_coroutine_threadsafe(_let_go(controller.server), controller.loop)
        closing.result()
        controller.stop()


async def _let_go(server: asyncio.Server) -> None:
    """Stop listening, and see the ends of connections that clients have closed.

    A loop that is stopped before leaves them to the garbage collector, which complains of it in
    whichever test comes next.
    """
    for _ in range(2):  # Each turn of the loop takes who has called meanwhile.
        await asyncio.sleep(0)
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=1)
    ended = asyncio.ensure_future(server.wait_closed())
    await asyncio.sleep(0)
    server.close()
    await asyncio.wait([ended], timeout=1)


@dataclass
class Recital:
    """The port of a reciting server, and the commands it was given."""

    port: int
    commands: list[str] = field(default_factory=list)


@contextmanager
def recite(lines: Sequence[str], *, drip_seconds: float = 0) -> Iterator[Recital]:
    """Answer each command with the next one of `lines`, then close the connection.

    After `354` everything up to the lone dot counts as one command. With `drip_seconds` the last
    line comes byte by byte and has no end.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    recital = Recital(listener.getsockname()[1])
    arguments = (listener, lines, drip_seconds, recital.commands)
    threading.Thread(target=_recite, args=arguments, daemon=True).start()
    try:
        yield recital
    finally:
        listener.close()


@contextmanager
def stay_away(host: str, port: int) -> Iterator[None]:
    """Have nobody answer a try to connect to an address of this machine, nor refuse it."""
    with ExitStack() as held:
        listener = held.enter_context(socket.create_server((host, port), backlog=0))
        # The first fill the queue of those to be accepted; of the others the kernel drops each try.
        for _ in range(4):
            caller = held.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield


def _recite(listener, lines, drip_seconds, commands) -> None:
    # Whoever serves may have left before this thread came to accept anybody.
    with (
        suppress(OSError),
        listener.accept()[0] as connection,
        connection.makefile("rb") as incoming,
    ):
        for line in lines[:-1]:
            connection.sendall(line.encode() + b"\r\n")
            commands.append(_read(incoming, is_text=line.startswith("354")))
        for byte in lines[-1].encode() if drip_seconds else ():
            connection.sendall(bytes([byte]))
            time.sleep(drip_seconds)
        if not drip_seconds:
            connection.sendall(lines[-1].encode() + b"\r\n")
            _read(incoming, is_text=lines[-1].startswith("354"))


def _read(incoming, *, is_text: bool) -> str:
    line = incoming.readline()
    while is_text and line not in (b".\r\n", b""):
        line = incoming.readline()
    return line.decode().rstrip()


def make_certificate(folder: Path, name: str) -> tuple[Path, SSLContext]:
    """Write a self-signed certificate for a host name; give its file and a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context
