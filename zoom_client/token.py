"""Server-to-Server OAuth: one token for every process that shares a store.

Zoom's tokens live an hour, cannot be refreshed and may be several at once; a new one is asked for
a minute before the old one ends, and once after a refusal. Source: Zoom's documentation of
Server-to-Server OAuth, read for the project's contract of 2026-09.
"""

import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeGuard
from urllib.parse import urlencode

from outbound import Deadline, HttpAnswer, HttpPool, MalformedAnswer
from zoom_client.calls import call
from zoom_client.errors import (
    AuthenticationFailed,
    RateLimited,
    ZoomError,
    ZoomOutcomeUnknown,
    ZoomUnreachable,
)
from zoom_client.refusals import read_refusal

_EARLY = timedelta(minutes=1)
_LONGEST_SECONDS = 24 * 3600
_HEADER_WORD = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Credentials:
    """What a Server-to-Server OAuth app of Zoom's marketplace shows its owner."""

    account_id: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """An access token; `expires_at` is aware UTC.

    The regional host that Zoom names beside it is not kept: the global one serves every region, and
    calls go where the client was told to, not where an answer points.
    """

    access_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]


class TokenStore(Protocol):
    """Where processes share one token, for one set of credentials.

    Whoever asks Zoom for a token holds `lock`; those who waited find the new one by `get`. The lock
    is held for the length of one call to Zoom and must not be reentrant; who does not get it within
    `seconds` is left with a TimeoutError. A token is a secret.
    """

    def get(self) -> Token | None: ...

    def put(self, token: Token) -> None: ...

    def lock(self, seconds: float) -> AbstractContextManager[None]: ...


class MemoryTokenStore:
    """Shares a token among the threads of one process."""

    def __init__(self) -> None:
        self._token: Token | None = None
        self._lock = threading.Lock()

    def get(self) -> Token | None:
        return self._token

    def put(self, token: Token) -> None:
        self._token = token

    @contextmanager
    def lock(self, seconds: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=seconds):
            raise TimeoutError
        try:
            yield
        finally:
            self._lock.release()


class TokenSource:
    """Finds a usable token in the store, or asks Zoom for one and puts it there."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        store: TokenStore,
        pool: HttpPool,
        oauth_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._credentials = credentials
        self._store = store
        self._pool = pool
        self._url = f"{oauth_url.rstrip('/')}/oauth/token"
        self._now = now

    def get(self, deadline: Deadline) -> Token:
        """Return a token with a minute or more to live."""
        token = self._store.get()
        return token if self._is_usable(token) else self.renew(token, deadline)

    def get_new(self, deadline: Deadline) -> Token:
        """Return a token made after this question was asked."""
        return self.renew(self._store.get(), deadline)

    def renew(self, refused: Token | None, deadline: Deadline) -> Token:
        """Return another token than the refused one, which a neighbour may have fetched already.

        Every failure leaves the call it was needed for unsent: AuthenticationFailed, RateLimited
        or ZoomUnreachable.
        """
        try:
            with self._store.lock(deadline.positive_seconds()):
                token = self._store.get()
                if self._is_usable(token) and not _is_same(token, refused):
                    return token
                token = self._ask(deadline)
                self._store.put(token)
                return token
        except TimeoutError:
            raise ZoomUnreachable("A neighbour has been asking Zoom for a token") from None

    def _is_usable(self, token: Token | None) -> TypeGuard[Token]:
        return token is not None and token.expires_at - _EARLY > self._now()

    def _ask(self, deadline: Deadline) -> Token:
        credentials = self._credentials
        if not credentials.client_secret:
            raise AuthenticationFailed("There is no client secret")
        pair = f"{credentials.client_id}:{credentials.client_secret}".encode()
        grant = {"grant_type": "account_credentials", "account_id": credentials.account_id}
        asked_at = self._now()
        try:
            answer = call(
                self._pool,
                "POST",
                self._url,
                headers={
                    "Authorization": f"Basic {b64encode(pair).decode()}",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                body=urlencode(grant).encode(),
                deadline=deadline,
            )
            if answer.is_success:
                return _read_token(answer.json_object(), asked_at)
        except (ZoomOutcomeUnknown, MalformedAnswer) as error:
            raise ZoomUnreachable(f"Zoom gave no token: {error}") from None
        raise _read_token_refusal(answer, asked_at)


def _is_same(token: Token, refused: Token | None) -> bool:
    # A store may round the time, so two copies of one token need not be equal.
    return refused is not None and token.access_token == refused.access_token


def _read_token(record: dict[str, Any], asked_at: datetime) -> Token:
    access_token, seconds = record.get("access_token"), record.get("expires_in")
    if not isinstance(access_token, str) or not _HEADER_WORD.fullmatch(access_token):
        raise MalformedAnswer("no access_token")
    if not isinstance(seconds, int) or not 0 < seconds <= _LONGEST_SECONDS:
        raise MalformedAnswer("no expires_in")
    return Token(
        access_token=access_token,
        expires_at=asked_at + timedelta(seconds=seconds),
        scopes=frozenset(str(record.get("scope") or "").split()),
    )


def _read_token_refusal(answer: HttpAnswer, now: datetime) -> ZoomError:
    refusal = read_refusal(answer, method="POST", path="/oauth/token", now=now)
    facts: dict[str, Any] = {"status": answer.status, "tracking_id": refusal.tracking_id}
    try:
        record = answer.json_object()
    except MalformedAnswer:
        record = {}
    if isinstance(refusal, RateLimited):
        return refusal
    if 400 <= answer.status < 500 and "error" in record:
        reason = record.get("reason") or record["error"]
        return AuthenticationFailed(f"Zoom refused the credentials: {reason}", **facts)
    if answer.status == 401:
        return AuthenticationFailed("Zoom refused the credentials", **facts)
    return ZoomUnreachable("Zoom gave no token", **facts)
