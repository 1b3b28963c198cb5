"""Zoom: what a slow Zoom does to pages, how soon a link is there, what a call costs our client."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from statistics import median

import certifi
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from urllib3 import PoolManager

from outbound import HttpPool
from storage.models import Registration, ZoomRegistrant
from zoom_client import Credentials, ZoomClient
from zoom_client.token import MemoryTokenStore
from zoom_sandbox.control import SandboxControl

from .crowds import ARRIVALS, NONE
from .processes import Process, find_free_port
from .sites import Product, run_product
from .stand import Stand
from .table import Goal, Row
from .visitors import HOST, Order, percentile, send_visitors
from .zoom_drain import LATENCY_SECONDS, drain

SLOW_SECONDS = 0.2
SLOW_ZOOM = Goal(2.0, 1.1)
ALL_LINKS = Goal(120, 60, unit="s")
LINK_LATE = Goal(1_000, 200, unit="ms")
CALL_CPU = Goal(3.0, 1.5)
CALL_CPU_OF_OTHERS = Goal(15.0, 40.0, is_least=True)

THREADS = 8
PEOPLE = 20
USER = {"id": "u1", "email": "host@example.com", "type": 2, "status": "active", "timezone": "UTC"}
TOKEN = {"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "user:read:user"}


def wait_for_zoom(stand: Stand) -> Iterator[Row]:
    """Compare the pages while Zoom is slow with the same while it is not, in turns."""
    product = stand.product
    web = product.web
    seconds = 4.0 if stand.is_quick else 10.0
    order = Order(web.script, True, seconds, rate=ARRIVALS)
    pairs = []
    with closing(SandboxControl(product.sandbox_url)) as zoom, product.run_worker():
        for _ in range(stand.rounds):
            zoom.clear_faults()
            fast = stand.send(web, order)
            zoom.fault(count=None, delay_before=SLOW_SECONDS)
            slow = stand.send(web, order)
            fast.visits.check(), slow.visits.check()
            pairs.append((slow, fast))
        zoom.clear_faults()
    yield Row(
        "P8",
        f"{ARRIVALS:.0f} arrive a second, Zoom answers in {SLOW_SECONDS * 1000:.0f} ms: p99",
        stand.database,
        median(slow.p99 / fast.p99 for slow, fast in pairs),
        SLOW_ZOOM,
        site=f"{median(slow.p99 for slow, _ in pairs):.0f} ms",
        floor=f"{median(fast.p99 for _, fast in pairs):.0f} ms",
        others=max(turn.others for pair in pairs for turn in pair),
    )


def wait_for_link(stand: Stand) -> Iterator[Row]:
    """Let single people register beside an idle worker, and see when Zoom's link is stored."""
    address = stand.cluster.create("idle") if stand.cluster else ""
    folder = stand.folder / "idle"
    folder.mkdir()
    with (
        run_product(folder, address) as product,
        closing(SandboxControl(product.sandbox_url)) as zoom,
    ):
        # The first one has the worker start.
        send_visitors(Order(product.web.script, True, 0, visitors=1, total=1)).check()
        with product.run_worker():
            zoom.fault(count=None, delay_before=SLOW_SECONDS)
            waits = sorted(_wait_for_one(product, zoom) for _ in range(PEOPLE))
    name = f"link after one registration, beyond Zoom's {SLOW_SECONDS * 1000:.0f} ms a call: p95"
    yield Row("P9", name, stand.database, percentile(waits, 0.95), LINK_LATE)


def drain_crowd(stand: Stand) -> Iterator[Row]:
    """Have a crowd wait at a Zoom that keeps to its limits, and see when the last has a link."""
    people = 1_000 if stand.is_quick else 10_000
    address = stand.cluster.create("crowd") if stand.cluster else ""
    folder = stand.folder / "crowd"
    folder.mkdir()
    drained = drain(people, folder, address=address)
    name = f"{people:,} wait, Zoom answers in {LATENCY_SECONDS * 1000:.0f} ms, plan Pro"
    yield Row("P20", f"{name}: all links", stand.database, drained.seconds, ALL_LINKS)
    yield Row("P20", f"{name}: refused calls", stand.database, drained.refused, NONE)


