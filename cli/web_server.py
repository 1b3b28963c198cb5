"""The processes that serve pages: one socket, and for each core a process that answers.

waitress reads requests and writes answers in one thread and hands whole requests to the others, so
that clients which send a byte now and then hold no thread; gunicorn's threads were stopped by a
hundred of them (measured), and its evented workers starve connections.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from .web_processes import DRAIN_SECONDS, SILENT_SECONDS, TICK_SECONDS, Pulse, WebProcesses

CONNECTIONS = 1000
"""How many connections one process keeps; more wait in the socket's queue."""

# Above what a form may be, so that the page says so; what is longer still is not worth a page.
BODY_BYTES = 2 * 1024 * 1024
IDLE_SECONDS = 30
HEARING_SECONDS = 0.5


def serve(
    application: Callable[..., Any],
    *,
    host: str,
    port: int,
    processes: int,
    threads: int,
    memory_mb: int = 0,
    silent_seconds: float = SILENT_SECONDS,
) -> None:
    """Serve until SIGTERM or SIGINT, then let every process finish what it has begun.

    A process that dies or hangs is replaced. The application must hold no connection when this is
    called: the processes are forks of this one.
    """
    # Shared, so that what waits in its queue outlives a process.
    listener = socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=1024,
        dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
    )
    WebProcesses(
        lambda pulse: _answer(application, listener, threads, pulse),
        close=listener.close,
        number=processes,
        memory_mb=memory_mb,
        silent_seconds=silent_seconds,
    ).run()


def _answer(
    application: Callable[..., Any], listener: socket.socket, threads: int, pulse: Pulse
) -> None:
    """Answer requests until SIGTERM, then finish those that were begun."""
    is_stopping = False

    def stop(*_: object) -> None:
        nonlocal is_stopping
        is_stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    sockets: dict[int, Any] = {}
    server = create_server(
        pulse.watch(application),
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
        pulse.report()
    _take_in_who_waits(listener, sockets)
    # Only the listener: the thread that writes answers is still needed.
    wasyncore.dispatcher.close(server)
    now = time.monotonic()
    # Whoever was let in last may not have been heard yet.
    while now + HEARING_SECONDS > time.monotonic() or (
        _is_busy(server) and now + DRAIN_SECONDS > time.monotonic()
    ):
        wasyncore.loop(0.05, use_poll=True, map=sockets, count=1)


def _take_in_who_waits(listener: socket.socket, sockets: dict[int, Any]) -> None:
    """Accept whom the kernel has greeted already: closing the last listener would cut them off."""
    for _ in range(CONNECTIONS):
        if not select.select([listener], [], [], 0)[0]:
            break
        wasyncore.loop(0, use_poll=True, map=sockets, count=1)


def _is_busy(server: Any) -> bool:
    """Tell whether a request is coming in or being answered, or an answer still on its way."""
    return any(
        channel.request is not None or channel.requests or channel.total_outbufs_len
        for channel in server.active_channels.values()
    )
