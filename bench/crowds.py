"""Crowds: many at once, many a second, many in a row, and everything killed among them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

from .processes import list_tree, read_memory_mb
from .rounds import DISTURBING_SHARE, REPEATS
from .sites import Server, run_product
from .stand import Stand, Turn
from .table import Goal, Row
from .visitors import Order, Sending

NONE = Goal(0, 0, unit="")
ARRIVALS = 60.0

ARRIVING_LATE = Goal(3.0, 1.5)
AT_ONCE_LATE = Goal(2.0, 1.2)
PROCESS_MEMORY = Goal(150, 100, unit="MB")
SITE_MEMORY = Goal(2.0, 1.4)


def gather(stand: Stand) -> Iterator[Row]:
    """Let people come at random, at once, and one after the other; count who was lost."""
    seconds = 5.0 if stand.is_quick else 15.0
    yield from _compare(
        stand,
        ("P6", f"{ARRIVALS:.0f} arrive a second for {seconds:.0f} s", ARRIVING_LATE),
        lambda site: Order(site.script, True, seconds, rate=ARRIVALS),
    )
    for visitors in (16, 200):
        yield from _compare(
            stand,
            ("P7", f"{visitors} register at once", AT_ONCE_LATE),
            lambda site, visitors=visitors: Order(  # type: ignore[misc]
                site.script, True, 0, visitors=visitors, total=visitors
            ),
        )
    yield from _follow_many(stand, 1_000 if stand.is_quick else 10_000)


def kill_all(stand: Stand) -> Iterator[Row]:
    """Kill every web process with SIGKILL while people register, and look for who was promised."""
    address = stand.cluster.create("killed") if stand.cluster else ""
    folder = stand.folder / "killed"
    folder.mkdir()
    lost = promised = 0
    with run_product(folder, address) as product:
        order = Order(product.web.script, True, 3.0, rate=ARRIVALS, patience=5.0)
        sending = Sending(order)
        time.sleep(2.0)
        # The parent first, or it would start others.
        for number in list_tree([product.web.pid]):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        visits = sending.wait()
        promised = len(visits.promised)
        lost = product.count_lost(visits.promised)
    yield Row(
        "P11",
        "all web processes killed in a burst: lost",
        stand.database,
        lost,
        NONE,
        site=f"{promised} promised",
    )


def _compare(stand: Stand, what: tuple[str, str, Goal], make_order) -> Iterator[Row]:
    """Send the same people to both sites, and compare how late the last hundredth was."""
    goal, name, late = what
    tries: list[tuple[Turn, Turn]] = []
    errors = lost = 0
    for _ in range(REPEATS):
        floor = stand.send(stand.floor, make_order(stand.floor))
        site = stand.send(stand.product.web, make_order(stand.product.web))
        errors += sum(site.visits.errors.values()) + len(site.visits.refusals)
        lost += stand.product.count_lost(site.visits.promised)
        tries.append((site, floor))
        if max(site.others, floor.others) <= DISTURBING_SHARE:
            break
    site, floor = min(tries, key=lambda pair: max(pair[0].others, pair[1].others))
    others = max(site.others, floor.others)
    yield Row(goal, f"{name}: errors", stand.database, errors, NONE, others=others)
    yield Row(goal, f"{name}: lost", stand.database, lost, NONE, others=others)
    yield Row(
        goal,
        f"{name}: p99",
        stand.database,
        site.p99 / floor.p99,
        late,
        site=f"{site.p99:.0f} ms",
        floor=f"{floor.p99:.0f} ms",
        others=others,
    )


def _follow_many(stand: Stand, people: int) -> Iterator[Row]:
    """Let many register one after the other, and look at the memory of the site afterwards."""
    product, floor = stand.product, stand.floor
    turn = stand.send(product.web, Order(product.web.script, True, 0, visitors=16, total=people))
    stand.send(floor, Order(floor.script, True, 0, visitors=16, total=people))
    lost = product.count_lost(turn.visits.promised) + people - turn.visits.count
    name = f"{people:,} register in a row"
    yield Row("P16", f"{name}: lost", stand.database, lost, NONE, others=turn.others)
    sizes = _read_sizes(product.web)
    yield Row("P16", f"{name}: largest process", stand.database, max(sizes), PROCESS_MEMORY)
    site, least = sum(sizes), sum(_read_sizes(floor))
    yield Row(
        "P16",
        f"{name}: memory of all",
        stand.database,
        site / least,
        SITE_MEMORY,
        site=f"{site:.0f} MB",
        floor=f"{least:.0f} MB",
    )


def _read_sizes(site: Server) -> list[float]:
    return [read_memory_mb(number) for number in list_tree([site.pid])]
