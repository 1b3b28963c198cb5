"""Pages of lists: how many at once, and the cursor with which the next one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request

from services.cursors import CursorError, Cursors

from ..site import get_site
from .access import refuse_parameter

MOST = 200
USUAL = 50


@dataclass(frozen=True)
class Paging:
    """Which page is asked for: so many at most, after a position.

    `of` names the list with its filters: a cursor of one cannot be used with another.
    """

    of: str
    limit: int
    after: int

    def write_next(self, position: int | None) -> str | None:
        """Return the cursor of the next page, None after the last one."""
        if position is None:
            return None
        return Cursors(get_site().keys).write(self.of, position)


def read_paging(query: Mapping[str, str], organization_id: int) -> Paging:
    """Read `limit` and `cursor`; all other parameters are filters."""
    text = query.get("limit", str(USUAL))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= limit <= MOST:
        refuse_parameter("limit", f"must be a number from 1 to {MOST}")
    filters = sorted((k, v) for k, v in query.items() if k not in ("limit", "cursor"))
    of = f"{organization_id} {request.path}?{urlencode(filters)}"
    if "cursor" not in query:
        return Paging(of, limit, 0)
    try:
        return Paging(of, limit, Cursors(get_site().keys).read(of, query["cursor"]))
    except CursorError:
        refuse_parameter("cursor", "is not one that this list has given with these filters")
        raise
