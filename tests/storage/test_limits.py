"""Rate limits shared by all processes."""

import pytest

from storage import limits
from tests.races import race

NOW = 1_900_000_000.0
SECONDS_A_UNIT = 2.0
BURST = 5


def spend(session, name="bucket", *, now=NOW):
    return limits.spend(session, limits.Bucket(name, SECONDS_A_UNIT, BURST), now=now)


def test_full_bucket_gives_its_burst(database):
    with database.write() as session:
        given = [spend(session) for _ in range(BURST + 2)]

    assert given == [True] * BURST + [False] * 2


def test_unit_comes_back_after_its_interval(database):
    with database.write() as session:
        for _ in range(BURST):
            spend(session)

        assert not spend(session, now=NOW + SECONDS_A_UNIT - 0.1)
        assert spend(session, now=NOW + SECONDS_A_UNIT)
        assert not spend(session, now=NOW + SECONDS_A_UNIT)


def test_refused_unit_costs_nothing(database):
    with database.write() as session:
        for _ in range(BURST * 3):
            spend(session)

        assert spend(session, now=NOW + SECONDS_A_UNIT)


def test_buckets_do_not_share(database):
    with database.write() as session:
        for _ in range(BURST):
            spend(session, "one")

        assert not spend(session, "one")
        assert spend(session, "two")


def test_idle_bucket_saves_no_more_than_its_burst(database):
    with database.write() as session:
        spend(session)
        given = [spend(session, now=NOW + 3600) for _ in range(BURST + 1)]

    assert given == [True] * BURST + [False]


def test_forgotten_bucket_is_full(database):
    with database.write() as session:
        for _ in range(BURST):
            spend(session)
        limits.forget_full_buckets(session, now=NOW)
        assert not spend(session)

        limits.forget_full_buckets(session, now=NOW + 3600)
        assert spend(session)


def test_spenders_at_once_never_exceed_the_burst(database_url):
    def work(own):
        given = 0
        for _ in range(BURST):
            with own.write() as session:
                given += spend(session)
        return given

    assert sum(race(database_url, work)) == BURST


def test_requests_out_of_order_fill_no_bucket(database):
    with database.write() as session:
        for _ in range(BURST):
            spend(session, now=NOW + 0.01)

        assert not spend(session)


def test_what_was_let_through_is_counted_until_nothing_is_left(database):
    bucket = limits.Bucket("bucket", SECONDS_A_UNIT, BURST, most=2 * BURST)
    larger = limits.Bucket("bucket", SECONDS_A_UNIT, 2 * BURST, most=2 * BURST)

    def count(one, units):
        with database.write() as session:
            limits.take_what_is_left(session, one, units=units, now=NOW)
            return (limits.get_full_at(session, "bucket") - NOW) / SECONDS_A_UNIT

    assert [count(bucket, units) for units in (3.5, 1, 2)] == [3.5, 4.5, BURST]
    assert [count(larger, 3), count(bucket, 1)] == [BURST + 3, BURST + 3]


def test_what_is_refused_is_not_counted(database):
    """On PostgreSQL it was stored already, as a transaction of its own."""
    with pytest.raises(KeyError), database.write(is_brief=True) as session:
        spend(session)
        raise KeyError

    with database.read() as session:
        assert limits.get_full_at(session, "bucket") in (0.0, NOW), "as full as before"


def test_smaller_share_of_a_bucket_does_not_refill_it(database):
    small = limits.Bucket("bucket", SECONDS_A_UNIT, BURST, most=100)
    large = limits.Bucket("bucket", SECONDS_A_UNIT, 100)
    with database.write() as session:
        for _ in range(90):
            limits.spend(session, large, now=NOW)

        assert not limits.spend(session, small, now=NOW)


def test_clock_that_went_back_shuts_nobody_out(database):
    with database.write() as session:
        for _ in range(BURST):
            spend(session, now=NOW + 86_400)

        assert [spend(session) for _ in range(BURST + 1)] == [True] * BURST + [False]
