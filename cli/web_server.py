"""The processes that serve pages: one socket, and for each core a process that answers.

waitress reads requests and writes answers in one thread and hands whole requests to the others, so
that clients which send a byte now and then hold no thread; gunicorn's threads were stopped by a
hundred of them (measured), and its evented workers starve connections.
"""

from __future__ import annotations

import copy
import gc
import re
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

from .pulses import Pulse
from .sockets import open_listener
from .web_processes import DRAIN_SECONDS, SILENT_SECONDS, TICK_SECONDS, WebProcesses

WAITED_SECONDS = "uketsuke.waited_seconds"
"""In the environ of a request: how long it has waited for a thread."""

WAITING = "uketsuke.waiting"
"""How many others wait in the same process."""

CONNECTIONS = 1000
"""How many connections one process keeps; more wait in the socket's queue."""

# Beyond this many, connections that nobody uses make room: browsers keep theirs to be faster later.
CROWDED = 600
IDLE_IN_A_CROWD_SECONDS = 2.0

# Each turn of the loop looks at every connection, and waits for Python's lock: it takes several new
# ones, and one more for so many that it has. Taking one a turn left half of the processor idle.
ACCEPTS = 4
CONNECTIONS_FOR_ANOTHER_ACCEPT = 40

# Who wakes first would take all that come at once, and keep them; who has clearly more lets the
# others go first, for so long that a process which has nothing to do has taken them.
LET_OTHERS_SECONDS = 0.005

# What is not more goes out in one piece, sent by the thread that made it.
ANSWER_BYTES = 64 * 1024

GARBAGE_OBJECTS = 10_000

# What is urgent goes before what came so much earlier, and so keeps nothing waiting for good. In a
# crowd those who only begin wait for about so long.
HEAD_START_SECONDS = 0.2

# Where Linux's `struct tcp_info` says how many milliseconds ago data came (tcp(7), linux/tcp.h).
_LAST_DATA_RECEIVED = struct.Struct("=52xI")
_TCP_INFO_BYTES = 104

# Above what an organizer's pictures may be, so that the page says so; what is longer still is not
# worth a page.
BODY_BYTES = 5 * 1024 * 1024
# A table of people may be larger; nobody else may send as much.
TABLE_BYTES = 33 * 1024 * 1024
_TAKES_TABLES = re.compile(r"/organizer/events/[^/]+/people/import")
# As much as a form may be: what is longer goes to a temporary file, whose disk may be full.
BODY_BYTES_IN_MEMORY = 256 * 1024 + 1
# Browsers send a few kilobytes, and each part of the app reads some of them once more.
HEADER_BYTES = 32 * 1024
IDLE_SECONDS = 30
HEARING_SECONDS = 0.5


IsUrgent = Callable[[str, str, str], bool]


def serve(
    application: Callable[..., Any],
    *,
    host: str,
    port: int,
    listener: socket.socket | None = None,
    processes: int,
    threads: int,
    memory_mb: int = 0,
    silent_seconds: float = SILENT_SECONDS,
    is_urgent: IsUrgent = lambda *_: False,
    at_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then let every process finish what it has begun.

    A process that dies or hangs is replaced; one that ends as it should calls `at_end`. The
    application must hold no connection when this is called: the processes are forks of this one.
    `is_urgent` tells by method, path and `Sec-Fetch-Dest` what goes before the rest.
    """
    # What is here now stays, and need be looked through by no process's garbage collector.
    gc.collect()
    gc.freeze()
    # A request makes some thousands of objects, and nearly all of them go by themselves: to look
    # for the others as often as Python does takes a twentieth of its time.
    gc.set_threshold(GARBAGE_OBJECTS)
    # Shared, so that what waits in its queue outlives a process.
    listener = listener or open_listener(host, port)
    adjustments = Adjustments(
        sockets=[listener],
        threads=threads,
        ident=None,
        connection_limit=CONNECTIONS,
        send_bytes=ANSWER_BYTES,
        channel_timeout=IDLE_SECONDS,
        max_request_body_size=BODY_BYTES,
        max_request_header_size=HEADER_BYTES,
        inbuf_overflow=BODY_BYTES_IN_MEMORY,
        # Whom the app trusts to say where a request came from is its own matter.
        clear_untrusted_proxy_headers=False,
        asyncore_use_poll=True,
    )
    WebProcesses(
        lambda pulse: _answer(application, adjustments, pulse, is_urgent, at_end),
        close=listener.close,
        number=processes,
        memory_mb=memory_mb,
        silent_seconds=silent_seconds,
    ).run()


class _Task(WSGITask):  # type: ignore[misc]
    """One request; tells the application how long it had to wait."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[WAITED_SECONDS] = time.monotonic() - self.channel.began_to_wait_at
        environ[WAITING] = len(self.channel.server.task_dispatcher.queue)
        return environ

    def finish(self) -> None:
        super().finish()
        self.channel.send_answer()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Reads a request; how much of a body is taken depends on the address."""

    # For what was refused before it said as much.
    command = ""
    path = ""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if _TAKES_TABLES.fullmatch(self.path):
            self.adj: Adjustments = copy.copy(self.adj)
            self.adj.max_request_body_size = TABLE_BYTES

    def describe(self) -> tuple[str, str, str]:
        """Return method, path, and for what a browser asks."""
        return self.command, self.path, self.headers.get("SEC_FETCH_DEST", "")


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    parser_class = _Parser
    task_class = _Task
    began_to_wait_at = 0.0
    is_urgent = False

    @property
    def is_busy(self) -> bool:
        """Tell whether a request is coming in or being answered, or an answer still on its way."""
        return self.request is not None or bool(self.requests or self.total_outbufs_len)

    @property
    def is_left_to_its_thread(self) -> bool:
        """Tell whether the thread that makes an answer sends it, as it has not grown large.

        Else the loop would find all the time that something can be sent, and be in its way.
        """
        return bool(self.requests) and self.total_outbufs_len < ANSWER_BYTES

    def writable(self) -> bool:
        return not self.is_left_to_its_thread and bool(super().writable())

    def send_answer(self) -> None:
        """Send what the kernel takes at once; the loop sends the rest."""
        with self.outbuf_lock:
            if self.connected:
                self._flush_exception(self._flush_some, do_close=False)

    def has_stalled(self, since: float) -> bool:
        """Tell whether the client has taken nothing of a large answer since then, or of its rest.

        What is small waits for the thread that makes the answer, whatever the client does.
        """
        if self.is_left_to_its_thread or self.last_activity >= since:
            return False
        self.send_answer()
        return bool(self.total_outbufs_len) and self.last_activity < since


class _Queue:
    """Requests that wait for a thread, in the order in which they came; the urgent come earlier.

    Who is let in as others go on would make both late: those who have begun are to be done first.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Channel]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._heap)

    def append(self, task: _Channel) -> None:
        turn = task.began_to_wait_at - task.is_urgent * HEAD_START_SECONDS
        heappush(self._heap, (turn, next(self._numbers), task))

    def popleft(self) -> _Channel:
        return heappop(self._heap)[2]


