"""The server of the pages: slow clients, processes that die, and an orderly end."""

import json
import os
import resource
import select
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import make_url
from waitress import wasyncore
from waitress.adjustments import Adjustments

from cli.pulses import Pulses
from cli.sockets import BACKLOG, open_listener
from cli.supervisor import Restarts
from cli.web_processes import TICK_SECONDS
from cli.web_server import ACCEPTS, BODY_BYTES, CROWDED, HEAD_START_SECONDS, _Parser, _Server
from storage.visits import sum_by_origin
from tests.factories import make_event
from tests.fixtures.databases import SECRET, open_database
from tests.installation import (
    HOST,
    ROOT,
    START_SECONDS,
    Installation,
    answers,
    find_free_port,
    make_command,
    wait_until,
)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are found in Linux's /proc"
)

SLOW_CLIENTS = 100
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = (
    b"POST /e/spring HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
)


@contextmanager
def installed(folder, databases):
    """Make a migrated database, and nothing that runs on it."""
    made = Installation(
        folder,
        UKETSUKE_DATABASE_URL=databases.make_migrated(),
        UKETSUKE_SECRET_KEY=SECRET.decode(),
        UKETSUKE_WEB_PROCESSES="2",
    )
    yield made
    made.kill()


def start_web(installation):
    """Start `flask web` with two processes."""
    installation.process = installation.start("web")
    wait_until(lambda: installation.answers(f"{installation.url}/healthz"), seconds=START_SECONDS)
    return installation


@pytest.fixture
def installation(tmp_path, sqlite_databases):
    with installed(tmp_path, sqlite_databases) as made:
        yield made


@pytest.fixture
def served(installation):
    """`flask web` of a test's own, which may end it."""
    return start_web(installation)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, sqlite_databases):
    """`flask web` for all tests that leave it as it was: each start takes seconds."""
    with installed(tmp_path_factory.mktemp("shared"), sqlite_databases) as made:
        yield start_web(made)


