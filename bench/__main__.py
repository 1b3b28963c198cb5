"""Compare the site with a bare Flask app on this machine, and print one table.

CPU is what all processes of a site used for one visit, the database server included: the steady
figure. Visits a second depend on the visitors too, who share the machine with the site.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from tests.fixtures.postgresql import Cluster, PostgresqlMissing

from .rounds import Line, Turn, measure
from .sites import run_floor, run_product

HEADER = (
    *("DATABASE", "VISIT", "CPU RATIO", "RATE RATIO"),
    *("SITE ms", "FLOOR ms", "SITE /s", "FLOOR /s", "OTHERS"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute, and rough")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    options = parser.parse_args()
    rounds, seconds = (2, 1.0) if options.quick else (5, 3.0)
    lines = []
    for database in [options.database] if options.database else ["sqlite", "postgresql"]:
        try:
            lines += run(database, rounds=rounds, seconds=seconds)
        except PostgresqlMissing as missing:
            print(f"postgresql is left out: {missing}")
    print_table(lines)


def run(database: str, *, rounds: int, seconds: float) -> list[Line]:
    """Start both sites on one kind of database and measure them."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="uketsuke-bench-")))
        addresses, pids = {"floor": "", "product": ""}, []
        if database == "postgresql":
            cluster = running.enter_context(_start_cluster())
            addresses = {name: cluster.create(name) for name in addresses}
            pids = [cluster.pid]
        floor = running.enter_context(run_floor(folder, addresses["floor"]))
        product = running.enter_context(run_product(folder, addresses["product"]))
        return measure(database, floor, product, database_pids=pids, rounds=rounds, seconds=seconds)


def print_table(lines: list[Line]) -> None:
    rows = [HEADER, *(_write_row(line) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        names = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        print("  ".join([*names, *numbers]))


def _write_row(line: Line) -> tuple[str, ...]:
    def middle(turns: list[Turn], name: str) -> float:
        return median(getattr(turn, name) for turn in turns)

    return (
        line.database,
        line.case.name,
        f"{line.cpu_ratio:.2f}",
        f"{line.rate_ratio:.2f}",
        f"{middle(line.product, 'cpu_ms'):.2f}",
        f"{middle(line.floor, 'cpu_ms'):.2f}",
        f"{middle(line.product, 'rate'):.0f}",
        f"{middle(line.floor, 'rate'):.0f}",
        f"{line.others:.0%}",
    )


@contextmanager
def _start_cluster() -> Iterator[Cluster]:
    """Start PostgreSQL as it is installed: every commit reaches the disk."""
    cluster = Cluster("-c fsync=on -c full_page_writes=on -c shared_buffers=128MB")
    try:
        yield cluster
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
