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
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .peer_steps import PEERS
from .steps import HOST, Answer, Script, Steps, UnexpectedAnswer, call, look, register

ROOT = Path(__file__).parent.parent
READ_BYTES = 262_144
BUSY = 503

_CLOSES = re.compile(rb"\r\nConnection: close\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


class TurnedAway(Exception):
    """The site asks to come back later."""


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


class _Visitor:
    """One person: what they do next, over which connection, since when."""

    def __init__(self, steps: Steps, began: float) -> None:
        self.steps = steps
        self.began = self.asked = began
        self.request = b""
        self.received = bytearray()
        self.expected = 0
        self.is_left = False  # the server closes the connection behind its answer


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
        steps = _choose_steps(order, self._visits.promised)
        visitor = _Visitor(steps, began)
        visitor.request = next(steps)
        if kept is None:
            kept = self._connect()
        else:
            self._poll.modify(kept, select.EPOLLOUT)
        self._here[kept] = visitor

    def _connect(self) -> int:
        line = socket.socket()
        line.setblocking(False)
        line.connect_ex((HOST, self._order.script.port))
        self._sockets[line.fileno()] = line
        self._poll.register(line.fileno(), select.EPOLLOUT)
        return line.fileno()

    def _hang_up(self, number: int) -> None:
        self._poll.unregister(number)
        self._sockets.pop(number).close()

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

    def _receive(self, number: int, visitor: _Visitor) -> Answer | None:
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
        return Answer(int(whole[9:12]), whole[: edge + 2], whole[edge + 4 :])

    def _go_on(self, number: int, visitor: _Visitor, answer: Answer) -> None:
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
        visitor.is_left = bool(_CLOSES.search(answer.head))
        visitor.request = visitor.steps.send(answer)
        if visitor.is_left:
            self._here[self._connect()] = self._here.pop(number)
            self._hang_up(number)
        else:
            self._poll.modify(number, select.EPOLLOUT)

    def _finish(self, number: int, visitor: _Visitor, end: float) -> None:
        self._visits.count += 1
        self._visits.times.append((time.perf_counter() - visitor.began) * 1_000)
        keeps = self._order.keeps_connection and not self._order.registers
        self._leave(number, end, keeps=keeps and not visitor.is_left)

    def _leave(self, number: int, end: float, *, keeps: bool = False) -> None:
        """End a visit; where people come one after the other, the next one begins."""
        order = self._order
        del self._here[number]
        more = not order.rate and (
            self._begun < order.total if order.total else time.perf_counter() < end
        )
        if not (keeps and more):
            self._hang_up(number)
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


def _choose_steps(order: Order, promised: dict[str, str]) -> Steps:
    script = order.script
    if not order.registers:
        return look(script, keeps_connection=order.keeps_connection)
    if script.peer:
        return PEERS[script.peer](script, promised)
    return call(script, promised) if script.keys else register(script, promised)


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    order = Order(**given | {"script": Script(**given["script"])})
    json.dump(asdict(_Crowd(order).run()), sys.stdout)


if __name__ == "__main__":
    main()
