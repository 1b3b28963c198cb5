"""What the stories in a real browser share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.databases import SqliteDatabases
from tests.gallery import Scene, build_gallery
from tests.live_site import LiveSite
from tests.stage import Stage


@pytest.fixture
def stage(site: LiveSite) -> Stage:
    """A site whose worker is at work, to put events and people on."""
    site.start_worker()
    return Stage(site)


@pytest.fixture(scope="package")
def gallery(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Scene]]:
    """Every page in every state, on one site for all who look at them."""
    folder: Path = tmp_path_factory.mktemp("gallery")
    site = LiveSite(sqlite_databases.make_migrated(), folder)
    yield build_gallery(site)
    site.close()
