"""Rounds: site and floor take turns at the same case, and each pair of turns is a ratio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median

from .sites import Server
from .stand import Stand, Turn
from .table import Goal, Row

# Above this share of the CPU others disturb what is measured; such a pair of turns is repeated.
DISTURBING_SHARE = 0.15
REPEATS = 3

FORM_CPU = Goal(1.0, 0.5)
FORM_RATE = Goal(0.7, 1.0, is_least=True)
FORM_LATE = Goal(1.5, 1.0)
WHOLE_CPU = Goal(2.0, 1.3)
WHOLE_RATE = Goal(0.5, 0.8, is_least=True)


@dataclass(frozen=True)
class Case:
    """What each of `visitors` at once does again and again, and which of its figures count.

    `suffix` follows the address of the event's page.
    """

    goal: str
    name: str
    registers: bool
    visitors: int
    keeps_connection: bool = True
    with_worker: bool = False
    suffix: str = ""
    cpu: Goal | None = None
    rate: Goal | None = None
    late: Goal | None = None


# As the script of embed.js asks for it on a page that people come to from an advertisement.
FRAME = (
    "/embed?utm_source=letter&gclid=Cj0KCQ&page=https%3A%2F%2Fwww.example.com%2Flp"
    "&parent=https%3A%2F%2Fwww.example.com&theme=light&lang=ja"
)

CASES = (
    Case("P1", "form page, 16 visitors", False, 16, cpu=FORM_CPU, rate=FORM_RATE),
    Case("P1", "form page, 16, new connections", False, 16, False, cpu=FORM_CPU),
    Case("P2", "form page, 200 kept connections", False, 200, rate=FORM_RATE, late=FORM_LATE),
    Case(
        "P2", "form page, 200, new connections", False, 200, False, rate=FORM_RATE, late=FORM_LATE
    ),
    Case("P1", "form in a frame, 16", False, 16, cpu=FORM_CPU, rate=FORM_RATE, suffix=FRAME),
    Case("P3", "registration, 1 visitor", True, 1, cpu=WHOLE_CPU, rate=WHOLE_RATE),
    Case("P3", "registration, 16 visitors", True, 16, cpu=WHOLE_CPU, rate=WHOLE_RATE),
    Case("P3", "registration in a frame, 16", True, 16, cpu=WHOLE_CPU, suffix=FRAME),
    Case("P3", "registration, 16, busy worker", True, 16, with_worker=True, cpu=WHOLE_CPU),
)


@dataclass
class _Line:
    """The pairs of turns of one case: site, floor."""

    case: Case
    pairs: list[tuple[Turn, Turn]] = field(default_factory=list)

    def list_rows(self, database: str) -> Iterator[Row]:
        for name, measure, goal in (
            ("CPU", "cpu_ms", self.case.cpu),
            ("rate", "rate", self.case.rate),
            ("p99", "p99", self.case.late),
        ):
            if goal is not None:
                values = [
                    (getattr(site, measure), getattr(floor, measure)) for site, floor in self.pairs
                ]
                unit = "/s" if measure == "rate" else " ms"
                digits = 2 if measure == "cpu_ms" else 0
                yield Row(
                    self.case.goal,
                    f"{self.case.name}: {name}",
                    database,
                    median(site / floor for site, floor in values),
                    goal,
                    site=f"{median(site for site, _ in values):.{digits}f}{unit}",
                    floor=f"{median(floor for _, floor in values):.{digits}f}{unit}",
                    others=max(turn.others for pair in self.pairs for turn in pair),
                )


def compare(stand: Stand) -> Iterator[Row]:
    """Let both sites take their turns in each round; the first, unmeasured turns warm them up."""
    lines = [_Line(case) for case in CASES]
    for case in CASES[:-1]:
        _take_turns(stand, case, min(stand.seconds, 1.0))
    for _ in range(stand.rounds):
        for line in lines:
            tries = []
            for _try in range(REPEATS):
                tries.append(_take_turns(stand, line.case, stand.seconds))
                if _disturbance(tries[-1]) <= DISTURBING_SHARE:
                    break
            line.pairs.append(min(tries, key=_disturbance))
    for line in lines:
        yield from line.list_rows(stand.database)


def _take_turns(stand: Stand, case: Case, seconds: float) -> tuple[Turn, Turn]:
    def take(script):
        return stand.take_turn(
            script,
            registers=case.registers,
            visitors=case.visitors,
            seconds=seconds,
            keeps_connection=case.keeps_connection,
        )

    floor = take(stand.floor)
    with ExitStack() as running:
        if case.with_worker:
            running.enter_context(stand.product.run_worker())
        return take(_write_suffix(stand.product.web, case.suffix)), floor


def _write_suffix(server: Server, suffix: str) -> Server:
    return replace(server, script=replace(server.script, path=server.script.path + suffix))


def _disturbance(pair: tuple[Turn, Turn]) -> float:
    return max(turn.others for turn in pair)
