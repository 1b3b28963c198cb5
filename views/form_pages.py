"""Fresh forms as bytes: drawn once, then only the token is put in.

The page is the same for everybody but its token: what it shows depends on the event's version, its
state, the seats shown, the language and the address asked for, which together are its key.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

TOKEN_MARK = secrets.token_urlsafe(24)
"""Where the token goes: nobody's text can hold it."""

MAX_KEPT = 200


class KeptPages:
    """The pages drawn last, each split where its token goes."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Hashable, tuple[bytes, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, token: str, draw: Callable[[], str]) -> bytes:
        """Return the page of this key with a token in it, drawing it if need be."""
        halves = self._pages.get(key)
        if halves is None:
            head, tail = draw().encode().split(TOKEN_MARK.encode())
            halves = (head, tail)
            with self._lock:
                self._pages[key] = halves
                while len(self._pages) > MAX_KEPT:
                    self._pages.popitem(last=False)
        return token.encode().join(halves)
