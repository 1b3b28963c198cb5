"""What a visitor of a site does, step by step: requests to write, answers to expect."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

HOST = "127.0.0.1"

_COOKIE = re.compile(rb"\r\nSet-Cookie: ([^;\r]+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nLocation: ([^\r]+)", re.IGNORECASE)


class UnexpectedAnswer(Exception):
    """A site did not answer as the script says."""


@dataclass(frozen=True)
class Script:
    """What a visitor of one site does.

    `token` finds the form's token in the page: its name and its value. The POST is answered with
    `status`; 303 leads to one more page. The page at the end contains `done`. With `keys` they are
    programs that send the same to the API. `peer` names a site that is not ours, which has steps
    of its own.
    """

    port: int
    path: str
    token: str
    fields: Mapping[str, Any]
    status: int
    done: str
    keys: Sequence[str] = ()
    peer: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def cookies(self) -> dict[str, str]:
        found = (cookie.decode().partition("=") for cookie in _COOKIE.findall(self.head))
        return {name: value for name, _, value in found}

    @property
    def target(self) -> str:
        """The path that it leads to, or nothing."""
        found = _TARGET.search(self.head)
        parts = urlsplit(found[1].decode() if found else "")
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


Steps = Generator[bytes, Answer, None]


def look(script: Script, *, keeps_connection: bool) -> Steps:
    """Open the form."""
    page = yield write("GET", script, script.path, keeps=keeps_connection)
    expect(page, 200, script.path)
    find_token(script, page)


def register(script: Script, promised: dict[str, str]) -> Steps:
    """Open the form, send it and see the page that says so, as somebody new."""
    network = secrets.token_bytes(3)
    page = yield write("GET", script, script.path, network=network)
    expect(page, 200, script.path)
    name, token = find_token(script, page)
    email = make_address()
    body = urlencode({**script.fields, name: token, "email": email}, doseq=True)
    page = yield write(
        "POST", script, script.path, body, network=network, headers=write_cookies(page.cookies)
    )
    expect(page, script.status, script.path)
    target = page.target
    promised[email] = target.partition("?")[0]
    if target:
        page = yield write("GET", script, target, network=network)
        expect(page, 200, "what follows")
    if script.done.encode() not in page.body:
        raise UnexpectedAnswer(f"not registered: {page.body[:300]!r}")


def call(script: Script, promised: dict[str, str]) -> Steps:
    """Register somebody new as a program does, with one request."""
    email = make_address()
    fields = dict(script.fields)
    names = {name: fields.pop(name) for name in ("family_name", "given_name")}
    # A page leaves out a box that is not ticked, a program says so.
    consents = {"privacy": fields.pop("question_privacy") == "yes", "marketing": False}
    answers = {name.removeprefix("question_"): value for name, value in fields.items()}
    body = {"form_version": 1, "email": email, **names, "answers": answers, "consents": consents}
    path = f"/api/v1/events/{script.path.rpartition('/')[2]}/registrations"
    headers = {"Authorization": f"Bearer {secrets.choice(script.keys)}", "Content-Type": JSON}
    answer = yield write("POST", script, path, json.dumps(body), headers=headers)
    expect(answer, 201, path)
    told = json.loads(answer.body)
    promised[email] = urlsplit(told["receipt"]).path
    if not told["join_url"]:
        raise UnexpectedAnswer(f"not registered: {answer.body[:300]!r}")


JSON = "application/json"


def make_address() -> str:
    return f"visitor-{secrets.token_hex(8)}@example.com"


def expect(answer: Answer, status: int, what: str) -> None:
    if answer.status != status:
        raise UnexpectedAnswer(f"{what}: {answer.status} {answer.body[:200]!r}")


def find_token(script: Script, page: Answer) -> tuple[str, str]:
    found = re.search(script.token.encode(), page.body)
    if found is None:
        raise UnexpectedAnswer(f"{script.path} has no token")
    return found[1].decode(), found[2].decode()


def write_cookies(cookies: Mapping[str, str]) -> dict[str, str]:
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": told} if told else {}


def write(
    method: str,
    script: Script,
    path: str,
    body: str = "",
    *,
    keeps: bool = True,
    network: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Write a request; a form's body is ASCII, whatever was filled in."""
    # A proxy stands before the site, and everybody comes from another network.
    place = ".".join(str(byte) for byte in network or secrets.token_bytes(3))
    said = {
        "Host": f"{HOST}:{script.port}",
        "Accept-Language": "ja,en;q=0.8",
        "X-Forwarded-For": f"10.{place}",
        "X-Forwarded-Proto": "http",
        **({} if keeps else {"Connection": "close"}),
    }
    if method == "POST":
        said |= {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
        }
    said |= headers or {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return "\r\n".join([*lines, "", body]).encode()
