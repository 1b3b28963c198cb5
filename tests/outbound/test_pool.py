import gzip
import logging
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from outbound import Deadline, Fault, HttpPool, NoAnswer, NotSent
from tests.outbound.socket_server import answer_always, drip, read_request, serve

OK = b"HTTP/1.1 200 OK\r\n"
DEADLINE_SECONDS = 0.5
# What a busy machine may add to the deadline; without one these calls take a minute or more.
SLACK_SECONDS = 10.0


def send(pool, port, *, host="127.0.0.1", method="POST", seconds=5.0, **options):
    return pool.send(
        method,
        f"http://{host}:{port}/v2/users/taro@example.com",
        headers={"Authorization": "Bearer t0ken"},
        deadline=Deadline(seconds),
        **options,
    )


def drip_body(conn):
    read_request(conn)
    conn.sendall(OK + b"Content-Length: 1000\r\n\r\n")
    drip(conn, b"x" * 1000)


def drip_chunks(conn):
    read_request(conn)
    conn.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    drip(conn, b"1\r\nx\r\n" * 1000)


def drip_head(conn):
    read_request(conn)
    drip(conn, OK + b"X-Long: " + b"x" * 1000)


def stay_silent(conn):
    read_request(conn)
    time.sleep(60)


def continue_for_ever(conn):
    read_request(conn)
    while True:
        conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize(
    "handler", [drip_body, drip_chunks, drip_head, stay_silent, continue_for_ever]
)
def test_slow_answer_ends_at_the_deadline(pool, handler):
    with serve(handler) as server:
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="took too long"):
            send(pool, server.port, seconds=DEADLINE_SECONDS)
        took = time.monotonic() - began

    assert DEADLINE_SECONDS <= took < DEADLINE_SECONDS + SLACK_SECONDS


def test_plain_requests_would_read_a_dripping_answer_on(pool):
    """The control of the test above: a timeout per piece does not end the call."""

    def drip_for_two_seconds(conn):
        read_request(conn)
        conn.sendall(OK + b"Content-Length: 20\r\n\r\n")
        drip(conn, b"x" * 20)

    with serve(drip_for_two_seconds) as server:
        began = time.monotonic()
        answer = requests.get(f"http://127.0.0.1:{server.port}/", timeout=DEADLINE_SECONDS)
        took = time.monotonic() - began

    assert len(answer.content) == 20
    assert took > 2 * DEADLINE_SECONDS


def close_silently(conn):
    read_request(conn)


def reset(conn):
    read_request(conn)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_body(conn):
    read_request(conn)
    conn.sendall(OK + b"Content-Length: 100\r\n\r\n{")


def send_malformed_header(conn):
    read_request(conn)
    conn.sendall(OK + b"A line without colon\r\nContent-Length: 100\r\n\r\n{")


def cut_chunk(conn):
    read_request(conn)
    conn.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab")


def speak_nonsense(conn):
    read_request(conn)
    conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def send_false_gzip(conn):
    read_request(conn)
    conn.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")


@pytest.mark.parametrize(
    "handler", [close_silently, reset, cut_body, cut_chunk, speak_nonsense, send_false_gzip]
)
def test_broken_answer_leaves_the_outcome_open(pool, handler):
    with serve(handler) as server, pytest.raises(NoAnswer) as raised:
        send(pool, server.port)

    assert raised.value.fault is Fault.BROKEN_ANSWER
    assert server.connections == 1


def test_endless_answer_is_cut():
    def flood(conn):
        read_request(conn)
        conn.sendall(OK + b"\r\n")
        while True:
            conn.sendall(b"x" * 65536)

    pool = HttpPool(max_bytes=1_000_000)
    with serve(flood) as server, pytest.raises(NoAnswer, match="too large"):
        send(pool, server.port)


@pytest.mark.parametrize(
    "head", [OK, b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n", b"HTTP/1.1 500 No\r\n"]
)
def test_large_answer_is_cut_whatever_its_status_and_packing(head):
    bomb = gzip.compress(bytes(20_000_000))
    pool = HttpPool(max_bytes=1_000_000)
    with (
        serve(answer_always(head + b"Content-Encoding: gzip\r\n", bomb)) as server,
        pytest.raises(NoAnswer, match="too large"),
    ):
        send(pool, server.port)


def test_packed_answer_is_unpacked(pool):
    body = gzip.compress(b'{"a": 1}')
    with serve(answer_always(OK + b"Content-Encoding: gzip\r\n", body)) as server:
        assert send(pool, server.port).json_object() == {"a": 1}


@pytest.mark.parametrize(
    ("head", "body"),
    [(OK, b"{}"), (b"HTTP/1.1 204 No Content\r\n", b""), (b"HTTP/1.1 400 Bad\r\n", b"{}")],
)
def test_connection_serves_the_next_call_too(pool, head, body):
    with serve(answer_always(head, body)) as server:
        for _ in range(3):
            send(pool, server.port)

    assert server.connections == 1


def test_connection_closed_by_zoom_meanwhile_is_replaced(pool):
    is_closed = threading.Event()

    def answer_once(conn):
        read_request(conn)
        conn.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
        conn.close()
        is_closed.set()

    with serve(answer_once) as server:
        send(pool, server.port)
        assert is_closed.wait(10)
        send(pool, server.port)

    assert server.connections == 2


@pytest.mark.parametrize(("max_idle_seconds", "connections"), [(30, 1), (0.05, 2)])
def test_connection_idle_for_long_is_not_used_again(max_idle_seconds, connections):
    pool = HttpPool(max_idle_seconds=max_idle_seconds)
    with serve(answer_always(OK, b"{}")) as server:
        for _ in range(2):
            assert send(pool, server.port).status == 200
            time.sleep(0.1)

    assert server.connections == connections


def test_threads_share_the_pool(pool):
    with serve(answer_always(OK, b"{}")) as server, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(pool, server.port).status, range(200)))

    assert answers == [200] * 200
    assert server.connections <= 8


