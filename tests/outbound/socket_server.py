"""A server that speaks in bytes, for what no proper HTTP server would do."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Handler = Callable[[socket.socket], None]


class SocketServer:
    """Runs the handler for every connection, each in a thread of its own."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None) -> None:
        self.connections = 0
        self._handler = handler
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                conn, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._handle, args=(conn,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _handle(self, conn: socket.socket) -> None:
        with suppress(OSError), conn:
            if self._context is None:
                self._handler(conn)
            else:
                with self._context.wrap_socket(conn, server_side=True) as secured:
                    self._handler(secured)


@contextmanager
def serve(handler: Handler, context: ssl.SSLContext | None = None) -> Iterator[SocketServer]:
    server = SocketServer(handler, context)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def read_request(conn: socket.socket) -> bytes:
    """Read one request with its body; empty at the end of the connection."""
    content = b""
    while b"\r\n\r\n" not in content:
        if not (piece := conn.recv(65536)):
            return b""
        content += piece
    head, _, body = content.partition(b"\r\n\r\n")
    length = next(
        (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-l")),
        0,
    )
    while len(body) < length:
        body += conn.recv(65536)
    return head + b"\r\n\r\n" + body


def drip(conn: socket.socket, content: bytes, *, pause_seconds: float = 0.1) -> None:
    """Send one byte at a time."""
    for index in range(len(content)):
        conn.sendall(content[index : index + 1])
        time.sleep(pause_seconds)


def answer_always(head: bytes, body: bytes = b"") -> Handler:
    """Make a handler that gives every request of a connection the same answer."""

    def handle(conn: socket.socket) -> None:
        while read_request(conn):
            conn.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return handle
