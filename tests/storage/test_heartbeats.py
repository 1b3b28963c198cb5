"""Proof that workers live."""

from datetime import timedelta

from storage import heartbeats
from tests.factories import NOW

MINUTE = timedelta(minutes=1)


def beat(session, owner="one", *, now=NOW):
    heartbeats.beat(session, owner, started_at=NOW, now=now)


def has_lived(session, since, *, now=NOW + timedelta(days=6)):
    return heartbeats.has_lived_since(session, since, now=now)


def test_worker_that_beats_lives(database):
    with database.write() as session:
        assert not has_lived(session, NOW - MINUTE)
        beat(session)
        beat(session, now=NOW + MINUTE)

        assert has_lived(session, NOW + MINUTE)


def test_silent_worker_does_not_live(database):
    with database.write() as session:
        beat(session)

        assert not has_lived(session, NOW + MINUTE)


def test_worker_that_ended_long_ago_is_forgotten(database):
    with database.write() as session:
        beat(session, "old")
        beat(session, "new", now=NOW + timedelta(days=2))

        assert has_lived(session, NOW + timedelta(days=2))
        beat(session, "new", now=NOW + timedelta(days=5))
        assert not has_lived(session, NOW + timedelta(days=6))


def test_sign_of_a_clock_that_was_set_back_is_none(database):
    with database.write() as session:
        beat(session, now=NOW + timedelta(hours=2))

        assert not has_lived(session, NOW, now=NOW + timedelta(minutes=59))
        assert has_lived(session, NOW, now=NOW + timedelta(minutes=60))
