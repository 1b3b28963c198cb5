"""Keep records in one SQLite file, so that a restarted sandbox knows what it knew."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class StateFile:
    """Write each record through as it changes. The caller holds the sandbox's lock.

    Without a path the records live in memory and end with the process.
    """

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None
        )
        # A test bench may lose its last records in a power cut; waiting for the disk costs more.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record"
            " (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
        )

    def put(self, kind: str, key: object, body: dict[str, Any]) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (kind, str(key), json.dumps(body))
        )

    def drop(self, kind: str, key: object) -> None:
        self._db.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, str(key)))

    def load(self, kind: str) -> Iterator[dict[str, Any]]:
        rows = self._db.execute("SELECT body FROM record WHERE kind = ? ORDER BY rowid", (kind,))
        return (json.loads(body) for (body,) in rows.fetchall())

    def clear(self) -> None:
        self._db.execute("DELETE FROM record")

    def close(self) -> None:
        self._db.close()
