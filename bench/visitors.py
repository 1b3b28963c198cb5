"""Visitors that follow a script over HTTP: one process, one loop, plain sockets.

`python -m bench.visitors` reads an order from its standard input and writes what came of it to its
standard output, both as JSON. In a process of their own they neither wait for the bench nor count
as the site; a visit costs them some hundred microseconds.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
READ_BYTES = 262_144
BUSY = 503

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nSet-Cookie: ([^;\r]+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nLocation: ([^\r]+)", re.IGNORECASE)


class UnexpectedAnswer(Exception):
    """A site did not answer as the script says."""


class TurnedAway(Exception):
    """The site asks to come back later."""


@dataclass(frozen=True)
class Script:
    """What a visitor of one site does.

    `token` finds the form's token in the page: its name and its value. The POST is answered with
    `status`; 303 leads to one more page. The page at the end contains `done`. With `keys` they are
    programs that send the same to the API.
    """

    port: int
    path: str
    token: str
    fields: Mapping[str, str | list[str]]
    status: int
    done: str
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Order:
    """How many come, and when.

    `visitors` at once do one visit after the other for so many seconds, or until `total` visits
    are done; or, with a `rate`, so many new ones arrive each second, at random as people do.
    """

    script: Script
    registers: bool
    seconds: float
    visitors: int = 0
    rate: float = 0.0
    total: int = 0
    keeps_connection: bool = True
    patience: float = 20.0


@dataclass
class Visits:
    """What came of an order; times in milliseconds, sorted.

    `promised` has who was told that they are registered, by address, and where; `answers` has the
    times of single requests that were answered as the script says, `refusals` of those turned away,
    and `refusal_bytes` the size of the largest answer to these.
    """

    count: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    refusal_bytes: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    promised: dict[str, str] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def check(self) -> Visits:
        """Return these visits if all went as the script says; what else was measured is nothing.

        Raises:
            UnexpectedAnswer: something did not.
        """
        if self.errors or self.refusals or not self.count:
            raise UnexpectedAnswer(f"{self.errors}, {len(self.refusals)} turned away")
        return self


def percentile(times: list[float], share: float) -> float:
    """Return the value that a share of sorted times does not exceed; 0 of none."""
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


class Sending:
    """Visitors on their way, in a process of their own."""

    def __init__(self, order: Order) -> None:
        command = [sys.executable, "-m", "bench.visitors"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)))
        self._process.stdin.close()
        self._process.stdin = None

    def is_running(self) -> bool:
        # What it writes at its end may be more than a pipe holds.
        return not select.select([self._process.stdout], [], [], 0)[0]

    def wait(self) -> Visits:
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the visitors ended with {self._process.returncode}")
        return Visits(**json.loads(output))


def send_visitors(order: Order) -> Visits:
    """Let visitors do what is ordered, and return when the last one has."""
    return Sending(order).wait()


@dataclass(frozen=True)
class _Answer:
    status: int
    head: bytes
    body: bytes


_Steps = Generator[bytes, _Answer, None]


class _Visitor:
    """One person: what they do next, over which connection, since when."""

    def __init__(self, steps: _Steps, began: float) -> None:
        self.steps = steps
        self.began = self.asked = began
        self.request = b""
        self.received = bytearray()
        self.expected = 0


class _Crowd:
    """All visitors of one order, in one loop."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._visits = Visits()
        self._errors: Counter[str] = Counter()
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._here: dict[int, _Visitor] = {}
        self._begun = 0

    def run(self) -> Visits:
        order, began = self._order, time.perf_counter()
        arrivals = iter(list_arrivals(order.rate, order.seconds)) if order.rate else iter(())
        end = began + order.seconds
        for _ in range(order.visitors):
            self._begin(time.perf_counter())
        arrival = next(arrivals, None)
        look = began + 1
        while self._here or arrival is not None:
            now = time.perf_counter()
            while arrival is not None and began + arrival <= now:
                self._begin(began + arrival)
                arrival = next(arrivals, None)
            if now > look:
                self._lose_patience(now)
                look = now + 1
            wait = 0.5 if arrival is None else max(0.0, min(0.5, began + arrival - now))
            for number, events in self._poll.poll(wait, 256):
                self._handle(number, events, end)
        self._visits.seconds = time.perf_counter() - began
        self._visits.errors = dict(self._errors)
        for times in (self._visits.times, self._visits.answers, self._visits.refusals):
            times.sort()
        used = os.times()
        self._visits.cpu_seconds = used.user + used.system
        return self._visits

    def _begin(self, began: float, kept: int | None = None) -> None:
        """Let a new person come, on a new connection or on one that another has left."""
        self._begun += 1
        order = self._order
        promised = self._visits.promised
        register = _call if order.script.keys else _register
        steps = register(order.script, promised) if order.registers else _look(order)
        visitor = _Visitor(steps, began)
        visitor.request = next(steps)
        if kept is None:
            line = socket.socket()
            line.setblocking(False)
            line.connect_ex((HOST, order.script.port))
            kept = line.fileno()
            self._sockets[kept] = line
            self._poll.register(kept, select.EPOLLOUT)
        else:
            self._poll.modify(kept, select.EPOLLOUT)
        self._here[kept] = visitor

    def _handle(self, number: int, events: int, end: float) -> None:
        visitor = self._here[number]
        try:
            if events & select.EPOLLOUT:
                self._sockets[number].sendall(visitor.request)
                self._poll.modify(number, select.EPOLLIN)
                return
            answer = self._receive(number, visitor)
            if answer is not None:
                self._go_on(number, visitor, answer)
        except StopIteration:
            self._finish(number, visitor, end)
        except TurnedAway:
            self._leave(number, end)
        except (OSError, UnexpectedAnswer) as error:
            self._errors[str(error)[:300] or type(error).__name__] += 1
            self._leave(number, end)

    def _receive(self, number: int, visitor: _Visitor) -> _Answer | None:
        chunk = self._sockets[number].recv(READ_BYTES)
        if not chunk:
            raise UnexpectedAnswer("the connection was closed")
        received = visitor.received
        received += chunk
        if not visitor.expected:
            edge = received.find(b"\r\n\r\n")
            if edge < 0:
                return None
            length = _LENGTH.search(received, 0, edge + 2)
            if length is None:
                raise UnexpectedAnswer(f"no length: {bytes(received[:200])!r}")
            visitor.expected = edge + 4 + int(length[1])
        if len(received) < visitor.expected:
            return None
        edge = received.index(b"\r\n\r\n")
        whole = bytes(received)
        return _Answer(int(whole[9:12]), whole[: edge + 2], whole[edge + 4 :])

    def _go_on(self, number: int, visitor: _Visitor, answer: _Answer) -> None:
        now = time.perf_counter()
        # The first answer is as late as it feels, waiting for a connection included.
        took = (now - visitor.asked) * 1_000
        visitor.asked = now
        if answer.status == BUSY:
            self._visits.refusals.append(took)
            size = len(answer.head) + len(answer.body)
            self._visits.refusal_bytes = max(self._visits.refusal_bytes, size)
            raise TurnedAway
        self._visits.answers.append(took)
        visitor.received = bytearray()
        visitor.expected = 0
        visitor.request = visitor.steps.send(answer)
        self._poll.modify(number, select.EPOLLOUT)

    def _finish(self, number: int, visitor: _Visitor, end: float) -> None:
        self._visits.count += 1
        self._visits.times.append((time.perf_counter() - visitor.began) * 1_000)
        self._leave(number, end, keeps=self._order.keeps_connection and not self._order.registers)

    def _leave(self, number: int, end: float, *, keeps: bool = False) -> None:
        """End a visit; where people come one after the other, the next one begins."""
        order = self._order
        del self._here[number]
        more = not order.rate and (
            self._begun < order.total if order.total else time.perf_counter() < end
        )
        if not (keeps and more):
            self._poll.unregister(number)
            self._sockets.pop(number).close()
        if more:
            self._begin(time.perf_counter(), number if keeps else None)

    def _lose_patience(self, now: float) -> None:
        late = [n for n, v in self._here.items() if now - v.began > self._order.patience]
        for number in late:
            self._errors["nobody answered in time"] += 1
            self._leave(number, 0.0)


