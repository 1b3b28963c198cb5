from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from outbound import HttpPool
from tests.zoom_client.fake_zoom import FakeZoom


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def pool() -> Iterator[HttpPool]:
    # Loading the certificates takes 24 ms of CPU.
    with HttpPool() as pool:
        yield pool


@pytest.fixture(scope="session")
def http_server() -> Iterator[HTTPServer]:
    # Starting and stopping one takes half a second.
    with HTTPServer(port=0, threaded=True) as server:
        yield server


@pytest.fixture
def zoom(http_server: HTTPServer, pool: HttpPool, now: datetime) -> Iterator[FakeZoom]:
    http_server.clear()
    yield FakeZoom(http_server, pool, now)
    http_server.check()
