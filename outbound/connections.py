"""Connections that keep to a deadline, and connect only to addresses that may be connected to."""

import http.client
import io
import math
import socket
import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from outbound.deadline import Deadline
from outbound.dialling import connect_to_one, look_up
from outbound.errors import Fault

MayConnect = Callable[[str, str], bool]
"""Takes a host's name and one of its IP addresses."""


class NotConnected(NewConnectionError):
    """Nothing was sent."""

    def __init__(self, conn: HTTPConnection, error: Exception) -> None:
        super().__init__(conn, type(error).__name__)
        self.fault = next(fault for kind, fault in _FAULTS if isinstance(error, kind))


class _Refused(OSError):
    """The host has an address that may not be connected to."""


_FAULTS: tuple[tuple[type[Exception], Fault], ...] = (
    (_Refused, Fault.REFUSED_ADDRESS),
    (socket.gaierror, Fault.UNKNOWN_NAME),
    (ssl.SSLCertVerificationError, Fault.CERTIFICATE),
    (ssl.SSLError, Fault.TLS),
    (TimeoutError, Fault.TIMEOUT),
    (ConnectionRefusedError, Fault.REFUSED_CONNECTION),
    (Exception, Fault.NETWORK),
)


class _DeadlineStream(io.RawIOBase):
    """Bytes of a socket, each wait bounded by what is left until the deadline."""

    def __init__(self, sock: socket.socket, stream: io.RawIOBase, deadline: Deadline) -> None:
        self._sock = sock
        self._stream = stream
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        seconds = self._deadline.remaining_seconds()
        if seconds <= 0:  # bytes that keep coming would never make the socket time out
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(seconds)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # urllib3 has just set the socket's timeout to what is left of the call's total.
        deadline = Deadline(sock.gettimeout() or 0)
        self.fp = io.BufferedReader(_DeadlineStream(sock, self.fp.detach(), deadline))

    def begin(self) -> None:
        super().begin()
        # urllib3 logs a malformed header together with the URL, which may hold an address.
        self.headers.defects.clear()
        self.headers.set_payload("")


class _DeadlineConnect(HTTPConnection):
    """Looks the name up and connects within one timeout, and says when that was what failed."""

    response_class = _DeadlineResponse
    idle_since = math.inf
    may_connect: MayConnect

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, HTTPError) as error:
            raise NotConnected(self, error) from error

    def _new_conn(self) -> socket.socket:
        deadline = Deadline(float(self.timeout or 0))
        addresses = look_up(self._dns_host, self.port, deadline)
        # Of several one is chosen by luck: a host that also has an address of ours is refused.
        if not all(self.may_connect(self._dns_host, address) for address, _ in addresses):
            raise _Refused
        # What its time-out is then bounds the TLS handshake.
        return connect_to_one(addresses, deadline, socket_options=self.socket_options)


class _DeadlineHttpsConnection(_DeadlineConnect, HTTPSConnection):
    pass


class _HttpConnectionPool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnect

    def __init__(
        self, *args: Any, max_idle_seconds: float, may_connect: MayConnect, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._max_idle_seconds = max_idle_seconds
        self._may_connect = may_connect

    def _new_conn(self) -> Any:
        conn: Any = super()._new_conn()
        conn.may_connect = self._may_connect
        return conn

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout)
        if time.monotonic() - conn.idle_since > self._max_idle_seconds:
            conn.close()
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)


class _HttpsConnectionPool(_HttpConnectionPool, HTTPSConnectionPool):
    ConnectionCls = _DeadlineHttpsConnection


class Adapter(HTTPAdapter):
    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        size: int,
        max_idle_seconds: float,
        may_connect: MayConnect,
    ) -> None:
        self._context = context
        self._options: dict[str, Any] = {
            "max_idle_seconds": max_idle_seconds,
            "may_connect": may_connect,
        }
        super().__init__(pool_maxsize=size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: partial(pool, **self._options)
            for scheme, pool in (("http", _HttpConnectionPool), ("https", _HttpsConnectionPool))
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the certificates to the context: a file named here is loaded per connection."""