def list_arrivals(rate: float, seconds: float) -> list[float]:
    """List moments of a Poisson process; the same for every site that is compared."""
    dice = random.Random(rate)
    moments, now = [], dice.expovariate(rate)
    while now < seconds:
        moments.append(now)
        now += dice.expovariate(rate)
    return moments


def _look(order: Order) -> _Steps:
    script = order.script
    page = yield _write("GET", script, script.path, keeps=order.keeps_connection)
    _expect(page, 200, script.path)
    _find_token(script, page)


def _register(script: Script, promised: dict[str, str]) -> _Steps:
    """Open the form, send it and see the page that says so, as somebody new."""
    network = secrets.token_bytes(3)
    page = yield _write("GET", script, script.path, network=network)
    _expect(page, 200, script.path)
    name, token = _find_token(script, page)
    found = _COOKIE.search(page.head)
    cookie = found[1].decode() if found else ""
    email = f"visitor-{secrets.token_hex(8)}@example.com"
    body = urlencode({**script.fields, name: token, "email": email}, doseq=True)
    page = yield _write("POST", script, script.path, body, network=network, cookie=cookie)
    _expect(page, script.status, script.path)
    target = _TARGET.search(page.head)
    parts = urlsplit(target[1].decode() if target else "")
    promised[email] = parts.path
    if target:
        page = yield _write("GET", script, f"{parts.path}?{parts.query}", network=network)
        _expect(page, 200, "what follows")
    if script.done.encode() not in page.body:
        raise UnexpectedAnswer(f"not registered: {page.body[:300]!r}")