def _wait_for_one(product: Product, zoom: SandboxControl) -> float:
    """Register somebody; return the milliseconds until their link, less those of Zoom's calls."""
    time.sleep(0.3)  # let the worker come to rest
    calls = len(zoom.journal())
    began = datetime.now(UTC)
    visit = send_visitors(Order(product.web.script, True, 0, visitors=1, total=1)).check()
    statement = (
        select(Registration.created_at, ZoomRegistrant.answered_at)
        .join(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
        .where(
            Registration.email == next(iter(visit.promised)),
            ZoomRegistrant.delivery == "registered",
        )
    )
    while datetime.now(UTC) < began + timedelta(seconds=20):
        with product.database.read() as session:
            row = session.execute(statement).one_or_none()
        if row is not None:
            calls = len(zoom.journal()) - calls
            return (row[1] - row[0]).total_seconds() * 1_000 - calls * SLOW_SECONDS * 1_000
        time.sleep(0.01)
    raise RuntimeError("the link did not come")


def call_over_tls(stand: Stand) -> Iterator[Row]:
    """Compare the CPU of our client's calls with urllib3's alone, and with those of no pool."""
    certificate = stand.folder / "loopback.pem"
    _make_certificate(certificate)
    context = ssl.create_default_context(cafile=str(certificate))
    calls = 400 if stand.is_quick else 2_000
    with _serve_zoom(stand.folder, certificate) as url:
        client = ZoomClient(
            Credentials("account", "id", "secret"),
            token_store=MemoryTokenStore(),
            api_url=f"{url}/v2",
            oauth_url=url,
            pool=HttpPool(ssl_context=context),
        )
        pool = PoolManager(maxsize=THREADS, ssl_context=context)
        headers = {"Authorization": "Bearer t", "Accept": "application/json"}

        def ask_by_urllib3() -> None:
            answer = pool.request("GET", f"{url}/v2/users/u1", headers=headers)
            assert json.loads(answer.data)["id"] == "u1"

        pairs = [
            (_measure(lambda: client.get_user("u1"), calls), _measure(ask_by_urllib3, calls))
            for _ in range(stand.rounds + 1)
        ][1:]
        ours, least = (median(figures) for figures in zip(*pairs, strict=True))
        yield Row(
            "P10",
            f"a call to Zoom over TLS, {THREADS} threads: CPU",
            "",
            median(ours / least for ours, least in pairs),
            CALL_CPU,
            site=f"{ours:.2f} ms",
            floor=f"{least:.2f} ms",
        )
        theirs = _measure_bare_requests(f"{url}/v2/users/u1", certificate)
        yield Row(
            "P10",
            "times less than `requests` without a session, as zoomus and pyzoom call: CPU",
            "",
            theirs / ours,
            CALL_CPU_OF_OTHERS,
            site=f"{ours:.2f} ms",
            floor=f"{theirs:.2f} ms",
        )


def _measure(call: Callable[[], object], calls: int) -> float:
    """Return the milliseconds of CPU of one call, in this process."""
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda _: call(), range(THREADS * 4)))
        before = time.process_time()
        list(threads.map(lambda _: call(), range(calls)))
        return (time.process_time() - before) / calls * 1_000


def _measure_bare_requests(url: str, certificate: Path) -> float:
    """Return what a call costs that connects anew and loads all certificates, as they come."""
    everybody = certificate.with_name("everybody.pem")
    everybody.write_text(Path(certifi.where()).read_text() + certificate.read_text())

    def ask() -> None:
        headers = {"Authorization": "Bearer t"}
        answer = requests.get(url, headers=headers, verify=str(everybody), timeout=10)
        assert answer.json()["id"] == "u1"

    return _measure(ask, 100)


@contextmanager
def _serve_zoom(folder: Path, certificate: Path) -> Iterator[str]:
    port = find_free_port()
    command = [sys.executable, "-m", "bench.zoom_calls", str(port), str(certificate)]
    with Process(command, environ={}, log=folder / "tls.log") as process:
        process.wait_for_port(port)
        yield f"https://{HOST}:{port}"


def _make_certificate(path: Path) -> None:
    """Write key and certificate of 127.0.0.1, which vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encodings = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(*encodings, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )


def serve_stub(port: int, certificate: str) -> None:
    """Answer every request with a token and a user, as cheaply as Python can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    bodies = [json.dumps(body).encode() for body in (TOKEN, USER)]
    token, user = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        for body in bodies
    )

    def answer(plain: socket.socket) -> None:
        try:
            with context.wrap_socket(plain, server_side=True) as line:
                received = b""
                while chunk := line.recv(65_536):
                    received += chunk
                    if b"\r\n\r\n" in received:
                        line.sendall(token if received.startswith(b"POST") else user)
                        received = b""
        except OSError:
            return  # somebody who only looked whether the port is open

    with socket.create_server((HOST, port)) as listener:
        while True:
            line, _ = listener.accept()
            threading.Thread(target=answer, args=(line,), daemon=True).start()


if __name__ == "__main__":
    serve_stub(int(sys.argv[1]), sys.argv[2])
