"""The dashboard of an event that a million have joined beside one of a thousand, and its files.

Measured are whole pages and files over HTTP, signed in: how long an organizer waits, and what all
processes of the site have used of the CPU for it, the database's included, which is the steady
figure.
"""

from __future__ import annotations

import csv
import io
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import requests
from openpyxl import Workbook
from sqlalchemy import select, text

from services.access_links import LinkPurpose, add_link
from services.members import Role
from services.spreadsheets import write_xlsx
from storage.models import Event
from storage.session import Database
from tests.dashboard import Dashboard, make_membership

from .growth import PAGE, SEARCH, fill
from .processes import list_tree, read_cpu_seconds, read_machine_cpu_seconds, read_memory_mb
from .sites import Product, run_product
from .stand import Stand
from .table import Goal, Row

SMALL = 1_000
ROUNDS = 6
LOOKS = 10
"""So many in a row, as the system tells what a process used in hundredths of a second."""

SAME = Goal(1.1, 1.0)
WHOLE_FILE = Goal(1.5, 1.1)
FIRST_BYTE = Goal(500, 250, "ms")
MORE_MEMORY = Goal(60, 20, "MB")
TIMES_FASTER = Goal(4.0, 9.0, is_least=True)

PAGES = {
    "list": "/people",
    "filter": "/people?status=approved&locale=en",
    "filter that nobody fits": "/people?status=approved&proof=yes",
    "sorted by name": "/people?sort=name",
    "sorted by state": "/people?sort=status",
    "event page": "",
}
SEARCHES = {"search": "/people?q=example", "search that finds nobody": "/people?q=nobody-is-so"}
SAMPLE_SECONDS = 0.1
READ_BYTES = 1 << 16

# What the files are made of, each read by one cursor: the least that they cost.
_READ = (
    "SELECT id, email, family_name, given_name, status, locale, created_at, proven_at, join_clicks "
    "FROM registration ORDER BY id",
    "SELECT registration_id, number FROM submission WHERE outcome = 'created'",
    "SELECT registration_id, question_id, value FROM answer ORDER BY registration_id",
    "SELECT registration_id, question_id, is_given FROM consent ORDER BY registration_id",
    "SELECT registration_id, delivery FROM zoom_registrant ORDER BY registration_id",
)


@dataclass(frozen=True)
class File:
    """One download: how long it took, when it began, how large it was, what memory it took."""

    seconds: float
    cpu_seconds: float
    first_byte_ms: float
    content: bytes
    size_mb: float
    more_mb: float


def look_around(stand: Stand) -> Iterator[Row]:
    """Compare pages of two sites, one of them full of people, then fetch its files."""
    people = 100_000 if stand.is_quick else 1_000_000
    addresses = [stand.cluster.create(n) if stand.cluster else "" for n in ("few", "many")]
    folders = [stand.folder / name for name in ("few", "many")]
    for folder in folders:
        folder.mkdir()
    with (
        run_product(folders[0], addresses[0]) as small,
        run_product(folders[1], addresses[1]) as large,
    ):
        for product, count in ((small, SMALL), (large, people)):
            stand.take_turn(product.web, registers=True, visitors=1, seconds=0.5)
            fill(product.database, count)
        visits = [_sign_in(product) for product in (small, large)]
        name = f"dashboard, {people:,} people"
        yield from _compare_pages(name, stand, visits, (small, large))
        reading = _read_plainly(stand, large.database)
        yield from _fetch_csv(f"{people:,}", reading, stand, large, *visits[1])
        yield from _fetch_xlsx(f"{people // 10:,}", reading / 10, stand, large, *visits[1])
        for browser, _ in visits:
            browser.close()


def _sign_in(product: Product) -> tuple[Dashboard, str]:
    """Return a browser that is signed in, and the address of the event."""
    site = product.site
    now = site.read_clock()
    with site.database.write() as session:
        organizer_id = make_membership(session, Role.OWNER, now=now).organizer_id
        link = add_link(session, LinkPurpose.ENTER, organizer_id=organizer_id, now=now)
        entrance = site.links.access(link)
        event = session.scalar(select(Event.public_id).order_by(Event.id).limit(1))
    browser = Dashboard(site.settings.site_url)
    browser.open(entrance).form().submit()
    return browser, f"/organizer/events/{event}"


def _compare_pages(
    name: str,
    stand: Stand,
    visits: list[tuple[Dashboard, str]],
    products: Sequence[Product],
) -> Iterator[Row]:
    for what, path in {**PAGES, **SEARCHES}.items():
        times: list[list[float]] = [[], []]
        used = [0.0, 0.0]
        before, cpu = time.perf_counter(), _read_others_cpu(stand, products)
        for _ in range(ROUNDS):
            for number, (browser, event) in enumerate(visits):
                began = _read_cpu(stand, products[number])
                times[number] += [_time_page(browser, event + path) for _ in range(LOOKS)]
                used[number] += _read_cpu(stand, products[number]) - began
        cores = (time.perf_counter() - before) * (os.cpu_count() or 1)
        others = max(0.0, (_read_others_cpu(stand, products) - cpu) / cores)
        fresh, grown = (median(found) for found in times)
        waits = {"site": f"{grown:.1f} ms", "floor": f"{fresh:.1f} ms"}
        if what in PAGES:
            few, many = (seconds / (ROUNDS * LOOKS) * 1_000 for seconds in used)
            costs = {"site": f"{many:.1f} ms", "floor": f"{few:.1f} ms"}
            scenario = f"{name}: {what}, CPU"
            yield Row("P12", scenario, stand.database, many / few, SAME, **costs, others=others)
        bound = PAGE if what in PAGES else SEARCH
        yield Row("P13", f"{name}: {what}", stand.database, grown, bound, **waits, others=others)


