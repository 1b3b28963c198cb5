"""A site with an event, and a program that may do everything there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.databases import SqliteDatabases
from tests.live_site import LiveSite
from tests.program import Program, make_key


@pytest.fixture
def program(site: LiveSite) -> Program:
    """A program of the organization of the event `spring`, with every scope."""
    site.add_event(slug="spring")
    return Program(site, make_key(site))


@pytest.fixture(scope="module")
def shared(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveSite]:
    """A site that the tests of a module share; what one adds the others must not mind."""
    site = LiveSite(sqlite_databases.make_migrated(), tmp_path_factory.mktemp("instance"))
    yield site
    site.close()
