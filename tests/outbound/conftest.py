from collections.abc import Iterator

import pytest

from outbound import HttpPool


@pytest.fixture(scope="session")
def pool() -> Iterator[HttpPool]:
    # Loading the certificates takes 24 ms of CPU.
    with HttpPool() as pool:
        yield pool
