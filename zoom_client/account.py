"""Requests on behalf of one account: with its token, within its budget."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from outbound import Deadline, HttpAnswer, HttpPool, MalformedAnswer
from zoom_client.answers import Record, read_page
from zoom_client.calls import call
from zoom_client.errors import (
    AccountDayLimited,
    AuthenticationFailed,
    BurstLimited,
    HostDayLimited,
    PageTokenExpired,
    RateLimited,
    ScopeMissing,
    ZoomError,
    ZoomOutcomeUnknown,
)
from zoom_client.limits import PAGE_MAX, PAGES_MAX
from zoom_client.pacing import Budget, Label
from zoom_client.refusals import read_refusal
from zoom_client.token import Credentials, Token, TokenSource, TokenStore

T = TypeVar("T")


class Account:
    """Sends requests; the arguments are those of `ZoomClient`."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        token_store: TokenStore,
        api_url: str,
        oauth_url: str,
        pool: HttpPool,
        budget: Budget,
        deadline_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        _check_url(api_url)
        _check_url(oauth_url)
        self._api_url = api_url.rstrip("/")
        self._pool = pool
        self._budget = budget
        self._deadline_seconds = deadline_seconds
        self._now = now
        self._end: Deadline | None = None
        self._tokens = TokenSource(
            credentials, store=token_store, pool=pool, oauth_url=oauth_url, now=now
        )

    def within(self, deadline: Deadline) -> Self:
        """Return this account with all its calls together bound by one deadline."""
        other = copy(self)
        other._end = deadline
        return other

    def get_scopes(self) -> frozenset[str]:
        """Return what the app may do now, which only a new token tells."""
        return self._tokens.get_new(self._set_deadline()).scopes

    def get_granted_scopes(self) -> frozenset[str]:
        """Return what the app could do when its token was made, at most an hour ago."""
        return self._tokens.get(self._set_deadline()).scopes

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[Record], T],
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        **cost: Any,
    ) -> T:
        """Make one call and read its answer."""
        answer = self.send(method, path, params=params, body=body, **cost)
        try:
            return read(answer.json_object())
        except MalformedAnswer as error:
            raise ZoomOutcomeUnknown(
                f"Zoom's answer makes no sense: {error}",
                may_have_happened=method != "GET",
                status=answer.status,
                tracking_id=answer.headers.get("x-zm-trackingid"),
            ) from None

    def walk(
        self,
        path: str,
        rows_key: str,
        read: Callable[[Record], T],
        params: Mapping[str, str],
        *,
        page_size: int = PAGE_MAX,
        label: Label = Label.MEDIUM,
    ) -> Iterator[T]:
        """Read a list, one call for each page."""
        if not 1 <= page_size <= PAGE_MAX:
            raise ValueError(f"page_size must be 1 to {PAGE_MAX}")
        query = dict(params) | {"page_size": str(page_size)}
        seen: set[str] = set()
        while len(seen) < PAGES_MAX:
            rows, next_page = self.ask(
                "GET",
                path,
                lambda page: read_page(page, rows_key, read),
                params=query,
                label=label,
                is_walk=True,
            )
            yield from rows
            if not next_page:
                return
            if next_page in seen:
                raise PageTokenExpired("The token of the next page leads back to an earlier page")
            seen.add(next_page)
            query["next_page_token"] = next_page
        raise PageTokenExpired(f"The list has no end after {PAGES_MAX} pages")

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        label: Label = Label.LIGHT,
        is_walk: bool = False,
        host: str = "",
    ) -> HttpAnswer:
        """Make one call; a token that is refused, or lacks a scope, is replaced once."""
        deadline = self._set_deadline()
        content = None if body is None else json.dumps(body).encode()

        def send_with(token: Token) -> HttpAnswer:
            # With the token in hand: whoever waited for one would send at the same moment.
            self._take_from_budget(deadline, label, is_walk=is_walk, host=host)
            headers = {"Authorization": f"Bearer {token.access_token}"}
            if content is not None:
                headers["Content-Type"] = "application/json"
            answer = call(
                self._pool,
                method,
                self._api_url + path,
                headers=headers,
                params=params,
                body=content,
                deadline=deadline,
            )
            if answer.is_success:
                return answer
            refusal = read_refusal(answer, method=method, path=path, now=self._now())
            self._learn_limit(refusal, label, host)
            raise refusal

        token = self._tokens.get(deadline)
        try:
            return send_with(token)
        except AuthenticationFailed:
            token = self._tokens.renew(token, deadline)
        except ScopeMissing:
            # A token keeps the scopes it was made with; those granted since come with the next.
            newer = self._tokens.renew(token, deadline)
            if newer.scopes == token.scopes:
                raise
            token = newer
        return send_with(token)

    def _take_from_budget(
        self, deadline: Deadline, label: Label, *, is_walk: bool, host: str
    ) -> None:
        began = time.monotonic()
        if host:
            self._budget.take(f"host:{host}")
        # A walk that is bound as a whole lets nobody go first: somebody waits for it.
        self._budget.take(label, is_walk=is_walk and self._end is None)
        if self._end is None:
            deadline.postpone(time.monotonic() - began)

    def _set_deadline(self) -> Deadline:
        if self._end is None:
            return Deadline(self._deadline_seconds)
        return self._end.sooner(self._deadline_seconds)

    def _learn_limit(self, refusal: ZoomError, label: Label, host: str) -> None:
        """Tell all who share the account what one of them was told."""
        if not isinstance(refusal, RateLimited) or refusal.retry_after is None:
            return
        if isinstance(refusal, BurstLimited | AccountDayLimited):
            self._budget.close(label, refusal.retry_after)
        elif isinstance(refusal, HostDayLimited) and host:
            self._budget.close(f"host:{host}", refusal.retry_after)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    schemes = ("https", "http") if _is_loopback(host) else ("https",)
    if not host or parts.scheme not in schemes:
        raise ValueError(f"Zoom's address must begin with https://, not {url!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
