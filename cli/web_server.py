"""The processes that serve pages: one socket, and for each core a process that answers.

waitress reads requests and writes answers in one thread and hands whole requests to the others, so
that clients which send a byte now and then hold no thread; gunicorn's threads were stopped by a
hundred of them (measured), and its evented workers starve connections.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from .supervisor import end_with_parent

CONNECTIONS = 1000
"""How many connections one process keeps; more wait in the socket's queue."""

# Above what a form may be, so that the page says so; what is longer still is not worth a page.
BODY_BYTES = 2 * 1024 * 1024
IDLE_SECONDS = 30
DRAIN_SECONDS = 30.0
TICK_SECONDS = 0.5

log = logging.getLogger(__name__)


def serve(
    application: Callable[..., Any], *, host: str, port: int, processes: int, threads: int
) -> None:
    """Serve until SIGTERM or SIGINT, then let every process finish what it has begun.

    A process that dies is replaced. The application must hold no connection when this is called:
    the processes are forks of this one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Shared, so that what waits in its queue outlives a process.
    with socket.create_server((host, port), family=family, backlog=1024) as listener:
        _Processes(lambda: _answer(application, listener, threads), processes).run()


class _Processes:
    """Forks of this process, as many as are wanted."""

    def __init__(self, work: Callable[[], None], number: int) -> None:
        self._work = work
        self._number = number
        self._running: set[int] = set()
        self._is_stopping = False

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while not self._is_stopping:
            while len(self._running) < self._number and not self._is_stopping:
                self._fork()
            self._wait()
            if not self._is_stopping:
                log.error("a web process ended; starting another one")
                time.sleep(TICK_SECONDS)
        while self._running:
            self._wait()

    def _fork(self) -> None:
        number = os.fork()
        if number == 0:
            end_with_parent()
            try:
                self._work()
            finally:
                logging.shutdown()
                os._exit(0)
        self._running.add(number)

    def _wait(self) -> None:
        with suppress(ChildProcessError):
            number, _status = os.wait()
            self._running.discard(number)

    def _stop(self, *_: object) -> None:
        self._is_stopping = True
        for number in self._running:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGTERM)


def _answer(application: Callable[..., Any], listener: socket.socket, threads: int) -> None:
    """Answer requests until SIGTERM, then finish those that were begun."""
    is_stopping = False

    def stop(*_: object) -> None:
        nonlocal is_stopping
        is_stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when
    sockets: dict[int, Any] = {}
    server = create_server(
        application,
        map=sockets,
        sockets=[listener.dup()],
        threads=threads,
        ident=None,
        connection_limit=CONNECTIONS,
        channel_timeout=IDLE_SECONDS,
        max_request_body_size=BODY_BYTES,
        # Whom the app trusts to say where a request came from is its own matter.
        clear_untrusted_proxy_headers=False,
        asyncore_use_poll=True,
    )
    while not is_stopping:
        wasyncore.loop(TICK_SECONDS, use_poll=True, map=sockets, count=1)
    # Only the listener: the thread that writes answers is still needed.
    wasyncore.dispatcher.close(server)
    deadline = time.monotonic() + DRAIN_SECONDS
    while _is_busy(server) and time.monotonic() < deadline:
        wasyncore.loop(0.05, use_poll=True, map=sockets, count=1)


def _is_busy(server: Any) -> bool:
    """Tell whether a request is being answered, or an answer is still on its way."""
    return any(
        channel.requests or channel.total_outbufs_len for channel in server.active_channels.values()
    )
