"""Long lists, page by page."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from zoom_sandbox.answers import stale_page_token
from zoom_sandbox.calls import Call

T = TypeVar("T")
TOKEN_LIFETIME = timedelta(minutes=15)
_DEFAULT_SIZE = 30


class _Bookmark(NamedTuple):
    last_key: str
    query: dict[str, str]
    path: dict[str, str]
    expires_at: datetime


def page_of(
    call: Call, rows: Sequence[T], key: Callable[[T], str]
) -> tuple[Sequence[T], dict[str, Any]]:
    """Cut the page that is asked for out of rows ordered by `key`; return it and its frame.

    A page goes on after the key the one before ended with, so rows that come and go between two
    calls neither repeat nor hide others.
    """
    size = int(call.query.get("page_size", _DEFAULT_SIZE))
    number = int(call.query.get("page_number", 1))
    token = call.query.get("next_page_token")
    if token:
        last_key = _read_bookmark(call, token).last_key
        remaining = [row for row in rows if key(row) > last_key]
    else:
        remaining = list(rows[(number - 1) * size :])
    page = remaining[:size]
    frame = {
        "page_count": -(-len(rows) // size),
        "page_number": number,
        "page_size": size,
        "total_records": len(rows),
        "next_page_token": _place_bookmark(call, key(page[-1])) if remaining[size:] else "",
    }
    return page, frame


def _place_bookmark(call: Call, last_key: str) -> str:
    token = secrets.token_urlsafe(24)
    call.sandbox.page_tokens[token] = _Bookmark(
        last_key, _query_to_repeat(call), call.path, call.sandbox.clock.now() + TOKEN_LIFETIME
    )
    return token


def _read_bookmark(call: Call, token: str) -> _Bookmark:
    """Accept a token for fifteen minutes, and only with the query it was given for."""
    bookmark: _Bookmark | None = call.sandbox.page_tokens.get(token)
    if (
        bookmark is None
        or bookmark.query != _query_to_repeat(call)
        or bookmark.path != call.path
        or bookmark.expires_at <= call.sandbox.clock.now()
    ):
        raise stale_page_token()
    return bookmark


def _query_to_repeat(call: Call) -> dict[str, str]:
    return {k: v for k, v in call.query.items() if k not in ("next_page_token", "page_number")}
