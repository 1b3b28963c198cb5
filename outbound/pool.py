"""HTTP with what `requests` alone does not promise: a total deadline, a size cap, one TLS context,
and no way past the rules about hosts.

`requests`' timeout bounds the wait for each piece of an answer, so a server that sends a byte a
second is read for ever; and it loads the certificates anew for every connection, 24 ms of CPU each.
"""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

import certifi
import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util import Timeout

from outbound.connections import Adapter, NotConnected
from outbound.deadline import Deadline
from outbound.errors import AddressRefused, Fault, MalformedAnswer, NoAnswer, NotSent
from outbound.hosts import HostRules

_CHUNK_BYTES = 64 * 1024
_TURN_SECONDS = 1.0


class _AnswerTooLarge(Exception):
    pass


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

    Without `rules` it goes wherever it is told to, for addresses that the operator has chosen. With
    them a host is looked up once, every address found has to be one to go to, and one of these is
    connected to: no second answer of a name server leads elsewhere. With `at_once`, so many calls
    may be under way; who waits for longer than a second for a turn makes none.
    """

    def __init__(
        self,
        *,
        size: int = 32,
        max_bytes: int = 8 * 1024 * 1024,
        max_idle_seconds: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        rules: HostRules | None = None,
        at_once: int | None = None,
    ) -> None:
        self._rules = rules
        self._turns = threading.BoundedSemaphore(at_once) if at_once else None
        self._max_bytes = max_bytes
        self._adapter = Adapter(
            ssl_context or _trust_known_authorities(),
            size=size,
            max_idle_seconds=max_idle_seconds,
            may_connect=rules.may_connect if rules else _go_anywhere,
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

        Raises NotSent where nothing was sent, NoAnswer where something was and no whole answer came
        in time.
        """
        seconds = deadline.remaining_seconds()
        if seconds <= 0:
            raise NotSent(Fault.NO_TIME)
        named = {"Accept": "application/json", **headers}
        try:
            request = requests.Request(method, url, named, params=params, data=body).prepare()
        except requests.RequestException:
            raise NotSent(Fault.SENSELESS_ADDRESS) from None
        # As it will be used: another parser may have found another host in what was given.
        for address in (url, request.url or ""):
            if self._rules and not self._rules.is_safe(address):
                raise AddressRefused
        try:
            with self._take_turn(seconds):
                return self._exchange(request, deadline.positive_seconds())
        # The chains end here: these exceptions quote the URL, which may hold an address.
        except (requests.RequestException, HTTPError, _AnswerTooLarge) as error:
            if failure := _find_connect_failure(error):
                if failure.fault is Fault.REFUSED_ADDRESS:
                    raise AddressRefused from None
                raise NotSent(failure.fault) from None
            raise NoAnswer(_name_fault(error)) from None

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
            raise NotSent(Fault.NO_TURN)

    def _exchange(self, request: requests.PreparedRequest, seconds: float) -> HttpAnswer:
        timeout: Any = Timeout(total=seconds)  # requests' annotations do not know urllib3's class
        with self._adapter.send(request, stream=True, timeout=timeout) as response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._max_bytes:
                    raise _AnswerTooLarge
            return HttpAnswer(response.status_code, response.headers, bytes(content))


def _go_anywhere(host: str, address: str) -> bool:
    return True


def _find_connect_failure(error: Exception) -> NotConnected | None:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return reason if isinstance(reason, NotConnected) else None


def _name_fault(error: Exception) -> Fault:
    if isinstance(error, _AnswerTooLarge):
        return Fault.TOO_LARGE
    cause = error.args[0] if error.args else None
    is_late = isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError)
    return Fault.TIMEOUT if is_late else Fault.BROKEN_ANSWER
