import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from outbound import Deadline, HttpPool, NoAnswer, NotSent
from tests.outbound.socket_server import drip, read_request, serve

OK = b"HTTP/1.1 200 OK\r\n"
DEADLINE_SECONDS = 0.5
# What a busy machine may add to the deadline; without one these calls take a minute or more.
SLACK_SECONDS = 10.0


def send(pool, port, *, host="127.0.0.1", seconds=5.0):
    return pool.send(
        "POST",
        f"https://{host}:{port}/v2/users/me",
        headers={"Authorization": "Bearer t0ken"},
        deadline=Deadline(seconds),
    )


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Make a certificate for 127.0.0.1 that vouches for itself; the path of cert and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class CountingContext(ssl.SSLContext):
    loads = 0
    wraps = 0

    def load_verify_locations(self, *args, **kwargs):
        self.loads += 1
        super().load_verify_locations(*args, **kwargs)

    def wrap_socket(self, *args, **kwargs):
        self.wraps += 1
        return super().wrap_socket(*args, **kwargs)


def answer_and_close(conn):
    read_request(conn)
    conn.sendall(OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")


def test_certificates_are_loaded_once_for_all_connections(certificate, server_context):
    context = CountingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    pool = HttpPool(ssl_context=context)

    with serve(answer_and_close, server_context) as server:
        for _ in range(5):
            assert send(pool, server.port).status == 200

    assert (context.loads, context.wraps) == (1, 5)


def test_untrusted_certificate_means_that_nothing_was_sent(pool, server_context):
    requests = []

    with (
        serve(lambda conn: requests.append(read_request(conn)), server_context) as server,
        pytest.raises(NotSent, match="certificate"),
    ):
        send(pool, server.port)

    assert requests == []


def test_certificate_for_another_name_is_refused(certificate, server_context):
    pool = HttpPool(ssl_context=ssl.create_default_context(cafile=certificate))
    with (
        serve(answer_and_close, server_context) as server,
        pytest.raises(NotSent, match="certificate"),
    ):
        send(pool, server.port, host="localhost")


@pytest.mark.parametrize(
    "handler", [lambda conn: time.sleep(60), lambda conn: drip(conn, b"\x16\x03\x03\x3f\xff" * 99)]
)
def test_tls_that_never_comes_about_ends_at_the_deadline(pool, handler):
    with serve(handler) as server:
        began = time.monotonic()
        with pytest.raises(NotSent):
            send(pool, server.port, seconds=DEADLINE_SECONDS)
        took = time.monotonic() - began

    assert took < DEADLINE_SECONDS + SLACK_SECONDS


def drip_body(conn):
    read_request(conn)
    conn.sendall(OK + b"Content-Length: 1000\r\n\r\n")
    drip(conn, b"x" * 1000)


def test_dripping_answer_over_tls_ends_at_the_deadline(certificate, server_context):
    pool = HttpPool(ssl_context=ssl.create_default_context(cafile=certificate))
    with serve(drip_body, server_context) as server:
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            send(pool, server.port, seconds=DEADLINE_SECONDS)
        took = time.monotonic() - began

    assert took < DEADLINE_SECONDS + SLACK_SECONDS
