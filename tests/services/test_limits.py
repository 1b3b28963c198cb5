from datetime import timedelta

import pytest

from services.keys import KeyRing
from services.limits import BURST, RateLimitReached, check_network_limit
from storage.models import RateBucket
from storage.session import Database
from tests.factories import NOW

KEYS = KeyRing([b"a secret of more than thirty-two bytes"])


def send(session, network: str, count: int = 1, now=NOW) -> None:
    for _ in range(count):
        check_network_limit(session, KEYS, network, now=now)


def test_office_of_two_hundred_gets_through_one_address(database: Database):
    with database.write() as session:
        send(session, "192.0.2.1", 200)


def test_flood_of_one_network_leaves_others_alone(database: Database):
    with database.write() as session:
        send(session, "192.0.2.1", BURST)

        with pytest.raises(RateLimitReached) as refused:
            send(session, "192.0.2.1")

        assert refused.value.retry_after_seconds == 60
        send(session, "192.0.2.2")


def test_limit_recovers_with_time(database: Database):
    with database.write() as session:
        send(session, "192.0.2.1", BURST)

        send(session, "192.0.2.1", 59, now=NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::ffff"), ("::ffff:192.0.2.1", "192.0.2.1")],
)
def test_addresses_of_one_network_count_together(database: Database, one: str, other: str):
    with database.write() as session:
        send(session, one, BURST)

        with pytest.raises(RateLimitReached):
            send(session, other)


def test_network_is_stored_as_a_hash(database: Database):
    with database.write() as session:
        send(session, "192.0.2.1")

        (bucket,) = session.query(RateBucket)

        assert len(bucket.name) == len("network:") + 64
