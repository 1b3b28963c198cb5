"""The dashboard on PostgreSQL: every page says what it says on SQLite."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.dashboard_gallery import PLACES
from tests.dashboard_world import build_world
from tests.html import parse
from tests.live_site import LiveSite

# What is made up anew for each site: ids, receipt numbers, ports, counters of the tests, minutes.
MADE_UP = re.compile(
    r"[\w-]{22,}|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b|localhost:\d+|127\.0\.0\.1:\d+|\d{11}"
    r"|\b(?:event-|organizer)\d+|\d\d:\d\d|ref=\w{8}"
)


def read_pages(databases, folder, noon):
    """Return what stands on every page that can be opened without doing anything first."""
    url = databases.make_migrated()
    site = LiveSite(url, folder)
    site.clock.move(seconds=(noon - site.clock()).total_seconds())
    try:
        world = build_world(site)
        return {place.name: read_page(site, world, place) for place in PLACES if not place.act}
    finally:
        site.close()
        databases.drop(url)


def read_page(site, world, place):
    answer = requests.get(
        f"{site.url}/organizer{place.address.format(**world.ids)}",
        cookies=world.browsers.get(place.who, {}).get("ja"),
        headers={"Accept-Language": "ja"},
        timeout=30,
    )
    root = parse(answer.text)
    for code in root.find_all("code"):
        code.children = []
    return answer.status_code, MADE_UP.sub("…", root.text)


@pytest.mark.postgresql
def test_pages_are_the_same_on_both_databases(sqlite_databases, postgresql_databases, tmp_path):
    # Worked out once: between the two the day may end.
    noon = datetime.now(UTC).replace(hour=3, minute=0, second=0) + timedelta(days=1)
    on_sqlite = read_pages(sqlite_databases, tmp_path / "sqlite", noon)
    on_postgresql = read_pages(postgresql_databases, tmp_path / "postgresql", noon)

    assert on_postgresql == on_sqlite
    assert len(on_sqlite) > 50
