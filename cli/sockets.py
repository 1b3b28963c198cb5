"""The socket that web processes take from: their own, or one that is held across restarts."""

from __future__ import annotations

import os
import socket

_FIRST_DESCRIPTOR = 3

BACKLOG = 4096
"""Who comes while this many wait to be taken is not heard, and asks again after a second or more.

It is as many as Linux allows unless it is told otherwise (`net.core.somaxconn`).
"""


def inherit_listener() -> socket.socket | None:
    """Return the listening socket that systemd hands over for a `.socket` unit, if it does.

    Whoever comes while we are started anew waits in its queue and notices nothing. The protocol is
    that of sd_listen_fds(3).
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    return socket.socket(fileno=_FIRST_DESCRIPTOR)


def open_listener(host: str, port: int) -> socket.socket:
    return socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=BACKLOG,
        dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
    )