@pytest.mark.parametrize("start", [HEAD, BODY], ids=["headers", "bodies"])
def test_slow_clients_do_not_stop_the_service(shared, start):
    with ExitStack() as slow:
        clients = [
            slow.enter_context(socket.create_connection((HOST, shared.port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for client in clients:
            client.sendall(start)

        for _ in range(10):
            for client in clients:
                client.sendall(b"a")
            assert requests.get(f"{shared.url}/healthz", timeout=20).json() == {"status": "ok"}


def poll_all(clients):
    """List those of many connections on which something has come, or that were closed."""
    poll = select.poll()
    for client in clients:
        poll.register(client, select.POLLIN)
    return poll.poll(0)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 4 * CROWDED, reason="too few open files"
)
def test_unused_connections_make_room_in_a_crowd(shared):
    """Two processes share them: so many that one at least has a crowd."""
    with ExitStack() as closing:
        clients = [
            closing.enter_context(socket.create_connection((HOST, shared.port)))
            for _ in range(2 * CROWDED + 10)
        ]
        slow, unused = clients[:5], clients[5:]
        for client in slow:
            client.sendall(BODY)

        def is_any_closed():
            requests.get(f"{shared.url}/healthz", timeout=20)
            for client in slow:
                client.sendall(b"a")
            return poll_all(unused)

        wait_until(is_any_closed)

        assert poll_all(slow) == []


def list_connections(served):
    """Count the connections that each web process has taken."""
    children = served.find_processes("web") - {served.process.pid}
    addresses = {f":{served.port:04X}"}
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    sockets = {line.split()[9] for line in lines if line.split()[1][-5:] in addresses}
    return [
        sum(read_link(file)[8:-1] in sockets for file in Path(f"/proc/{child}/fd").iterdir()) - 1
        for child in children
    ]


def read_link(file):
    """Return what a descriptor stands for, or nothing if it was closed meanwhile."""
    with suppress(OSError):
        return os.readlink(file)
    return ""


def test_connections_that_come_at_once_are_shared_by_the_processes(shared):
    for child in shared.find_processes("web") - {shared.process.pid}:
        # Its threads come right before its first turn.
        wait_until(lambda child=child: len(os.listdir(f"/proc/{child}/task")) > 1)
    # A busy machine may keep one of them off its core while the other takes all, and luck may
    # share what nobody does.
    assert statistics.mean(min(share_connections(shared)) for _ in range(15)) >= 13


def share_connections(served):
    """Connect many at once; return how many each process has taken."""
    time.sleep(0.2)
    with ExitStack() as closing:
        clients = [closing.enter_context(socket.socket()) for _ in range(40)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex((HOST, served.port))
        wait_until(lambda: sum(list_connections(served)) == 40)
        taken = list_connections(served)
    wait_until(lambda: sum(list_connections(served)) == 0)
    return taken


def test_process_that_takes_nobody_in_keeps_nobody_waiting(shared):
    children = shared.find_processes("web") - {shared.process.pid}
    stopped = next(iter(children))
    os.kill(stopped, signal.SIGSTOP)
    try:
        # A busy machine may be slow for a while.
        assert any(measure_wait(shared) < 0.4 for _ in range(3))
    finally:
        os.kill(stopped, signal.SIGCONT)


def measure_wait(served):
    """Return how long it takes most of some to be taken in and answered, who all stay."""
    waits = []
    with ExitStack() as closing:
        for _ in range(20):
            client = closing.enter_context(requests.Session())
            began = time.monotonic()
            assert client.get(f"{served.url}/healthz", timeout=20).status_code == 200
            waits.append(time.monotonic() - began)
    return statistics.median(waits)


def test_process_that_dies_is_replaced(shared):
    parent = shared.process.pid
    before = shared.find_processes("web")
    victim = next(iter(before - {parent}))
    os.kill(victim, signal.SIGKILL)

    wait_until(lambda: len(shared.find_processes("web") - {victim}) == len(before))

    assert requests.get(f"{shared.url}/healthz", timeout=20).status_code == 200
    (told,) = [
        line
        for line in map(json.loads, shared.read("web.err").splitlines())
        if line["message"] == "a web process ended; starting another one"
    ]
    assert (told["pid"], told["signal"]) == (victim, "SIGKILL")


def test_request_that_was_begun_is_finished_before_the_end(served):
    answers = []
    database = sqlite3.connect(make_url(served.environ["UKETSUKE_DATABASE_URL"]).database)
    database.execute("BEGIN EXCLUSIVE")
    url = f"{served.url}/s/s{'a' * 44}/resend"
    post = threading.Thread(target=lambda: answers.append(requests.post(url, timeout=30)))
    post.start()
    wait_until(lambda: sum(list_connections(served)) == 1)
    time.sleep(0.5)  # by then it waits for the database

    served.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert served.process.poll() is None
    database.rollback()

    assert served.process.wait(20) == 0
    post.join()
    assert [answer.status_code for answer in answers] == [404]
    assert served.list_processes() == {}


def test_visits_that_were_counted_are_stored_at_the_end(served):
    database = open_database(served.environ["UKETSUKE_DATABASE_URL"])
    with database.write() as session:
        event = make_event(session, slug="spring")
    for _ in range(8):
        answer = requests.post(f"{served.url}/e/spring/seen/view", timeout=20)
        assert answer.status_code == 204

    served.process.send_signal(signal.SIGTERM)

    assert served.process.wait(20) == 0
    with database.read() as session:
        assert sum_by_origin(session, event.id) == {("direct", "view"): 8}


SERVER = """
import sys
from cli.web_server import serve

def application(environ, start_response):
    start_response("200 OK", [])
    return [b"x"]

serve(application, host="127.0.0.1", port=int(sys.argv[1]), processes=4, threads=2)
"""


BLOCKING_SERVER = """
import os, sys, threading
from waitress.adjustments import Adjustments
from cli import web_server
from cli.web_server import serve

web_server.IDLE_SECONDS, Adjustments.cleanup_interval = 3, 1
if "no fork for a while" in sys.argv:
    fork, times = os.fork, iter(range(5))

    def fork_at_last():
        if next(times, None) in (2, 3):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()

    os.fork = fork_at_last

lock = threading.Event()
kept = []

def application(environ, start_response):
    if environ["PATH_INFO"] == "/block":
        lock.wait()
    if environ["PATH_INFO"] == "/grow":
        kept.append(b"x" * 200_000_000)
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/export":
        return (b"x" * 1_000_000 for _ in range(50))
    return [b"x"]

serve(
    application, host="127.0.0.1", port=int(sys.argv[1]), processes=int(sys.argv[2]), threads=2,
    memory_mb=150, silent_seconds=2,
)
"""


@pytest.fixture
def start_blocking(tmp_path):
    """Start a server that can be blocked and grown, and return its address and process."""
    with ExitStack() as started:

        def start(processes, *arguments, before=()):
            port = find_free_port()
            server = [sys.executable, "-c", BLOCKING_SERVER, str(port), str(processes), *arguments]
            process = subprocess.Popen(
                [*before, *server],
                cwd=ROOT,
                stderr=started.enter_context((tmp_path / "err").open("wb")),
            )
            started.callback(end, process)
            url = f"http://{HOST}:{port}"
            wait_until(lambda: answers(url))
            return url, process

        yield start


def end(process):
    """End a server without waiting for requests that never end."""
    children = list_children(process)
    process.kill()
    process.wait()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)


def list_children(process):
    return set(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())


def block(url, times):
    """Send requests that are never answered; return what became of them, as they end."""
    ends = []

    def ask():
        try:
            requests.get(f"{url}/block", timeout=120)
        except requests.RequestException as error:
            ends.append(type(error).__name__)

    for _ in range(times):
        threading.Thread(target=ask).start()
    return ends


def test_process_whose_threads_all_hang_is_replaced(start_blocking, tmp_path):
    url, process = start_blocking(1)
    before = list_children(process)
    ends = block(url, 2)
    wait_until(lambda: not answers(url))

    wait_until(lambda: answers(url))

    wait_until(lambda: ends == ["ConnectionError"] * 2)
    assert list_children(process).isdisjoint(before)
    said = (tmp_path / "err").read_text()
    assert "a web process answers nothing; ending it" in said
    assert said.count("in application") == 2, "where each thread hangs"


def test_process_that_stands_still_is_replaced(start_blocking):
    url, process = start_blocking(1)
    (stopped,) = list_children(process)
    os.kill(int(stopped), signal.SIGSTOP)
    assert not answers(url)

    wait_until(lambda: answers(url))

    assert stopped not in list_children(process)


def test_clients_that_stop_reading_hold_no_thread_for_good(start_blocking):
    url, process = start_blocking(1)
    before = list_children(process)
    with ExitStack() as stalled:
        for _ in range(2):
            client = socket.create_connection((HOST, urlsplit(url).port), timeout=30)
            stalled.enter_context(client).sendall(b"GET /export HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: not answers(url))

        wait_until(lambda: answers(url))

    assert list_children(process) == before
    slow = requests.get(f"{url}/export", stream=True, timeout=30)
    taken = 0
    for piece in slow.iter_content(2_500_000):
        time.sleep(0.25)  # in all longer than a client may be that reads nothing
        taken += len(piece)
    assert taken == 50_000_000


def test_process_that_cannot_be_replaced_at_once_is_later(start_blocking, tmp_path):
    url, process = start_blocking(2, "no fork for a while")
    wait_until(lambda: len(list_children(process)) == 2)
    before = list_children(process)
    os.kill(int(min(before)), signal.SIGKILL)

    wait_until(lambda: len(list_children(process) - before) == 1)

    assert len(list_children(process) & before) == 1
    assert (tmp_path / "err").read_text().count("no web process can be started now") == 2


def test_end_of_a_process_that_is_not_its_own_is_none_of_its_business(start_blocking):
    """As where it is the first process of a container, or a shell started others before."""
    helper = 'sleep 1 & exec "$@"'
    url, process = start_blocking(1, before=("sh", "-c", helper, "sh"))
    before = list_children(process)

    wait_until(lambda: len(list_children(process)) == 1)

    assert list_children(process) < before
    time.sleep(2 * TICK_SECONDS)
    assert answers(url, seconds=20)


def test_process_of_which_one_thread_hangs_goes_on(start_blocking):
    url, process = start_blocking(1)
    before = list_children(process)
    block(url, 1)
    until = time.monotonic() + 3.5  # silent for longer than two it would be replaced
    while time.monotonic() < until:
        assert answers(url, seconds=20)
        time.sleep(0.1)

    assert list_children(process) == before


def test_process_that_grew_too_large_is_replaced_while_it_answers(start_blocking):
    url, process = start_blocking(1)
    before = list_children(process)

    assert answers(f"{url}/grow", seconds=20)

    until = time.monotonic() + 30
    while list_children(process) & before:
        assert time.monotonic() < until
        assert requests.get(url, timeout=20).status_code == 200


def test_process_that_dies_at_once_is_started_less_and_less_often():
    restarts = Restarts()
    waits = [round(restarts.plan(time.monotonic()) - time.monotonic()) for _ in range(12)]

    assert waits == [1, 1, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30]
    lived = time.monotonic() - Restarts.YOUNG_SECONDS
    assert round(restarts.plan(lived) - time.monotonic()) == 1


ORDER_SERVER = """
import sys, time
from pathlib import Path
from cli.web_server import serve

answered = []

def application(environ, start_response):
    path = environ["PATH_INFO"]
    while path == "/hold" and not Path(sys.argv[2]).exists():
        time.sleep(0.01)
    answered.append(path)
    start_response("200 OK", [])
    return [" ".join(answered).encode()]

serve(
    application, host="127.0.0.1", port=int(sys.argv[1]), processes=1, threads=1,
    is_urgent=lambda method, path, destination: path == "/urgent",
)
"""


@pytest.fixture
def ask_in_order(tmp_path):
    """Send requests while the only thread is held, and return the order of their answers."""
    with ExitStack() as started:

        def ask(paths, *, pause):
            port, free = find_free_port(), tmp_path / "free"
            free.unlink(missing_ok=True)
            process = subprocess.Popen(
                [sys.executable, "-c", ORDER_SERVER, str(port), str(free)], cwd=ROOT
            )
            started.callback(end, process)
            wait_until(lambda: answers(f"http://{HOST}:{port}/start"))
            clients = [send(port, "/hold")]
            time.sleep(0.1)
            for path in paths:
                clients.append(send(port, path))
                time.sleep(pause)
            time.sleep(0.1)  # by then all of them wait
            free.touch()
            texts = [started.enter_context(client).makefile().read() for client in clients]
            return max(texts, key=len).split("\n")[-1].split(" ")[-len(paths) :]

        yield ask


def send(port, path):
    client = socket.create_connection((HOST, port), timeout=20)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return client


def test_urgent_requests_go_first_and_others_in_order(ask_in_order):
    # A busy machine may let more time pass in between than the urgent are ahead.
    orders = (ask_in_order(["/1", "/2", "/urgent", "/3"], pause=0.02) for _ in range(3))

    assert any(order == ["/urgent", "/1", "/2", "/3"] for order in orders)


def test_urgent_requests_keep_nothing_waiting_that_came_long_before(ask_in_order):
    # A busy machine may read the first one late.
    orders = (
        ask_in_order(["/1", "/urgent", "/urgent"], pause=1.5 * HEAD_START_SECONDS) for _ in range(3)
    )

    assert any(order == ["/1", "/urgent", "/urgent"] for order in orders)


def test_refused_request_is_answered_although_it_names_nothing(shared):
    with socket.create_connection((HOST, shared.port), timeout=20) as client:
        client.sendall(b"\r\nnonsense\r\n\r\n")

        assert client.recv(100).startswith(b"HTTP/1.0 400")


@pytest.mark.skipif(
    int(Path("/proc/sys/net/core/somaxconn").read_text()) < BACKLOG
    or resource.getrlimit(resource.RLIMIT_NOFILE)[0] < BACKLOG,
    reason="the kernel keeps fewer waiting, or too few open files",
)
def test_many_who_come_at_once_are_heard_before_they_are_taken():
    with ExitStack() as closing:
        listener = closing.enter_context(open_listener(HOST, 0))
        clients = [closing.enter_context(socket.socket()) for _ in range(1_500)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        poll = select.poll()
        for client in clients:
            poll.register(client, select.POLLOUT)

        wait_until(lambda: len(poll.poll(0)) == len(clients))


def test_several_are_taken_in_one_turn():
    with ExitStack() as closing:
        listener = closing.enter_context(open_listener(HOST, 0))
        adjustments = Adjustments(sockets=[listener], threads=1, asyncore_use_poll=True)
        sockets = {}
        closing.callback(wasyncore.close_all, sockets)
        server = _Server(None, sockets, adjustments, Pulses(1).begin(), lambda *_: False)
        closing.callback(server.task_dispatcher.shutdown)
        for _ in range(ACCEPTS):
            closing.enter_context(socket.create_connection(listener.getsockname()))
        server.turn()

        assert len(server.active_channels) == ACCEPTS > 1


@pytest.mark.parametrize("milliseconds", range(4))
def test_stop_while_processes_are_started_ends_them_all(milliseconds):
    command = [sys.executable, "-c", SERVER, str(find_free_port())]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: children.read_text())
        time.sleep(milliseconds / 1000)

        process.terminate()

        try:
            assert process.wait(30) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel has to tell of the parent's end")
def test_process_whose_parent_is_killed_as_it_begins_ends_too():
    port = find_free_port()
    late = "import os, time; os.register_at_fork(after_in_child=lambda: time.sleep(1))"
    command = [sys.executable, "-c", f"{late}\n{SERVER}", str(port)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: children.read_text())

        process.kill()

    try:
        wait_until(lambda: not is_taken(port))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def is_taken(port):
    with suppress(ConnectionRefusedError), socket.create_connection((HOST, port), timeout=5):
        return True
    return False


def test_nobody_is_let_in_once_the_end_has_begun(served):
    with socket.create_connection((HOST, served.port)) as slow:
        slow.sendall(BODY)
        served.process.send_signal(signal.SIGTERM)

        def is_closed():
            with suppress(OSError), socket.create_connection((HOST, served.port), timeout=1):
                return False
            return True

        wait_until(is_closed)
        assert served.process.poll() is None
        slow.sendall(b"a" * 994)
        assert slow.recv(100).startswith(b"HTTP/1.1 404")
    assert served.process.wait(20) == 0


def test_restart_on_a_socket_that_is_held_fails_nobody(installation):
    """As systemd does it for a `.socket` unit: who comes in between waits in the socket's queue."""
    failures, count, is_over = [], 0, threading.Event()

    def ask():
        nonlocal count
        while not is_over.is_set():
            try:
                assert requests.get(f"{installation.url}/healthz", timeout=20).status_code == 200
                count += 1
            except (requests.RequestException, AssertionError) as error:
                failures.append(repr(error))

    def wait_for_answers():
        before = count
        wait_until(lambda: count > before + 20 or failures)

    with ExitStack() as ending:
        held = ending.enter_context(socket.create_server((HOST, installation.port), backlog=1024))
        process = start_on(held, installation)
        ending.callback(lambda: process.wait())
        ending.callback(installation.kill)
        for _ in range(4):
            person = threading.Thread(target=ask)
            person.start()
            ending.callback(person.join)
        ending.callback(is_over.set)
        for _ in range(2):
            wait_for_answers()
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
            process = start_on(held, installation)
        wait_for_answers()
        assert failures == []


def start_on(held, installation):
    """Start `flask web` with a socket as its descriptor 3."""
    script = 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3<&' + str(held.fileno())
    return subprocess.Popen(
        ["bash", "-c", script, "bash", *make_command("web", app=ROOT / "app.py")],
        cwd=ROOT,
        env=installation.environ,
        pass_fds=[held.fileno()],
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    ("path", "megabytes", "is_taken"),
    [
        ("/organizer/events/x/people/import", 32, True),
        ("/organizer/events/x/people/import", 34, False),
        ("/organizer/events/x/content", 32, False),
        ("/e/demo", 32, False),
    ],
)
def test_large_bodies_are_taken_where_tables_are_sent_alone(path, megabytes, is_taken):
    parser = _Parser(Adjustments(max_request_body_size=BODY_BYTES))
    parser.received(f"POST {path} HTTP/1.1\r\nContent-Length: {megabytes * 2**20}\r\n\r\n".encode())
    assert (parser.error is None) == is_taken
