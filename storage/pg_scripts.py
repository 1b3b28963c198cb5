"""Playing what `pg_restore` writes as SQL into a transaction of ours.

By itself it would commit before we are done; and `psql` would follow commands that somebody may
have put into the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice, takewhile
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

_COPY = re.compile(rb"COPY .* FROM stdin;\n")
_END_OF_ROWS = b"\\.\n"
_ROWS_AT_ONCE = 1_000
# Newer programs write a setting that older servers do not know; `\restrict` is for psql.
_LEFT_OUT = re.compile(rb"SET transaction_timeout = |\\(un)?restrict ")
_SETTING = re.compile(rb"SET (?=\w+ = )")
_NO_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);\n"
_NO_PATH_FOR_NOW = _NO_PATH.replace(b"false", b"true")


class ScriptRefused(Exception):
    """The server refused a statement; the message is its own, in one line."""


def play(connection: Connection, script: Iterable[bytes]) -> None:
    """Run a script's lines in the transaction that is open; what they set ends with it.

    Raises:
        ScriptRefused: nothing of the transaction can be kept.
    """
    driver: Any = connection.dialect.loaded_dbapi
    path = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
    pooled: Any = connection.connection
    try:
        with pooled.driver_connection.cursor() as cursor:
            _play(cursor, iter(script))
    except driver.Error as error:
        raise ScriptRefused(str(error).strip().partition("\n")[0]) from error
    connection.execute(text("SELECT set_config('search_path', :path, true)"), {"path": path})


def _play(cursor: Any, lines: Iterator[bytes]) -> None:
    statements: list[bytes] = []
    for line in lines:
        if _COPY.fullmatch(line):
            _run(cursor, statements)
            with cursor.copy(line) as copying:
                rows = takewhile(lambda row: row != _END_OF_ROWS, lines)
                while some := b"".join(islice(rows, _ROWS_AT_ONCE)):
                    copying.write(some)
        elif not _LEFT_OUT.match(line):
            statements.append(_keep_within(line))
    _run(cursor, statements)


def _run(cursor: Any, statements: list[bytes]) -> None:
    # Without parameters several go at once, and a `%` is nothing but that.
    cursor.execute(b"".join(statements))
    statements.clear()


def _keep_within(line: bytes) -> bytes:
    """Have a setting end with the transaction: the connection is used for more."""
    return _NO_PATH_FOR_NOW if line == _NO_PATH else _SETTING.sub(b"SET LOCAL ", line)
