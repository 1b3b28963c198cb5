"""F30: clients that send a byte now and then keep nobody from registering."""

import socket
import threading
from contextlib import ExitStack, contextmanager

import pytest

from bench.sites import write_script
from bench.visitors import Order, send_visitors
from tests.fixtures.databases import only_sqlite
from tests.installation import HOST
from tests.stage import Stage

pytestmark = only_sqlite

SLOW_CLIENTS = 200
PAUSE_SECONDS = 0.5
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
    assert visits.times[-1] < 5_000