def test_refused_connection_means_that_nothing_was_sent(pool):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with pytest.raises(NotSent, match="refused"):
        send(pool, port)


def test_unknown_name_means_that_nothing_was_sent(pool, monkeypatch):
    def fail(*_):
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NotSent, match="name was not found"):
        send(pool, 80, host="zoom.example")


def test_name_look_up_that_hangs_ends_at_the_deadline(pool, monkeypatch):
    released = threading.Event()

    def hang(*_):
        released.wait(60)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    with pytest.raises(NotSent, match="took too long"):
        send(pool, 80, host="zoom.example", seconds=DEADLINE_SECONDS)
    took = time.monotonic() - began
    released.set()

    assert took < DEADLINE_SECONDS + SLACK_SECONDS


def test_name_that_is_no_name_is_not_found(pool):
    with pytest.raises(NotSent, match="name was not found"):
        send(pool, 80, host="zoom." + "x" * 64)


def test_second_address_is_tried_when_the_first_is_dead(pool, monkeypatch):
    real = socket.getaddrinfo

    def find_two(host, port, *options):
        if host != "zoom.example":
            return real(host, port, *options)
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", find_two)
    with serve(answer_always(OK, b"{}")) as server:
        assert send(pool, server.port, host="zoom.example").status == 200


@pytest.mark.parametrize("start", ["", "//", "http://[x"])
def test_address_that_makes_no_sense_is_not_told(pool, start):
    with pytest.raises(NotSent) as raised:
        pool.send("GET", f"{start}/taro@example.com", headers={}, deadline=Deadline(1))

    assert "taro" not in f"{raised.value!r}"
    assert raised.value.__suppress_context__


def test_call_without_time_left_is_not_made(pool):
    with serve(answer_always(OK)) as server, pytest.raises(NotSent):
        send(pool, server.port, seconds=0)

    assert server.connections == 0


def test_answer_with_a_malformed_header_is_read_without_a_word(pool, caplog):
    with caplog.at_level(logging.INFO), serve(send_malformed_header) as server:
        assert send(pool, server.port).body == b"{"

    assert caplog.records == []


def test_redirect_is_an_answer_like_any_other(pool):
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
    with serve(answer_always(head)) as server:
        assert send(pool, server.port).status == 302


def test_neither_cookies_nor_environment_change_a_request(pool, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password person\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))
    seen = []

    def answer(conn):
        while request := read_request(conn):
            seen.append(request)
            conn.sendall(OK + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")

    with serve(answer) as server:
        send(pool, server.port)
        send(pool, server.port)

    assert len(seen) == 2
    assert all(b"Bearer t0ken" in request for request in seen)
    assert not any(b"cookie" in request.lower() for request in seen)


def test_answer_keeps_headers_and_body_out_of_its_repr(pool):
    with serve(answer_always(OK + b"X-Person: taro\r\n", b"taro")) as server:
        assert repr(send(pool, server.port)) == "HttpAnswer(status=200)"


@pytest.mark.parametrize("handler", [close_silently, speak_nonsense, cut_body])
def test_nothing_private_is_said_or_logged(pool, caplog, handler):
    with (
        caplog.at_level(logging.INFO),
        serve(handler) as server,
        pytest.raises(NoAnswer) as raised,
    ):
        send(pool, server.port, body=b"jiro@example.com")

    logged = "".join(record.getMessage() for record in caplog.records)
    told = f"{raised.value!r} {raised.value} {logged}"
    assert "example.com" not in told
    assert "t0ken" not in told
    assert raised.value.__suppress_context__


def test_so_many_wait_at_once_and_the_next_makes_no_call(monkeypatch):
    monkeypatch.setattr("outbound.pool._TURN_SECONDS", 0.1)
    is_released = threading.Event()

    def hang(conn):
        read_request(conn)
        is_released.wait(60)

    with (
        HttpPool(at_once=1) as pool,
        serve(hang) as server,
        ThreadPoolExecutor(1) as threads,
    ):
        first = threads.submit(send, pool, server.port, seconds=60)
        while not server.connections:
            time.sleep(0.01)
        with pytest.raises(NotSent, match="others wait"):
            send(pool, server.port)
        is_released.set()
        with pytest.raises(NoAnswer):
            first.result()
        with pytest.raises(NoAnswer):
            send(pool, server.port)

    assert server.connections == 2
