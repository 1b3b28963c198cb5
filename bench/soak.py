"""A site under steady load for as long as wanted, with a Zoom that fails at random.

Samples memory and open files meanwhile; at the end, once everything that was due is done, four
journals are compared person by person: what was promised, rows, what Zoom did, mails.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from sqlalchemy import func, or_, select

from storage.models import Job
from tests.faults.journals import Answer, find_faults, gather, read_copy
from tests.mailbox import Mailbox
from zoom_sandbox.control import SandboxControl

from .processes import count_files, list_tree, read_memory_mb
from .sites import Product, run_product
from .stand import start_cluster
from .visitors import Order, Sending, Visits, percentile

SAMPLE_SECONDS = 5.0
FAULT_SECONDS = 7.0
DRAIN_SECONDS = 900.0
ROOM_FOR = 1_000_000
"""So many Zoom takes: a full webinar is none of what is looked at here."""

# What Zoom does now and then: each hits a few calls, whatever they ask for.
FAULTS = (
    {"status": 500},
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "2"}},
    {"does": "close"},
    {"does": "close", "when": "after"},
    {"does": "cut"},
    {"does": "html"},
    {"delay_before": 3.0},
    {"delay_after": 12.0},
)


@dataclass(frozen=True)
class Sample:
    """Memory in MB and open files of a process tree, `at` seconds after the start."""

    at: float
    memory: float
    files: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=2.0, help="registrations a second")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"{options.database}, {options.minutes:g} minutes, --seed {options.seed}", flush=True)
    dice = random.Random(options.seed)
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="uketsuke-soak-")))
        address = ""
        if options.database == "postgresql":
            address = running.enter_context(start_cluster()).create("soak")
        product = running.enter_context(run_product(folder, address))
        zoom = running.enter_context(closing(SandboxControl(product.sandbox_url)))
        order = Order(product.web.script, True, options.minutes * 60, rate=options.rate)
        zoom.change_meeting(product.read_zoom_id(), capacity=ROOM_FOR)
        with product.run_worker() as worker:
            roots = {"web processes": product.web.pid, "worker": worker}
            samples, visits = soak(roots, order, zoom, dice)
            zoom.clear_faults()
            at_rest = wait_for_rest(product)
        # Nobody works any more: a mail for later that is due by now is not half-way.
        faults = compare(product, zoom, visits, at_rest)
    report(samples, visits)
    if faults:
        sys.exit("\n".join(faults))
    print("the four journals agree: nobody lost, doubled or stuck, no link shown to another")


def soak(
    roots: dict[str, int], order: Order, zoom: SandboxControl, dice: random.Random
) -> tuple[dict[str, list[Sample]], Visits]:
    """Let people register while Zoom fails now and then; return what was seen."""
    samples: dict[str, list[Sample]] = {name: [] for name in roots}
    sending, began = Sending(order), time.monotonic()
    next_sample = next_fault = began
    while sending.is_running():
        now = time.monotonic()
        if now >= next_sample:
            next_sample += SAMPLE_SECONDS
            for name, root in roots.items():
                samples[name].append(_take_sample(root, now - began))
        if now >= next_fault:
            next_fault = now + dice.expovariate(1 / FAULT_SECONDS)
            # While the site asks little, those that nobody met would gather until nothing works.
            zoom.clear_faults()
            zoom.fault(count=dice.randrange(1, 4), **dice.choice(FAULTS))
        time.sleep(0.2)
    return samples, sending.wait()


def wait_for_rest(product: Product) -> datetime:
    """Wait until Zoom has everybody and all mails are sent, but those for later; return when."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        now = product.site.read_clock()
        is_due = or_(Job.kind != "mail", Job.run_at <= now)
        left = select(func.count()).where(Job.state.in_(("ready", "running")), is_due)
        with product.database.read() as session:
            if not session.scalar(left) or time.monotonic() > deadline:
                return now
        time.sleep(1)


def compare(product: Product, zoom: SandboxControl, visits: Visits, at_rest: datetime) -> list[str]:
    """Compare the journals; return in words what does not fit together."""
    site = product.site
    mails = Mailbox(site.settings.mailbox).list_mails()
    return find_faults(
        gather(
            product.database,
            zoom,
            site.links,
            answers=[Answer(email, receipt, "") for email, receipt in visits.promised.items()],
            copies=[read_copy(mail) for mail in mails],
            now=at_rest,
        )
    )


def report(samples: dict[str, list[Sample]], visits: Visits) -> None:
    late = (
        f"p50 {percentile(visits.times, 0.5):.0f} ms, p99 {percentile(visits.times, 0.99):.0f} ms"
    )
    print(f"{visits.count} registrations, {late}, errors {sum(visits.errors.values())}")
    for name, taken in samples.items():
        for what, unit in (("memory", "MB"), ("files", "files")):
            first, last = (
                median(getattr(sample, what) for sample in part) for part in _list_ends(taken)
            )
            growth = (last - first) / (taken[-1].at * 0.75 / 3600)
            print(f"{name}: {first:.0f} to {last:.0f} {unit}, {growth:+.1f} {unit} an hour")


def _list_ends(taken: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """Yield the first quarter, and the last one: their middles lie three quarters apart."""
    quarter = max(1, len(taken) // 4)
    yield taken[:quarter]
    yield taken[-quarter:]


def _take_sample(root: int, at: float) -> Sample:
    tree = list_tree([root])
    return Sample(at, sum(map(read_memory_mb, tree)), sum(map(count_files, tree)))


if __name__ == "__main__":
    main()
