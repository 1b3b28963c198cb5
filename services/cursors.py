"""Cursors: where a list goes on, signed, so that one is of use for its own list alone."""

from __future__ import annotations

from itsdangerous import BadData, URLSafeSerializer

from .keys import KeyRing


class CursorError(Exception):
    """The cursor is not ours, or was given with another list or other filters."""


class Cursors:
    """Writes and reads cursors; `of` names the list with all that narrows it."""

    def __init__(self, keys: KeyRing) -> None:
        # itsdangerous signs with the last key of its list.
        self._serializer = URLSafeSerializer(keys.derive("cursor")[::-1])

    def write(self, of: str, position: int) -> str:
        return str(self._serializer.dumps(position, salt=of.encode()))

    def read(self, of: str, cursor: str) -> int:
        """Return the position after which a list goes on.

        Raises:
            CursorError: it cannot be used here.
        """
        try:
            return int(self._serializer.loads(cursor, salt=of.encode()))
        except (BadData, TypeError, ValueError) as error:
            raise CursorError from error
