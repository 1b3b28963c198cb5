"""Visitors that follow a script over HTTP, as threads of this process."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

HOST = "127.0.0.1"
SECONDS = 20
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


class UnexpectedAnswer(Exception):
    """A site did not answer as the script says; what was measured is worth nothing."""


@dataclass(frozen=True)
class Script:
    """What a visitor of one site does.

    `token` finds the form's token in the page. The POST is answered with `status`; 303 leads to
    one more page. The page at the end contains `done`.
    """

    port: int
    path: str
    token: re.Pattern[bytes]
    fields: Mapping[str, str | list[str]]
    status: int
    done: bytes


@dataclass
class Visits:
    """What came of one turn of visitors."""

    count: int = 0
    seconds: float = 0.0
    errors: list[Exception] = field(default_factory=list)


class Browser:
    """One visitor's connection to a site, with the cookie that it was given last."""

    def __init__(self, port: int, *, keeps_connection: bool = True) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=SECONDS)
        # A proxy stands before the site, and everybody comes from another network.
        self._headers = {
            "Accept-Language": "ja,en;q=0.8",
            "X-Forwarded-For": f"10.{'.'.join(str(byte) for byte in secrets.token_bytes(3))}",
            "X-Forwarded-Proto": "http",
        }
        if not keeps_connection:
            self._headers["Connection"] = "close"

    def ask(self, method: str, path: str, *, body: str = "", status: int) -> tuple[bytes, str]:
        """Return the page and where it leads to."""
        headers = self._headers | FORM_TYPE if body else self._headers
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        page = answer.read()
        if answer.status != status:
            raise UnexpectedAnswer(f"{method} {path}: {answer.status} {page[:300]!r}")
        if cookie := answer.headers["Set-Cookie"]:
            self._headers["Cookie"] = cookie.partition(";")[0]
        return page, answer.headers["Location"] or ""

    def forget_cookie(self) -> None:
        """Be somebody else on the same connection, as behind a proxy."""
        self._headers.pop("Cookie", None)

    def close(self) -> None:
        self._connection.close()


def look(script: Script, browser: Browser) -> tuple[str, str]:
    """Open the form page; return name and value of its token."""
    page, _ = browser.ask("GET", script.path, status=200)
    found = script.token.search(page)
    if found is None:
        raise UnexpectedAnswer(f"{script.path} has no token")
    return found[1].decode(), found[2].decode()


def register(script: Script) -> None:
    """Open the form, send it and see the page that says so, as somebody new."""
    browser = Browser(script.port)
    name, token = look(script, browser)
    email = f"visitor-{secrets.token_hex(8)}@example.com"
    body = urlencode({**script.fields, name: token, "email": email}, doseq=True)
    page, target = browser.ask("POST", script.path, body=body, status=script.status)
    if target:
        parts = urlsplit(target)
        page, _ = browser.ask("GET", f"{parts.path}?{parts.query}", status=200)
    if script.done not in page:
        raise UnexpectedAnswer(f"not registered: {page[:300]!r}")
    browser.close()


def send_visitors(
    make_visit: Callable[[], Callable[[], None]], *, count: int, seconds: float
) -> Visits:
    """Have `count` visitors at once do their visits again and again for some seconds.

    Raises:
        UnexpectedAnswer, OSError: the first thing that went wrong.
    """
    visits, lock = Visits(), threading.Lock()
    deadline = time.perf_counter() + seconds

    def go() -> None:
        done = 0
        try:
            visit = make_visit()
            while time.perf_counter() < deadline:
                visit()
                done += 1
        except (UnexpectedAnswer, OSError) as error:
            visits.errors.append(error)
        with lock:
            visits.count += done

    threads = [threading.Thread(target=go) for _ in range(count)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    visits.seconds = time.perf_counter() - began
    if visits.errors:
        raise visits.errors[0]
    return visits
