"""Growth: what opening, registering and counting cost in an event that a million have joined.

One person registers as everybody does; then the database copies every row of theirs, a million
times, with other names, addresses and numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from sqlalchemy import Connection, create_engine, func, select, text, update

from storage import events, registration_index
from storage.models import Base, EventCounter, Registration
from storage.registration_index import Wanted
from storage.session import Database
from worker.indexing import index_registrations

from .rounds import DISTURBING_SHARE, REPEATS
from .sites import Product, run_product
from .stand import Stand, Turn
from .table import Goal, Row

SAME = Goal(1.5, 1.1)
COPIES_AT_ONCE = 50_000
COUNTS = 300
PAGE = Goal(150, 15, "ms")
SEARCH = Goal(500, 300, "ms")
LOOKS = 9
_FILTERS = {
    "newest": Wanted(),
    "one filter": Wanted({"status": frozenset({"approved"})}),
    "filters that nobody fits": Wanted(
        {
            "status": frozenset({"approved"}),
            "locale": frozenset({"ja"}),
            "proof": frozenset({"yes"}),
        }
    ),
}

TABLES = ("registration", "zoom_registrant", "submission", "answer", "consent", "mail")

# What must differ from row to row: another beginning of the same length, or a longer text.
_OTHER_BEGINNING = {"public_id", "nonce"}
_LONGER = {"email", "email_key", "mailbox_key", "message_id", "key"}
_DONE = {"job": "done", "mail": "sent"}


def grow(stand: Stand) -> Iterator[Row]:
    """Compare two sites, one of them full of people, in turns."""
    people = 100_000 if stand.is_quick else 1_000_000
    addresses = [stand.cluster.create(n) if stand.cluster else "" for n in ("small", "large")]
    folders = [stand.folder / name for name in ("small", "large")]
    for folder in folders:
        folder.mkdir()
    with (
        run_product(folders[0], addresses[0]) as small,
        run_product(folders[1], addresses[1]) as large,
    ):
        for product in (small, large):
            stand.take_turn(product.web, registers=True, visitors=4, seconds=1.0)
        fill(large.database, people)
        name = f"{people:,} in the event"
        for what, registers in (("form page", False), ("registration", True)):
            pairs = [
                _measure(stand, large, small, registers=registers) for _ in range(stand.rounds + 1)
            ][1:]
            yield Row(
                "P12",
                f"{name}: {what}, CPU",
                stand.database,
                median(grown.cpu_ms / fresh.cpu_ms for grown, fresh in pairs),
                SAME,
                site=f"{median(grown.cpu_ms for grown, _ in pairs):.2f} ms",
                floor=f"{median(fresh.cpu_ms for _, fresh in pairs):.2f} ms",
                others=max(turn.others for pair in pairs for turn in pair),
            )
        grown, fresh = (_time_counting(product.database) for product in (large, small))
        yield Row(
            "P12",
            f"{name}: counting",
            stand.database,
            grown / fresh,
            SAME,
            site=f"{grown:.2f} ms",
            floor=f"{fresh:.2f} ms",
        )
        yield from _compare_finding(name, stand, large, small)


def _compare_finding(name: str, stand: Stand, large: Product, small: Product) -> Iterator[Row]:
    """Compare what the dashboard's pages read of the index, and time a search that finds nobody."""
    for what, wanted in _FILTERS.items():
        grown, fresh = (_time_page(product.database, wanted) for product in (large, small))
        yield Row(
            "P12",
            f"{name}: people, {what}",
            stand.database,
            grown,
            PAGE,
            site=f"{grown:.2f} ms",
            floor=f"{fresh:.2f} ms",
        )
    searched = _time_page(large.database, Wanted(text="nobody-is-called-so"))
    yield Row("P12", f"{name}: search", stand.database, searched, SEARCH)


def _time_page(database: Database, wanted: Wanted) -> float:
    """Return how many milliseconds it takes to find fifty people and to count all that fit."""
    times = []
    for _ in range(LOOKS):
        with database.read() as session:
            event_id = session.scalar(select(func.min(Registration.event_id)))
            assert event_id is not None
            began = time.perf_counter()
            registration_index.list_totals(session, event_id)
            registration_index.read_page(session, event_id, wanted, limit=50)
            registration_index.count_matches(session, event_id, wanted)
            times.append((time.perf_counter() - began) * 1_000)
    return median(times)


