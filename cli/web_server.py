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
import sys
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

_ENDINGS = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger(__name__)


def serve(
    application: Callable[..., Any], *, host: str, port: int, processes: int, threads: int
) -> None:
    """Serve until SIGTERM or SIGINT, then let every process finish what it has begun.

    A process that dies is replaced. The application must hold no connection when this is called:
    the processes are forks of this one.
    """
    # Shared, so that what waits in its queue outlives a process.
    listener = socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=1024,
        dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
    )
    _Processes(listener, lambda: _answer(application, listener, threads), processes).run()


class _Processes:
    """Forks of this process, as many as are wanted, that take from one listener."""

    def __init__(self, listener: socket.socket, work: Callable[[], None], number: int) -> None:
        self._listener = listener
        self._work = work
        self._number = number
        self._running: set[int] = set()
        self._is_stopping = False

    def run(self) -> None:
        for number in _ENDINGS:
            signal.signal(number, self._stop)
        while not self._is_stopping:
            while len(self._running) < self._number and not self._is_stopping:
                self._fork()
            status = self._wait()
            if not self._is_stopping:
                log.error("a web process ended; starting another one", extra={"status": status})
                time.sleep(TICK_SECONDS)
        while self._running:
            self._wait()

    def _fork(self) -> None:
        # Until either side knows what to do with it: a child that never heard of the end stays.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
        if not self._is_stopping:
            number = os.fork()
            if number == 0:
                os._exit(self._be_child())
            self._running.add(number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)

    def _be_child(self) -> int:
        try:
            if sys.platform == "linux":
                end_with_parent()
            self._work()
        except Exception:
            # The last place that can say why: beyond it stands the fork's copy of the parent.
            log.exception("a web process failed")
            return 1
        return 0

    def _wait(self) -> int:
        number, status = os.wait()
        self._running.discard(number)
        return os.waitstatus_to_exitcode(status)

    def _stop(self, *_: object) -> None:
        self._is_stopping = True
        # Else the kernel would go on greeting people whom nobody will answer.
        self._listener.close()
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
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
    sockets: dict[int, Any] = {}
    server = create_server(
        application,
        map=sockets,
        sockets=[listener],
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
    """Tell whether a request is coming in or being answered, or an answer still on its way."""
    return any(
        channel.request is not None or channel.requests or channel.total_outbufs_len
        for channel in server.active_channels.values()
    )
