"""The server of the pages: slow clients, processes that die, and an orderly end."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from tests.installation import HOST, ROOT, Installation, find_free_port, wait_until

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are found in Linux's /proc"
)

SLOW_CLIENTS = 100
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = (
    b"POST /e/spring HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
)


@pytest.fixture
def served(tmp_path):
    """`flask web` with two processes on a migrated database."""
    made = Installation(tmp_path, UKETSUKE_WEB_PROCESSES="2")
    assert made.run("migrate").returncode == 0
    made.process = made.start("web")
    try:
        wait_until(lambda: made.answers(f"{made.url}/healthz"))
        yield made
    finally:
        made.kill()


@pytest.mark.parametrize("start", [HEAD, BODY], ids=["headers", "bodies"])
def test_slow_clients_do_not_stop_the_service(served, start):
    with ExitStack() as slow:
        clients = [
            slow.enter_context(socket.create_connection((HOST, served.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for client in clients:
            client.sendall(start)

        for _ in range(10):
            for client in clients:
                client.sendall(b"a")
            assert requests.get(f"{served.url}/healthz", timeout=2).json() == {"status": "ok"}


def test_process_that_dies_is_replaced(served):
    parent = served.process.pid
    before = served.find_processes("web")
    victim = next(iter(before - {parent}))
    os.kill(victim, signal.SIGKILL)

    wait_until(lambda: len(served.find_processes("web") - {victim}) == len(before))

    assert requests.get(f"{served.url}/healthz", timeout=5).status_code == 200
    assert "a web process ended; starting another one" in served.read("web.err")


def test_request_that_was_begun_is_finished_before_the_end(served):
    answers = []
    database = sqlite3.connect(Path(served.environ["UKETSUKE_INSTANCE"]) / "uketsuke.sqlite3")
    database.execute("BEGIN EXCLUSIVE")
    url = f"{served.url}/s/s{'a' * 44}/resend"
    post = threading.Thread(target=lambda: answers.append(requests.post(url, timeout=30)))
    post.start()
    time.sleep(0.5)  # it waits for the database now

    served.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert served.process.poll() is None
    database.rollback()

    assert served.process.wait(20) == 0
    post.join()
    assert [answer.status_code for answer in answers] == [404]
    assert served.list_processes() == {}


SERVER = """
import sys
from cli.web_server import serve

def application(environ, start_response):
    start_response("200 OK", [])
    return [b"x"]

serve(application, host="127.0.0.1", port=int(sys.argv[1]), processes=4, threads=2)
"""


@pytest.mark.parametrize("milliseconds", range(4))
def test_stop_while_processes_are_started_ends_them_all(milliseconds):
    command = [sys.executable, "-c", SERVER, str(find_free_port())]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: children.read_text())
        time.sleep(milliseconds / 1000)

        process.terminate()

        try:
            assert process.wait(10) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_nobody_is_let_in_once_the_end_has_begun(served):
    with socket.create_connection((HOST, served.port)) as slow:
        slow.sendall(BODY)
        served.process.send_signal(signal.SIGTERM)

        def is_closed():
            with suppress(OSError), socket.create_connection((HOST, served.port), timeout=1):
                return False
            return True

        wait_until(is_closed, seconds=10)
        assert served.process.poll() is None
        slow.sendall(b"a" * 994)
        assert slow.recv(100).startswith(b"HTTP/1.1 404")
    assert served.process.wait(20) == 0
