"""Rate limits shared by all processes."""

from storage import limits
from tests.races import race

NOW = 1_900_000_000.0
SECONDS_A_UNIT = 2.0
BURST = 5


def spend(session, name="bucket", *, now=NOW):
    return limits.spend(session, name, interval=SECONDS_A_UNIT, burst=BURST, now=now)


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


def test_two_buckets_are_spent_from_at_once(database):
    one = limits.Bucket("one", SECONDS_A_UNIT, 2)
    other = limits.Bucket("other", 3.0, 1)

    def spend_both(session, watched="third"):
        return limits.spend_both(session, one, other, watched=watched, now=NOW)

    with database.write() as session:
        spend(session, "third")

        assert spend_both(session) == ({"one": NOW + 2.0, "other": NOW + 3.0}, NOW + 2.0)
        assert spend_both(session, "unknown") == ({"one": NOW + 4.0}, 0.0)
        assert spend_both(session) == ({}, 0.0)


def test_smaller_share_of_a_bucket_does_not_refill_it(database):
    small = limits.Bucket("bucket", SECONDS_A_UNIT, BURST, most=100)
    with database.write() as session:
        for _ in range(90):
            limits.spend(session, "bucket", interval=SECONDS_A_UNIT, burst=100, now=NOW)

        assert not limits.spend_from(session, small, now=NOW)


def test_spenders_of_two_buckets_at_once_never_exceed_either(database_url):
    """From another network each, as the same address: they wait for each other, in no circle."""
    shared = limits.Bucket("address", SECONDS_A_UNIT, BURST)

    def work(own):
        taken = 0
        network = limits.Bucket(f"network:{id(own)}", SECONDS_A_UNIT, 100)
        for _ in range(BURST):
            with own.write() as session:
                full_at, _ = limits.spend_both(session, network, shared, watched="x", now=NOW)
                taken += "address" in full_at
        return taken

    assert sum(race(database_url, work)) == BURST


def test_clock_that_went_back_shuts_nobody_out(database):
    with database.write() as session:
        for _ in range(BURST):
            spend(session, now=NOW + 86_400)

        assert [spend(session) for _ in range(BURST + 1)] == [True] * BURST + [False]
