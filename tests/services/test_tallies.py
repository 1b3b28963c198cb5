"""What one process counts before it writes it."""

from services import tallies
from services.tallies import Tally
from storage.limits import Bucket

BUCKET = Bucket("network:a", 2.0, 40)


def add(tally, *, times=1, bucket=BUCKET):
    return [tally.add(bucket) for _ in range(times)]


def test_a_few_are_written_together():
    assert add(Tally(most=4), times=8) == [0, 0, 0, 4, 0, 0, 0, 4]


def test_what_was_not_written_is_known_here():
    tally = Tally(most=4)
    add(tally, times=3)

    assert tally.get_units(BUCKET) == 3
    assert tally.get_units(Bucket("network:b", 2.0, 40)) == 0
    add(tally)
    assert tally.get_units(BUCKET) == 0


def test_small_bucket_is_written_at_once():
    assert add(Tally(most=4), bucket=Bucket("small", 2.0, 3), times=2) == [1, 1]


def test_little_is_remembered(monkeypatch):
    monkeypatch.setattr(tallies, "REMEMBERED", 2)
    tally = Tally(most=4)
    others = [Bucket(f"network:{number}", 2.0, 40) for number in range(3)]

    assert [tally.add(bucket) for bucket in others] == [0, 0, 0]
    assert [tally.get_units(bucket) for bucket in others] == [0, 1, 1]
