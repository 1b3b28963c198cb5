"""What happened at the forms, counted in memory, and every few seconds in the database.

Each process counts by itself; the database adds up. What a killed process had not stored yet is
lost, which registrations never are.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from services.limits import name_network
from storage.session import Database
from storage.visits import OTHER, Visit, add_visits

log = logging.getLogger(__name__)

STORE_SECONDS = 5.0
MOST_COUNTS = 2_000
"""So many different ones are told apart between two stores."""

MOST_OF_A_NETWORK = 600
"""So many are counted of one network in a minute: an office opens a form at once, too."""

MOST_NETWORKS = 10_000


class VisitCounter:
    """The counts of one process that are not stored yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._counts: Counter[Visit] = Counter()
        self._tags: dict[str, Mapping[str, str]] = {}
        self._timer: threading.Timer | None = None

    def add(self, visits: Iterable[Visit], tags: Mapping[str, str]) -> None:
        """Count each once; `tags` are those of their origin."""
        with self._lock:
            for visit in visits:
                self._add(visit, 1, tags)
            # A thread that could not be had, or stayed behind in a fork's parent, stores nothing.
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(STORE_SECONDS, self.store)
                self._timer.daemon = True
                with suppress(RuntimeError):
                    self._timer.start()

    def store(self) -> None:
        """Store what was counted; what cannot be stored now is tried again with the next."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            tags, self._tags = self._tags, {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if not counts:
            return
        try:
            # No page shows them: what is kept of the forms that all see stays.
            with self._database.write(is_shown=False) as session:
                add_visits(session, counts, tags)
        except SQLAlchemyError as error:
            log.warning("visits are not stored yet", extra={"error": type(error).__name__})
            with self._lock:
                for visit, count in counts.items():
                    self._add(visit, count, tags.get(visit.origin, {}))

    def _add(self, visit: Visit, count: int, tags: Mapping[str, str]) -> None:
        if visit not in self._counts and len(self._counts) >= MOST_COUNTS:
            visit = replace(visit, origin=visit.origin and OTHER)
        elif tags and visit.origin:
            self._tags[visit.origin] = tags
        self._counts[visit] += count


class NetworkTally:
    """How often each network was counted in this minute, under names that nobody can turn back."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: Counter[bytes] = Counter()

    def may_count(self, remote_addr: str | None) -> bool:
        """Count one, unless the network had its share."""
        network = name_network(remote_addr or "").encode()
        name = hashlib.blake2b(network, key=self._key, digest_size=8).digest()
        minute = int(time.monotonic() / 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            if name not in self._counts and len(self._counts) >= MOST_NETWORKS:
                return False
            self._counts[name] += 1
            return self._counts[name] <= MOST_OF_A_NETWORK