def fill(database: Database, people: int) -> None:
    """Copy the first registration of a database so many times; nobody may register meanwhile."""
    engine = create_engine(database.url)
    with engine.connect() as connection:
        fast = "PRAGMA synchronous=OFF" if database.is_sqlite else "SET synchronous_commit=off"
        connection.exec_driver_sql(fast)
        connection.commit()
        first, last = connection.execute(
            select(func.min(Registration.id), func.max(Registration.id))
        ).one()
        for begin in range(last + 1, last + 1 + people, COPIES_AT_ONCE):
            numbers = {
                "first": first,
                "begin": begin,
                "end": min(begin + COPIES_AT_ONCE, last + 1 + people),
            }
            for name in TABLES:
                key = "id" if name == "registration" else "registration_id"
                _copy(connection, name, f"one.{key} = :first", numbers)
            _copy(connection, "job", "one.id <= (SELECT min(id) + 1 FROM job)", numbers)
            connection.commit()
        # Else a filter would find everybody or nobody.
        connection.execute(text("UPDATE registration SET locale = 'en' WHERE id % 10 = 0"))
        connection.execute(
            update(EventCounter)
            .where(EventCounter.value > 0)
            .values(value=EventCounter.value + people)
        )
        if not database.is_sqlite:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence('registration', 'id'), :last)"),
                {"last": last + people},
            )
        connection.commit()
        copied = connection.scalar(select(func.count()).select_from(Registration))
        assert copied is not None and copied >= people, f"{copied} of {people} were copied"
    # As an installation that has them is: else its worker would do it while others are measured.
    index_registrations(database, most_batches=people)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE")
    engine.dispose()


def _copy(connection: Connection, name: str, where: str, numbers: dict[str, int]) -> None:
    """Copy rows of one table, once for each number from `begin` on."""
    given = {
        column.name: _write_value(name, column.name)
        for column in Base.metadata.tables[name].columns
        if column.name != "id" or name == "registration"
    }
    connection.execute(
        text(
            f"WITH RECURSIVE numbers(i) AS (SELECT CAST(:begin AS BIGINT) UNION ALL "
            f"SELECT i + 1 FROM numbers WHERE i + 1 < :end) "
            f"INSERT INTO {name} ({', '.join(given)}) "
            f"SELECT {', '.join(given.values())} FROM {name} AS one, numbers WHERE {where}"
        ),
        numbers if ":first" in where else {k: v for k, v in numbers.items() if k != "first"},
    )


def _write_value(table: str, column: str) -> str:
    number = "CAST(1000000000 + i AS VARCHAR(10))"
    if column == "registration_id" or (table, column) == ("registration", "id"):
        return "i"
    if column in _OTHER_BEGINNING:
        return f"{number} || substr(one.{column}, 11)"
    if column in _LONGER:
        return f"{number} || one.{column}"
    if column == "state" and table in _DONE:
        return f"'{_DONE[table]}'"
    return f"one.{column}"


def _measure(stand: Stand, large: Product, small: Product, *, registers: bool) -> tuple[Turn, Turn]:
    tries: list[tuple[Turn, Turn]] = []
    for _ in range(REPEATS):
        grown, fresh = (
            stand.take_turn(site.web, registers=registers, visitors=4, seconds=stand.seconds)
            for site in (large, small)
        )
        tries.append((grown, fresh))
        if max(grown.others, fresh.others) <= DISTURBING_SHARE:
            break
    return min(tries, key=lambda pair: max(turn.others for turn in pair))


def _time_counting(database: Database) -> float:
    """Return how many milliseconds it takes to read all counts of the event."""
    times = []
    with database.read() as session:
        event_id = session.scalar(select(func.min(Registration.event_id)))
        assert event_id is not None
        for _ in range(COUNTS):
            began = time.perf_counter()
            assert events.list_counters(session, event_id)
            times.append((time.perf_counter() - began) * 1_000)
    return median(times)
