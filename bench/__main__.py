"""Measure the site against a bare Flask app in the same run, and print one table.

CPU is what all processes of a site used for one visit, the database server included: the steady
figure. Visits a second depend on the visitors too, who share the machine with the site.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping

from tests.fixtures.postgresql import PostgresqlMissing

from .api import register_by_api
from .crowds import gather, kill_all
from .dashboard import look_around
from .growth import grow
from .overload import overload, slow_clients
from .peers import meet_peers
from .rounds import compare
from .stand import Stand, build_stand
from .starts import start
from .table import Row, print_table
from .zoom_calls import call_over_tls, drain_crowd, wait_for_link, wait_for_zoom

SCENARIOS: Mapping[str, Callable[[Stand], Iterator[Row]]] = {
    "rounds": compare,
    "crowds": gather,
    "kill": kill_all,
    "overload": overload,
    "slow-clients": slow_clients,
    "start": start,
    "growth": grow,
    "dashboard": look_around,
    "slow-zoom": wait_for_zoom,
    "link": wait_for_link,
    "zoom-client": call_over_tls,
    "drain": drain_crowd,
    "api": register_by_api,
    "peers": meet_peers,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some minutes, and rough")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("scenarios", nargs="*", help=f"only these of: {', '.join(SCENARIOS)}")
    options = parser.parse_args()
    chosen = options.scenarios or list(SCENARIOS)
    if unknown := set(chosen) - set(SCENARIOS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    rounds, seconds = (2, 1.0) if options.quick else (5, 3.0)
    rows: list[Row] = []
    for database in [options.database] if options.database else ["sqlite", "postgresql"]:
        try:
            with build_stand(database, rounds=rounds, seconds=seconds) as stand:
                for name in chosen:
                    print(f"{database}: {name} ...", file=sys.stderr)
                    rows += SCENARIOS[name](stand)
        except PostgresqlMissing as missing:
            print(f"postgresql is left out: {missing}", file=sys.stderr)
    print_table(rows, is_markdown=options.markdown)


if __name__ == "__main__":
    main()
