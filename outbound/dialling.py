"""Finding a host and connecting to it, both within one deadline."""

import queue
import socket
import threading
from collections.abc import Sequence
from typing import Any

from urllib3.util.connection import allowed_gai_family, create_connection

from outbound.deadline import Deadline

Address = tuple[str, int]
"""An IP address and a port."""


def dial(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Look a host up and connect to one of its addresses, whichever they are.

    Raises:
        OSError: nothing was sent.
    """
    return connect_to_one(look_up(host, port, deadline), deadline)


def look_up(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Look up the addresses of a host; in a thread, since getaddrinfo knows no timeout."""
    found: queue.SimpleQueue[list[Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
            found.put([(str(address[0]), port) for *_, address in rows])
        except OSError as error:
            found.put(error)
        except UnicodeError as error:
            found.put(socket.gaierror(str(error)))

    threading.Thread(target=ask, name="name-look-up", daemon=True).start()
    try:
        answer = found.get(timeout=deadline.positive_seconds())
    except queue.Empty:
        raise TimeoutError("the name look-up took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def connect_to_one(
    addresses: Sequence[Address], deadline: Deadline, *, socket_options: Any = None
) -> socket.socket:
    """Connect to the first address that answers; the socket's timeout is what is left then."""
    last: OSError = TimeoutError("no address answered")
    for tried, address in enumerate(addresses):
        # One dead address must not use up the time of the others.
        share = deadline.positive_seconds() / (len(addresses) - tried)
        try:
            sock = create_connection(address, share, socket_options=socket_options)
            sock.settimeout(deadline.positive_seconds())
            return sock
        except OSError as error:
            last = error
    raise last
