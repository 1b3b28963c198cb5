"""F30: clients that send a byte now and then keep nobody from registering."""

import re
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack, contextmanager

import pytest

from bench.sites import write_script
from bench.visitors import Order, send_visitors
from tests.fixtures.databases import only_sqlite
from tests.installation import HOST, ROOT, find_free_port
from tests.stage import Stage

pytestmark = only_sqlite

SLOW_CLIENTS = 200
PAUSE_SECONDS = 0.5
# A thread that a slow client held would be held for ever; other tests use the machine too.
LONGEST_MS = 20_000
HEAD = "GET /e/spring HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = (
    "POST /e/spring HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
)


@contextmanager
def dribble(port, starts):
    """Have slow clients send the beginnings of requests, and a byte of the rest now and then."""
    is_over = threading.Event()
    with ExitStack() as closing:
        clients = []
        for start in starts:
            client = closing.enter_context(socket.create_connection((HOST, port)))
            client.sendall(start.encode())
            clients.append(client)

        def send():
            while not is_over.wait(PAUSE_SECONDS):
                for client in clients:
                    client.sendall(b"a")

        thread = threading.Thread(target=send)
        thread.start()
        closing.callback(thread.join)
        closing.callback(is_over.set)
        yield clients


@pytest.mark.parametrize(
    "starts",
    [[HEAD] * SLOW_CLIENTS, [BODY] * SLOW_CLIENTS, [HEAD, BODY] * SLOW_CLIENTS],
    ids=["headers", "bodies", "both"],
)
@pytest.mark.real_time
def test_slow_clients_keep_nobody_from_registering(site, starts):
    Stage(site).add_event("spring")
    port = site.start_web_processes(UKETSUKE_WEB_PROCESSES="2")
    script = write_script(port, "spring")

    with dribble(port, starts) as clients:
        visits = send_visitors(Order(script, True, 0, visitors=4, total=40)).check()

        # They are all still there: nobody was let in because others were sent away.
        assert [c for c in clients if c.fileno() < 0] == []
    assert visits.count == 40
    assert site.count_rows("registration") == 40
    assert visits.times[-1] < LONGEST_MS


@contextmanager
def nginx_before(port, folder):
    """Run nginx as `deploy/nginx.conf` says, without TLS, before one port; give its own."""
    example = (ROOT / "deploy/nginx.conf").read_text()
    front = find_free_port()
    for what, instead in (
        (r".*# TLS.*", ""),
        (r"(?m)^    server_name .*", f"    listen {HOST}:{front};"),
        (r"(?m)^    server 127\.0\.0\.1:(?!8001).*", ""),
        ("127.0.0.1:8001", f"{HOST}:{port}"),
        ("/var/log/nginx/", f"{folder}/"),
    ):
        example, found = re.subn(what, instead, example)
        assert found, what
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; events {{ worker_connections 2048; }}\n"
        f"http {{ {temporary} {example} }}"
    )
    process = subprocess.Popen(["nginx", "-e", f"{folder}/errors", "-c", config])
    try:
        yield front
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.real_time
@pytest.mark.skipif(not shutil.which("nginx"), reason="apt-get install nginx-light")
def test_f30_slow_clients_wait_at_nginx(site, tmp_path):
    Stage(site).add_event("spring")
    port = site.start_web_processes(UKETSUKE_WEB_PROCESSES="1")
    with nginx_before(port, tmp_path) as front:
        site.wait_until(lambda: is_heard(front))
        with dribble(front, [HEAD, BODY] * SLOW_CLIENTS):
            assert count_connections(port) < SLOW_CLIENTS, "the site hears of none of them"
            visits = send_visitors(Order(write_script(front, "spring"), True, 0, 4, total=40))
            visits.check()

    assert visits.count == site.count_rows("registration") == 40
    assert visits.times[-1] < LONGEST_MS


def is_heard(port):
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


def count_connections(port):
    """Count the connections to a port of this machine, as the kernel lists them."""
    mark = f":{port:04X}"
    with open("/proc/net/tcp") as table:
        return sum(line.split()[1].endswith(mark) and line.split()[3] == "01" for line in table)
