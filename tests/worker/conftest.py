"""A desk for the tests of the worker."""

from collections.abc import Iterator

import pytest

from storage.session import Database
from tests.worker.desk import Desk, MakeDesk
from zoom_sandbox.server import SandboxServer


@pytest.fixture
def make_desk(database: Database) -> Iterator[MakeDesk]:
    with SandboxServer() as sandbox:
        yield lambda **members: Desk(database, sandbox, **members)


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()
