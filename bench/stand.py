"""The stand: both sites on one database, ready to be measured, and what a turn at one costs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fixtures.postgresql import Cluster

from .processes import read_cpu_seconds, read_machine_cpu_seconds
from .sites import Product, Server, run_floor, run_product
from .visitors import Order, Visits, percentile, send_visitors


@dataclass(frozen=True)
class Turn:
    """What a visit cost the servers, how many there were in a second, how late the last hundredth.

    `others` is the share of the machine that neither the site nor its visitors had.
    """

    visits: Visits
    cpu_ms: float
    others: float

    @property
    def rate(self) -> float:
        return self.visits.rate

    @property
    def p99(self) -> float:
        return percentile(self.visits.times, 0.99)


@dataclass(frozen=True)
class Stand:
    """Floor and product on one kind of database, and how long to measure."""

    database: str
    floor: Server
    product: Product
    database_pids: Sequence[int]
    cluster: Cluster | None
    folder: Path
    rounds: int
    seconds: float

    @property
    def is_quick(self) -> bool:
        return self.rounds < 3

    def send(self, site: Server, order: Order) -> Turn:
        """Let visitors come to a site, and measure what it costs; errors are the caller's."""
        servers = (site.pid, *self.database_pids)
        cpu, all_cpu = read_cpu_seconds(servers), read_machine_cpu_seconds()
        visits = send_visitors(order)
        cpu = read_cpu_seconds(servers) - cpu
        others = read_machine_cpu_seconds() - all_cpu - cpu - visits.cpu_seconds
        cores = os.cpu_count() or 1
        return Turn(
            visits,
            cpu_ms=cpu / max(visits.count, 1) * 1_000,
            others=max(0.0, others / (visits.seconds * cores)),
        )

    def take_turn(
        self,
        site: Server,
        *,
        registers: bool,
        visitors: int,
        seconds: float,
        keeps_connection: bool = True,
    ) -> Turn:
        """Measure visitors of whom each comes again at once.

        Raises:
            UnexpectedAnswer: one of them was not answered as the script says.
        """
        order = Order(
            site.script,
            registers=registers,
            seconds=seconds,
            visitors=visitors,
            keeps_connection=keeps_connection,
        )
        turn = self.send(site, order)
        turn.visits.check()
        return turn


@contextmanager
def build_stand(database: str, *, rounds: int, seconds: float) -> Iterator[Stand]:
    """Start both sites on one kind of database."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="uketsuke-bench-")))
        cluster = running.enter_context(start_cluster()) if database == "postgresql" else None
        addresses = [cluster.create(name) if cluster else "" for name in ("floor", "product")]
        yield Stand(
            database,
            running.enter_context(run_floor(folder, addresses[0])),
            running.enter_context(run_product(folder, addresses[1])),
            [cluster.pid] if cluster else [],
            cluster,
            folder,
            rounds,
            seconds,
        )


@contextmanager
def start_cluster() -> Iterator[Cluster]:
    """Start PostgreSQL as it is installed: every commit reaches the disk."""
    cluster = Cluster("-c fsync=on -c full_page_writes=on -c shared_buffers=128MB -c autovacuum=on")
    try:
        yield cluster
    finally:
        cluster.remove()
