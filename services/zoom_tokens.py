"""The Zoom token that all processes share through the database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from storage import organizations
from storage.ciphers import DecryptionError
from storage.session import Database
from zoom_client import Token

LEASE = timedelta(seconds=15)
POLL_SECONDS = 0.05


class SharedTokenStore:
    """Keeps one connection's token; implements `zoom_client.TokenStore`.

    The lock is a lease on the row, not a transaction: asking Zoom for a token takes time, and
    nobody may wait for the database meanwhile. A holder that dies frees it after 15 seconds; one
    that is late leaves the lease of its successor alone. `owner` names account and app: a token of
    others, which somebody stored who did not know yet that they had changed, is as good as none.
    """

    def __init__(
        self,
        database: Database,
        connection_id: int,
        *,
        owner: str,
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._connection_id = connection_id
        self._owner = owner
        self._read_clock = read_clock
        self._threads = threading.Lock()

    def get(self) -> Token | None:
        """Return the token, or None; one of a key that was replaced is as good as none."""
        try:
            with self._database.read() as session:
                document = organizations.read_token(session, self._connection_id)
        except DecryptionError:
            return None
        return None if document is None else _load(document, self._owner)

    def put(self, token: Token) -> None:
        document = _dump(token, self._owner)
        with self._database.write() as session:
            organizations.write_token(session, self._connection_id, document)

    @contextmanager
    def lock(self, seconds: float) -> Iterator[None]:
        ends_at = time.monotonic() + seconds
        if not self._threads.acquire(timeout=seconds):
            raise TimeoutError
        try:
            until = self._wait_for_lease(ends_at)
            try:
                yield
            finally:
                with self._database.write() as session:
                    organizations.drop_token_lease(session, self._connection_id, until=until)
        finally:
            self._threads.release()

    def _wait_for_lease(self, ends_at: float) -> datetime:
        """Return the end of the lease taken, which no other lease shares."""
        while (until := self._take_lease()) is None:
            if time.monotonic() >= ends_at:
                raise TimeoutError
            time.sleep(POLL_SECONDS)
        return until

    def _take_lease(self) -> datetime | None:
        now = self._read_clock()
        with self._database.write() as session:
            is_taken = organizations.take_token_lease(
                session, self._connection_id, until=now + LEASE, now=now
            )
        return now + LEASE if is_taken else None


def _dump(token: Token, owner: str) -> str:
    return json.dumps(
        {
            "owner": owner,
            "access_token": token.access_token,
            "expires_at": token.expires_at.isoformat(),
            "scopes": sorted(token.scopes),
        }
    )


def _load(document: str, owner: str) -> Token | None:
    values = json.loads(document)
    if values.get("owner") != owner:
        return None
    return Token(
        access_token=values["access_token"],
        expires_at=datetime.fromisoformat(values["expires_at"]),
        scopes=frozenset(values["scopes"]),
    )
