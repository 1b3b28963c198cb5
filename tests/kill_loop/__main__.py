"""Kill processes of a running site at random, on both databases, and print a line for each round.

It stops at the first round after which something is lost, doubled, stuck or shown to somebody
else, and leaves its folder: the site's logs and database, Zoom's state, and `journals.json`.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.fixtures.postgresql import Cluster, PostgresqlMissing

from .loop import KillLoop, LoopFailed
from .rig import Rig


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.kill_loop", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    options = parser.parse_args()
    for database in [options.database] if options.database else ["sqlite", "postgresql"]:
        print(f"{database}, {options.rounds} rounds, --seed {options.seed}", flush=True)
        folder = Path(tempfile.mkdtemp(prefix="uketsuke-kill-loop-"))
        try:
            run(folder, database, rounds=options.rounds, seed=options.seed)
        except PostgresqlMissing as missing:
            print(f"postgresql is left out: {missing}")
        except LoopFailed as failed:
            sys.exit(f"{failed}\nseed {options.seed}; what is left is in {folder}")
        shutil.rmtree(folder)


def run(folder: Path, database: str, *, rounds: int, seed: int) -> None:
    """Run the rounds on one kind of database."""
    with ExitStack() as running:
        cluster = None
        if database == "postgresql":
            cluster = Cluster()
            running.callback(cluster.remove)
        rig = running.enter_context(Rig(folder, cluster))
        loop = KillLoop(rig, seed=seed, say=lambda line: print(line, flush=True))
        begun = time.monotonic()
        loop.run(rounds)
    tally = loop.tally
    seconds = time.monotonic() - begun
    for fault, count in sorted(tally.faults.items()):
        print(f"  {count:3}  {fault}")
    print(
        f"{database}: {rounds} rounds of {median(tally.seconds):.1f} s, {tally.people} people,"
        f" {seconds:.0f} s: lost 0, doubled at Zoom 0, stuck 0; mails sent twice where the mail"
        f" server's answer was unknown {tally.doubled_mails}, elsewhere 0"
    )


if __name__ == "__main__":
    main()
