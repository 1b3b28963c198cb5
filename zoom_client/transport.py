"""HTTP with three promises `requests` alone does not make: a total deadline, a size cap, one TLS
context.

`requests`' timeout bounds the wait for each piece of an answer, so a server that sends a byte a
second is read for ever; and it loads the certificates anew for every connection, 24 ms of CPU each.
"""

import http.client
import io
import json
import math
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Self

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util import Timeout
from urllib3.util.connection import allowed_gai_family, create_connection

from zoom_client.errors import ZoomOutcomeUnknown, ZoomUnreachable

_CHUNK_BYTES = 64 * 1024
_TURN_SECONDS = 1.0

MayConnect = Callable[[str, str], bool]
"""Takes a host's name and one of its IP addresses."""


class Deadline:
    """A moment by which something has to be over."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def sooner(self, seconds: float) -> "Deadline":
        """Return one that comes after so many seconds, but not later than this one."""
        return Deadline(min(seconds, self.remaining_seconds()))

    def postpone(self, seconds: float) -> None:
        self._ends_at += seconds

    def remaining_seconds(self) -> float:
        return self._ends_at - time.monotonic()

    def positive_seconds(self) -> float:
        """Return what is left as a socket takes it: never 0, which means not to wait at all."""
        return max(self.remaining_seconds(), 0.001)


class MalformedAnswer(ValueError):
    """An answer that is not what the call promises."""


class AnswerTooLarge(Exception):
    """More bytes than any answer of Zoom's has."""


class AddressRefused(ZoomUnreachable):
    """Nothing was sent: the host lies where this pool does not go."""


@dataclass(frozen=True)
class HttpAnswer:
    """What came back; header names in any case. Body and headers may hold links and addresses."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json_object(self) -> dict[str, Any]:
        """Read the body as one JSON object, or raise MalformedAnswer."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise MalformedAnswer("no JSON") from error
        if not isinstance(value, dict):
            raise MalformedAnswer("no JSON object")
        return value


@cache
def _trust_known_authorities() -> ssl.SSLContext:
    """Load the certificates once for all pools of the process: it takes 24 ms of CPU."""
    return ssl.create_default_context(cafile=certifi.where())


