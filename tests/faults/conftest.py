"""What tests of faults share: whole sites in processes, and databases that may crash."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.databases import Databases
from tests.fixtures.postgresql import Cluster, PostgresqlMissing
from tests.kill_loop.rig import Rig
from tests.live_site import LiveSite


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster that may crash: others' tests must not share it."""
    try:
        made = Cluster()
    except PostgresqlMissing as missing:
        pytest.skip(str(missing))
    yield made
    made.remove()


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A whole site in processes, shared by the tests of a module: whatever dies comes back."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("processes are found in Linux's /proc")
    on_cluster = request.param == "postgresql"
    cluster = request.getfixturevalue("cluster") if on_cluster else None
    with Rig(tmp_path_factory.mktemp("rig"), cluster) as made:
        yield made


@pytest.fixture(autouse=True)
def _new_round(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "rig" in request.fixturenames:
        rig: Rig = request.getfixturevalue("rig")
        rig.disarm()
        rig.deaths.clear()


@pytest.fixture
def restored(site: LiveSite, databases: Databases, tmp_path: Path) -> Iterator[LiveSite]:
    """A site on an empty database, with the same Zoom and, if it works, the same secret."""
    url = databases.make_empty()
    made = LiveSite(
        url,
        tmp_path / "restored",
        zoom_api_url=site.settings.zoom_api_url,
        zoom_oauth_url=site.settings.zoom_oauth_url,
    )
    made.clock.move(seconds=(site.clock() - made.clock()).total_seconds())
    yield made
    made.close()
    databases.drop(url)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    # Lazily: a process of the site, which ends after this, may still have a file open on it.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
