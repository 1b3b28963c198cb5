"""A crowd that waits for Zoom gets its links soon, and no limit of Zoom's is broken."""

import pytest

from bench.zoom_drain import drain


@pytest.fixture
def empty_url(databases):
    url = databases.make_empty()
    yield url
    databases.drop(url)


@pytest.mark.parametrize("workers", [1, 2])
def test_three_hundred_people_get_their_links_within_the_limits(tmp_path, empty_url, workers):
    drained = drain(300, tmp_path, address=empty_url, workers=workers)

    assert drained.refused == 0
    assert drained.seconds < 60
    assert 10 <= drained.calls["HEAVY"] <= 20
