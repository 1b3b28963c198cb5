"""What one process counts before it writes it."""

from services import tallies
from services.tallies import Tally
from storage.limits import Bucket

NOW = 1_900_000_000.0
BUCKET = Bucket("network:a", 2.0, 40)


def add(tally, *, times=1, bucket=BUCKET, is_known=False, now=NOW):
    return [tally.add(bucket, is_known=is_known, now=now) for _ in range(times)]


def test_share_of_a_bucket_is_written_together():
    tally = Tally(most=4)

    assert add(tally, times=8) == [0, 0, 0, 4, 0, 0, 0, 4]


def test_what_was_not_written_is_known_here():
    tally = Tally(most=4)
    add(tally, times=3)

    assert tally.measure(BUCKET, now=NOW) == 3
    assert tally.measure(Bucket("network:b", 2.0, 40), now=NOW) == 0
    add(tally)
    assert tally.measure(BUCKET, now=NOW) == 0


def test_what_has_come_back_is_forgotten():
    tally = Tally(most=4)
    add(tally, times=2)

    assert tally.measure(BUCKET, now=NOW + 3) == 0.5
    assert tally.measure(BUCKET, now=NOW + 5) == 0
    assert add(tally, times=4, now=NOW + 3) == [0, 0, 0, 4.5]


def test_small_bucket_is_written_at_once():
    assert add(Tally(most=4), bucket=Bucket("small", 2.0, 3), times=2) == [1, 1]


def test_what_the_database_has_something_of_is_written_at_once():
    tally = Tally(most=4)
    add(tally)

    assert add(tally, is_known=True, times=2) == [2, 1]


def test_what_does_not_come_back_is_written_together_at_last():
    tally = Tally(most=4, comes_back=False)

    assert add(tally, is_known=True, times=3) == [0, 0, 0]
    assert tally.measure(BUCKET, now=NOW + 3_600) == 3
    assert add(tally, is_known=True, now=NOW + 3_600) == [4]


def test_little_is_remembered(monkeypatch):
    monkeypatch.setattr(tallies, "MOST", 2)
    tally = Tally(most=4)
    others = [Bucket(f"network:{number}", 2.0, 40) for number in range(4)]

    assert [tally.add(bucket, is_known=False, now=NOW) for bucket in others] == [0, 0, 1, 1]
    assert [tally.add(bucket, is_known=False, now=NOW + 2) for bucket in others] == [0, 0, 1, 1]


def test_clock_that_went_back_shuts_nobody_out():
    tally = Tally(most=4)
    add(tally, times=3, now=NOW + 86_400)

    assert tally.measure(BUCKET, now=NOW) == 3
    assert add(tally, times=2) == [4, 0]