class _Server(TcpWSGIServer):  # type: ignore[misc]
    """The listener of one process, and all its connections."""

    channel_class = _Channel

    def __init__(
        self,
        application: Callable[..., Any],
        sockets: dict[int, Any],
        adjustments: Adjustments,
        pulse: Pulse,
        is_urgent: IsUrgent,
    ) -> None:
        self._pulse = pulse
        self._is_urgent = is_urgent
        self._takes_again_at = 0.0
        listener = adjustments.sockets[0]
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.queue = _Queue()
        dispatcher.set_thread_count(adjustments.threads)
        super().__init__(
            application,
            sockets,
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )

    @property
    def is_busy(self) -> bool:
        return any(channel.is_busy for channel in self.active_channels.values())

    def add_task(self, task: _Channel) -> None:
        task.began_to_wait_at = time.monotonic() - _read_seconds_unread(task.socket)
        task.is_urgent = self._is_urgent(*task.requests[0].describe())
        super().add_task(task)

    def turn(self) -> None:
        """Wait until something can be read, written or accepted, and do it."""
        self._pulse.report(len(self.active_channels))
        pause = self._takes_again_at - time.monotonic()
        wait = pause if pause > 0 else TICK_SECONDS
        wasyncore.loop(wait, use_poll=True, map=self._map, count=1)

    def maintenance(self, now: float) -> None:
        """Close connections that nobody uses, also those of clients that no longer read.

        The thread of an answer that grows waits until the client has taken some of it.
        """
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.has_stalled(now - IDLE_SECONDS):
                channel.handle_close()

    def readable(self) -> bool:
        if len(self.active_channels) > CROWDED:
            self._make_room()
        return bool(super().readable()) and self._takes_again_at <= time.monotonic()

    def handle_accept(self) -> None:
        if self._lets_others_go_first():
            return
        for _ in range(ACCEPTS + len(self.active_channels) // CONNECTIONS_FOR_ANOTHER_ACCEPT):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return

    def _lets_others_go_first(self) -> bool:
        now, mine = time.monotonic(), len(self.active_channels)
        has_let_them = now < self._takes_again_at + LET_OTHERS_SECONDS
        if has_let_them or not self._pulse.has_fewer_elsewhere(mine - 2 - mine // 8):
            self._takes_again_at = 0.0
            return False
        self._takes_again_at = now + LET_OTHERS_SECONDS
        return True

    def _make_room(self) -> None:
        channels = self.active_channels.values()
        # In a crowd somebody is heard all the time.
        now = max(channel.last_activity for channel in channels)
        for channel in channels:
            is_old = channel.last_activity + IDLE_IN_A_CROWD_SECONDS < now
            if is_old and not channel.is_busy:
                channel.will_close = True


def _read_seconds_unread(connection: socket.socket) -> float:
    """Return how long ago the last bytes came: so long they have waited for this process to read.

    In a crowd that is most of the wait, and most of it before the connection was taken at all.
    """
    if sys.platform != "linux":
        return 0.0
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:  # it is closed, or none of TCP
        return 0.0
    milliseconds: int = _LAST_DATA_RECEIVED.unpack_from(info)[0]
    return milliseconds / 1_000


def _answer(
    application: Callable[..., Any],
    adjustments: Adjustments,
    pulse: Pulse,
    is_urgent: IsUrgent,
    at_end: Callable[[], None],
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
    server = _Server(pulse.watch(application), sockets, adjustments, pulse, is_urgent)
    while not is_stopping:
        server.turn()
    pulse.leave()
    _take_in_who_waits(adjustments.sockets[0], sockets)
    # Only the listener: the thread that writes answers is still needed.
    wasyncore.dispatcher.close(server)
    now = time.monotonic()
    # Whoever was let in last may not have been heard yet.
    while now + HEARING_SECONDS > time.monotonic() or (
        server.is_busy and now + DRAIN_SECONDS > time.monotonic()
    ):
        wasyncore.loop(0.05, use_poll=True, map=sockets, count=1)
    at_end()


def _take_in_who_waits(listener: socket.socket, sockets: dict[int, Any]) -> None:
    """Accept whom the kernel has greeted already: closing the last listener would cut them off."""
    deadline = time.monotonic() + HEARING_SECONDS
    while select.select([listener], [], [], 0)[0] and time.monotonic() < deadline:
        wasyncore.loop(0, use_poll=True, map=sockets, count=1)