def _read_cpu(stand: Stand, product: Product) -> float:
    return read_cpu_seconds((product.web.pid, *stand.database_pids))


def _read_others_cpu(stand: Stand, products: Sequence[Product]) -> float:
    """Return what everybody else on the machine has used of its CPU."""
    servers = (*(product.web.pid for product in products), *stand.database_pids)
    return read_machine_cpu_seconds() - read_cpu_seconds(servers) - time.process_time()


def _time_page(browser: Dashboard, address: str) -> float:
    began = time.perf_counter()
    answer = browser.look("GET", address)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return (time.perf_counter() - began) * 1_000


def _fetch_csv(
    count: str, floor: float, stand: Stand, product: Product, browser: Dashboard, event: str
) -> Iterator[Row]:
    file = _fetch(stand, product, browser, f"{event}/people/export?format=csv")
    name = f"CSV of {count} people"
    yield Row(
        "P14",
        f"{name}, {file.size_mb:.0f} MB in {file.seconds:.0f} s: CPU",
        stand.database,
        file.cpu_seconds / floor,
        WHOLE_FILE,
        site=f"{file.cpu_seconds:.1f} s",
        floor=f"{floor:.1f} s",
    )
    yield Row("P14", f"{name}: first byte", stand.database, file.first_byte_ms, FIRST_BYTE)
    yield Row("P14", f"{name}: more memory", stand.database, file.more_mb, MORE_MEMORY)


def _fetch_xlsx(
    count: str, reading: float, stand: Stand, product: Product, browser: Dashboard, event: str
) -> Iterator[Row]:
    some = f"{event}/people/export?locale=en&format="
    table = _fetch(stand, product, browser, f"{some}csv", keeps=True).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table, newline="")))
    usual, own = _time_openpyxl(rows), _time_writer(rows)
    file = _fetch(stand, product, browser, f"{some}xlsx")
    name = f"XLSX of {count} people, {len(rows[0])} columns"
    for what, floor, seconds in (
        (": CPU", usual, own),
        (": CPU of the whole download", reading + usual, file.cpu_seconds),
    ):
        yield Row(
            "P15",
            f"{name}{what}",
            stand.database,
            floor / seconds,
            TIMES_FASTER,
            site=f"{seconds:.1f} s",
            floor=f"{floor:.1f} s",
        )
    yield Row("P15", f"{name}: more memory", stand.database, file.more_mb, MORE_MEMORY)


def _time_openpyxl(rows: list[list[str]]) -> float:
    began = time.process_time()
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    book.save(io.BytesIO())
    return time.process_time() - began


def _time_writer(rows: list[list[str]]) -> float:
    began = time.process_time()
    for _ in write_xlsx(rows):
        pass
    return time.process_time() - began


def _read_plainly(stand: Stand, database: Database) -> float:
    """Return the CPU that it takes to read what a file is made of and to write it as it comes."""
    began = time.process_time() + read_cpu_seconds(stand.database_pids)
    with database.engine.connect().execution_options(yield_per=2_000) as connection:
        for statement in _READ:
            written = io.StringIO()
            writer = csv.writer(written)
            for part in connection.execute(text(statement)).partitions():
                writer.writerows(part)
                written.seek(0)
                written.truncate()
    return time.process_time() + read_cpu_seconds(stand.database_pids) - began


def _fetch(
    stand: Stand, product: Product, browser: Dashboard, address: str, *, keeps: bool = False
) -> File:
    """Download a file as it comes, and watch the memory of the web processes meanwhile."""
    before, cpu = _read_memory(product), _read_cpu(stand, product)
    highest, is_over = [before], threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_SECONDS):
            highest.append(_read_memory(product))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    answer = browser.fetch(address, stream=True)
    parts = answer.iter_content(READ_BYTES)
    kept, size = [next(parts)], 0
    first = time.perf_counter() - began
    try:
        for part in parts:
            size += len(part)
            if keeps:
                kept.append(part)
    except requests.RequestException as error:
        raise AssertionError(f"{address} broke off after {size} bytes") from error
    finally:
        is_over.set()
        watcher.join()
    seconds = time.perf_counter() - began
    return File(
        seconds,
        _read_cpu(stand, product) - cpu,
        first * 1_000,
        b"".join(kept),
        size / 1e6,
        max(highest) - before,
    )


def _read_memory(product: Product) -> float:
    return sum(read_memory_mb(number) for number in list_tree([product.web.pid]))
