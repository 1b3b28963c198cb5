"""Turns of visitors: both sites in each round, and what each turn cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from .processes import read_cpu_seconds, read_machine_cpu_seconds
from .sites import Product, Server
from .visitors import Browser, Script, look, register, send_visitors

Visit = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """One line of the table: what each of `visitors` at once does again and again."""

    name: str
    make_visit: Callable[[Script], Visit]
    visitors: int
    with_worker: bool = False


@dataclass(frozen=True)
class Turn:
    """CPU milliseconds of the servers for each visit, visits a second, CPU share of others."""

    cpu_ms: float
    rate: float
    others: float


@dataclass
class Line:
    """The turns of one case on one kind of database."""

    database: str
    case: Case
    floor: list[Turn] = field(default_factory=list)
    product: list[Turn] = field(default_factory=list)

    @property
    def cpu_ratio(self) -> float:
        """The median over the rounds: both sites of a round met the same machine."""
        pairs = zip(self.product, self.floor, strict=True)
        return median(product.cpu_ms / floor.cpu_ms for product, floor in pairs)

    @property
    def rate_ratio(self) -> float:
        pairs = zip(self.product, self.floor, strict=True)
        return median(product.rate / floor.rate for product, floor in pairs)

    @property
    def others(self) -> float:
        """The largest share of the machine's CPU that others had in a turn."""
        return max(turn.others for turn in (*self.floor, *self.product))


def open_pages(*, keeps_connection: bool) -> Callable[[Script], Visit]:
    """Make visitors of the form page, each of whom is somebody new every time."""

    def make_visit(script: Script) -> Visit:
        browser = Browser(script.port, keeps_connection=keeps_connection)

        def visit() -> None:
            look(script, browser)
            browser.forget_cookie()

        return visit

    return make_visit


def register_people(script: Script) -> Visit:
    return lambda: register(script)


CASES = (
    Case("form page, 16 visitors, kept connections", open_pages(keeps_connection=True), 16),
    Case("form page, 16 visitors, new connections", open_pages(keeps_connection=False), 16),
    Case("whole registration, 1 visitor", register_people, 1),
    Case("whole registration, 16 visitors", register_people, 16),
    Case("the same beside a busy worker", register_people, 16, with_worker=True),
)


def measure(
    database: str,
    floor: Server,
    product: Product,
    *,
    database_pids: Sequence[int],
    rounds: int,
    seconds: float,
) -> list[Line]:
    """Let both sites take their turns in each round; the first, unmeasured turns warm them up."""
    lines = [Line(database, case) for case in CASES]
    for site in (floor, product.web):
        for case in CASES[:-1]:
            _take_turn(case, site, database_pids, seconds=min(seconds, 1.0))
    for _ in range(rounds):
        for line in lines:
            with ExitStack() as stack:
                line.floor.append(_take_turn(line.case, floor, database_pids, seconds=seconds))
                if line.case.with_worker:
                    stack.enter_context(product.run_worker())
                line.product.append(
                    _take_turn(line.case, product.web, database_pids, seconds=seconds)
                )
    return lines


def _take_turn(case: Case, site: Server, database_pids: Sequence[int], *, seconds: float) -> Turn:
    servers = (site.pid, *database_pids)
    cpu_before, all_before = read_cpu_seconds(servers), read_machine_cpu_seconds()
    own_before = _read_own_cpu_seconds()
    visits = send_visitors(
        lambda: case.make_visit(site.script), count=case.visitors, seconds=seconds
    )
    cpu = read_cpu_seconds(servers) - cpu_before
    own = _read_own_cpu_seconds() - own_before
    others = read_machine_cpu_seconds() - all_before - own - cpu
    return Turn(
        cpu_ms=cpu / visits.count * 1_000,
        rate=visits.count / visits.seconds,
        others=max(0.0, others / (visits.seconds * (os.cpu_count() or 1))),
    )


def _read_own_cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system
