"""One table of all that was measured, each line with its bar and its aim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADER = (
    *("GOAL", "SCENARIO", "DATABASE", "SITE", "FLOOR", "FIGURE"),
    *("BAR", "AIM", "REACHED", "OTHERS"),
)
NUMBERS = 3  # the first columns are words


@dataclass(frozen=True)
class Goal:
    """What a figure has to be at most, or at least, to pass; and what we want it to be."""

    bar: float
    aim: float
    unit: str = "×"
    is_least: bool = False

    def judge(self, figure: float) -> str:
        return (
            "aim" if self._has(figure, self.aim) else "bar" if self._has(figure, self.bar) else "NO"
        )

    def write(self, figure: float) -> str:
        digits = 2 if self.unit in ("×", "s") else 0
        return f"{figure:.{digits}f} {self.unit}"

    def write_bound(self, bound: float) -> str:
        return f"{'≥' if self.is_least else '≤'} {bound:g} {self.unit}"

    def _has(self, figure: float, bound: float) -> bool:
        # As it is printed: what reads 1.00 is not above 1.
        figure = round(figure, 2)
        return figure >= bound if self.is_least else figure <= bound


@dataclass(frozen=True)
class Row:
    """One figure; `goal` is its number in docs/performance.md, `others` a share of the CPU."""

    goal: str
    scenario: str
    database: str
    figure: float
    bound: Goal
    site: str = ""
    floor: str = ""
    others: float = 0.0

    def write(self) -> tuple[str, ...]:
        bound = self.bound
        return (
            *(self.goal, self.scenario, self.database, self.site, self.floor),
            *(bound.write(self.figure), bound.write_bound(bound.bar), bound.write_bound(bound.aim)),
            *(bound.judge(self.figure), f"{self.others:.0%}"),
        )


def print_table(rows: Iterable[Row], *, is_markdown: bool = False) -> None:
    """Print the rows in the order of their goals, aligned or as Markdown."""
    cells = [row.write() for row in sorted(rows, key=lambda row: int(row.goal.strip("P")))]
    if is_markdown:
        marks = ["---"] * NUMBERS + ["---:"] * (len(HEADER) - NUMBERS)
        for line in ([name.lower() for name in HEADER], marks, *cells):
            print(f"| {' | '.join(line)} |")
        return
    widths = [max(map(len, column)) for column in zip(HEADER, *cells, strict=True)]
    for line in (HEADER, *cells):
        words = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join(words[:NUMBERS] + numbers[NUMBERS:]).rstrip())