def _call(script: Script, promised: dict[str, str]) -> _Steps:
    """Register somebody new as a program does, with one request."""
    email = f"visitor-{secrets.token_hex(8)}@example.com"
    fields = dict(script.fields)
    names = {name: fields.pop(name) for name in ("family_name", "given_name")}
    # A page leaves out a box that is not ticked, a program says so.
    consents = {"privacy": fields.pop("question_privacy") == "yes", "marketing": False}
    answers = {name.removeprefix("question_"): value for name, value in fields.items()}
    body = {"form_version": 1, "email": email, **names, "answers": answers, "consents": consents}
    path = f"/api/v1/events/{script.path.rpartition('/')[2]}/registrations"
    answer = yield _write("POST", script, path, json.dumps(body), key=secrets.choice(script.keys))
    _expect(answer, 201, path)
    told = json.loads(answer.body)
    promised[email] = urlsplit(told["receipt"]).path
    if not told["join_url"]:
        raise UnexpectedAnswer(f"not registered: {answer.body[:300]!r}")


def _expect(answer: _Answer, status: int, what: str) -> None:
    if answer.status != status:
        raise UnexpectedAnswer(f"{what}: {answer.status} {answer.body[:200]!r}")


def _find_token(script: Script, page: _Answer) -> tuple[str, str]:
    found = re.search(script.token.encode(), page.body)
    if found is None:
        raise UnexpectedAnswer(f"{script.path} has no token")
    return found[1].decode(), found[2].decode()


def _write(
    method: str,
    script: Script,
    path: str,
    body: str = "",
    *,
    keeps: bool = True,
    network: bytes | None = None,
    cookie: str = "",
    key: str = "",
) -> bytes:
    # A proxy stands before the site, and everybody comes from another network.
    place = ".".join(str(byte) for byte in network or secrets.token_bytes(3))
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}:{script.port}",
        "Accept-Language: ja,en;q=0.8",
        f"X-Forwarded-For: 10.{place}",
        "X-Forwarded-Proto: http",
        *([f"Cookie: {cookie}"] if cookie else []),
        *([f"Authorization: Bearer {key}"] if key else []),
        *([] if keeps else ["Connection: close"]),
    ]
    if method == "POST":
        kind = "application/json" if key else "application/x-www-form-urlencoded"
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode()


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    order = Order(**given | {"script": Script(**given["script"])})
    json.dump(asdict(_Crowd(order).run()), sys.stdout)


if __name__ == "__main__":
    main()
