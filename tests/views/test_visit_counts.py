"""How often one network is counted, of which no address is kept."""

from types import SimpleNamespace

import pytest

from views import visit_counts
from views.visit_counts import MOST_NETWORKS, MOST_OF_A_NETWORK, NetworkTally


@pytest.fixture(autouse=True)
def one_minute(monkeypatch):
    """Keep the minute from ending in the middle of a test."""
    monkeypatch.setattr(visit_counts, "time", SimpleNamespace(monotonic=lambda: 100.0))


def test_one_network_is_counted_so_often_a_minute_and_others_go_on():
    tally = NetworkTally()

    counted = [tally.may_count("192.0.2.1") for _ in range(MOST_OF_A_NETWORK + 2)]

    assert counted == [True] * MOST_OF_A_NETWORK + [False] * 2
    assert tally.may_count("192.0.2.2")
    assert not any(b"192.0.2" in name for name in tally._counts)


def test_networks_without_number_take_no_memory():
    tally = NetworkTally()

    counted = [tally.may_count(f"2001:db8:{n >> 16:x}:{n & 0xFFFF:x}::1") for n in range(20_000)]

    assert sum(counted) == MOST_NETWORKS
