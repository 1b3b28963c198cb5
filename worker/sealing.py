"""Sealing anew what an older secret of the installation has sealed, so that it may be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.keys import KeyRing
from services.known_secrets import (
    is_in_front,
    is_settled,
    keep_hash_keys,
    list_unkept,
)
from storage import sealed
from storage.ciphers import Cipher, DecryptionError
from storage.models import KnownSecret
from storage.sealed import SealedColumn
from storage.session import Database

BATCH = 500
MOST_BATCHES = 60
"""In one look, which other looks wait for: a few seconds."""
SOON = timedelta(hours=1)
"""When a worker looks again where there was something: others perhaps still write as before."""
LATER = timedelta(days=1)


@dataclass(frozen=True)
class Sealing:
    """What was seen of some values of one kind: how many an older secret opens, or none does."""

    what: str
    older: int
    lost: int
    resealed: int = 0


def count_sealed(database: Database, keys: KeyRing) -> Iterator[Sealing]:
    """Count what is sealed with other secrets than the newest, batch by batch; change nothing.

    What hashes of an older secret are compared with counts as well until it is kept.
    """
    with database.read() as session:
        unkept = len(list_unkept(session, keys)) if is_in_front(session, keys) else 0
    yield Sealing(sealed.describe_column(KnownSecret.__table__.c.hash_keys), unkept, 0)
    for column, older, lost in _look_through(database):
        yield Sealing(sealed.describe_column(column), len(older), lost)


def reseal(database: Database, keys: KeyRing) -> Iterator[Sealing]:
    """Seal anew what older secrets have sealed, batch by batch, each in a transaction of its own.

    It can be broken off after any batch and begun again, and several may do it at once. First of
    all, what hashes of older secrets are compared with is kept: they cannot be made anew.
    """
    with database.read() as session:
        unkept = list_unkept(session, keys)
    if unkept:
        with database.write(is_shown=False) as session:
            keep_hash_keys(session, keys)
    for column, older, lost in _look_through(database):
        resealed = 0
        if older:
            with database.write(is_shown=False) as session:
                cipher = session.info["cipher"]
                resealed = sealed.replace_values(session, column, older, cipher.reseal)
        yield Sealing(sealed.describe_column(column), len(older), lost, resealed)


class Resealing:
    """Goes through all that is sealed, some at each look, where another secret is the newest.

    It begins once others had time to learn of that secret, and only where it stands in front here
    too: while processes with either order run, one would undo what the other does.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        *,
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keys = keys
        self._read_clock = read_clock
        self._walk: Iterator[Sealing] | None = None
        self._older = 0
        self._next_at: datetime | None = None

    def look(self, *, most_batches: int = MOST_BATCHES) -> None:
        """Go on from where the last look stopped."""
        walk = self._walk or self._begin()
        # Whatever ends this look half-way, the next one begins anew.
        self._walk = None
        if walk is None:
            return
        for _ in range(most_batches):
            batch = next(walk, None)
            if batch is None:
                self._next_at = self._read_clock() + (SOON if self._older else LATER)
                return
            self._older += batch.older
        self._walk = walk

    def _begin(self) -> Iterator[Sealing] | None:
        now = self._read_clock()
        if self._next_at is not None and now < self._next_at:
            return None
        if len(self._keys.list_fingerprints()) < 2:
            return None
        with self._database.read() as session:
            if not is_settled(session, self._keys, now=now):
                return None
        self._older = 0
        return reseal(self._database, self._keys)


def _look_through(database: Database) -> Iterator[tuple[SealedColumn, list[Any], int]]:
    """Yield by batches which rows an older secret opens, and the number of those that none does."""
    for column in sealed.list_sealed_columns():
        after = None
        while True:
            with database.read() as session:
                values = sealed.list_values(session, column, after=after, limit=BATCH)
                cipher = session.info["cipher"]
            if not values:
                break
            yield column, *_sort_out(cipher, values)
            after = values[-1][0]


def _sort_out(cipher: Cipher, values: Sequence[tuple[Any, bytes]]) -> tuple[list[Any], int]:
    older, lost = [], 0
    for key, value in values:
        if cipher.is_newest(value):
            continue
        try:
            cipher.decrypt(value)
            older.append(key)
        except DecryptionError:
            lost += 1
    return older, lost