class HttpPool:
    """Connections that all threads of a process share; make one, keep it and close it.

    Uses a `requests` adapter without a session, so there is no retry, no redirect, no cookie, and
    the environment is not read: no `HTTPS_PROXY` sends the secret another way, no `.netrc` replaces
    a token. `size` is the number of idle connections kept per host; more may be open at once. One
    idle for longer than `max_idle_seconds` is not used again: a router may have dropped it without
    a word, and the call that finds out is one of which nobody knows whether it took effect.
    `may_connect` is asked with the host's name and each of its addresses just before connecting, so
    that no answer of a name server leads past it. With `at_once`, so many calls may be under way;
    who waits for longer than a second for a turn makes none. Errors name the `peer`.
    """

    def __init__(
        self,
        *,
        size: int = 32,
        max_bytes: int = 8 * 1024 * 1024,
        max_idle_seconds: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        may_connect: MayConnect | None = None,
        at_once: int | None = None,
        peer: str = "Zoom",
    ) -> None:
        self._peer = peer
        self._turns = threading.BoundedSemaphore(at_once) if at_once else None
        self._max_bytes = max_bytes
        self._adapter = _Adapter(
            ssl_context or _trust_known_authorities(),
            size=size,
            max_idle_seconds=max_idle_seconds,
            may_connect=may_connect or _go_anywhere,
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        deadline: Deadline,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer:
        """Make one call and return its answer, whatever its status.

        Raises ZoomUnreachable where nothing was sent, ZoomOutcomeUnknown where something was and
        no whole answer came in time.
        """
        seconds = deadline.remaining_seconds()
        if seconds <= 0:
            raise ZoomUnreachable("No time was left to make the call")
        named = {"Accept": "application/json", "User-Agent": "zoom_client", **headers}
        try:
            request = requests.Request(method, url, named, params=params, data=body).prepare()
        except requests.RequestException:
            raise ZoomUnreachable("The address of the call makes no sense") from None
        try:
            with self._take_turn(seconds):
                return self._exchange(request, deadline.positive_seconds())
        # The chains end here: these exceptions quote the URL, which may hold an address.
        except (requests.RequestException, HTTPError, AnswerTooLarge) as error:
            if failure := _find_connect_failure(error):
                kind = AddressRefused if failure.is_refused else ZoomUnreachable
                raise kind(f"No connection to {self._peer}: {failure.why}") from None
            raise ZoomOutcomeUnknown(
                f"No whole answer from {self._peer}: {type(error).__name__}",
                may_have_happened=method != "GET",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()

    @contextmanager
    def _take_turn(self, seconds: float) -> Iterator[None]:
        if self._turns is None:
            yield
        elif self._turns.acquire(timeout=min(seconds, _TURN_SECONDS)):
            try:
                yield
            finally:
                self._turns.release()
        else:
            raise ZoomUnreachable("Others wait for an answer already")

    def _exchange(self, request: requests.PreparedRequest, seconds: float) -> HttpAnswer:
        timeout: Any = Timeout(total=seconds)  # requests' annotations do not know urllib3's class
        with self._adapter.send(request, stream=True, timeout=timeout) as response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._max_bytes:
                    raise AnswerTooLarge
            return HttpAnswer(response.status_code, response.headers, bytes(content))


def _go_anywhere(host: str, address: str) -> bool:
    return True


def _find_connect_failure(error: Exception) -> "_NotConnected | None":
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return reason if isinstance(reason, _NotConnected) else None


class _NotConnected(NewConnectionError):
    """Nothing was sent; `why` is for people and quotes nothing."""

    def __init__(self, conn: HTTPConnection, error: Exception) -> None:
        super().__init__(conn, type(error).__name__)
        self.is_refused = isinstance(error, _Refused)
        self.why = next(text for kind, text in _WHY if isinstance(error, kind))


class _Refused(OSError):
    """No address of the host may be connected to."""


_WHY: tuple[tuple[type[Exception], str], ...] = (
    (_Refused, "its address is not one to go to"),
    (socket.gaierror, "its name was not found"),
    (ssl.SSLCertVerificationError, "its certificate is not accepted"),
    (ssl.SSLError, "TLS failed"),
    (TimeoutError, "it took too long"),
    (ConnectionRefusedError, "it was refused"),
    (Exception, "the network failed"),
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
            raise _NotConnected(self, error) from error

    def _new_conn(self) -> socket.socket:
        deadline = Deadline(float(self.timeout or 0))
        found = _resolve(self._dns_host, self.port, deadline)
        addresses = [row for row in found if self.may_connect(self._dns_host, row[0])]
        last: OSError = TimeoutError("no address answered") if addresses else _Refused()
        for tried, address in enumerate(addresses):
            # One dead address must not use up the time of the others.
            share = deadline.positive_seconds() / (len(addresses) - tried)
            try:
                sock = create_connection(address, share, socket_options=self.socket_options)
                sock.settimeout(deadline.positive_seconds())  # for the TLS handshake
                return sock
            except OSError as error:
                last = error
        raise last


class _DeadlineHttpsConnection(_DeadlineConnect, HTTPSConnection):
    pass


def _resolve(host: str, port: int, deadline: Deadline) -> list[tuple[str, int]]:
    """Look up the addresses of a host; in a thread, since getaddrinfo knows no timeout."""
    found: queue.SimpleQueue[list[tuple[str, int]] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
            found.put([(str(address[0]), port) for *_, address in rows])
        except OSError as error:
            found.put(error)
        except UnicodeError as error:
            found.put(socket.gaierror(str(error)))

    threading.Thread(target=look_up, name="zoom-name-look-up", daemon=True).start()
    try:
        answer = found.get(timeout=deadline.positive_seconds())
    except queue.Empty:
        raise TimeoutError("the name look-up took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


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


class _Adapter(HTTPAdapter):
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
