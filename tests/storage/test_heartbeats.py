"""Proof that workers live."""

from datetime import timedelta

from storage import heartbeats
from tests.factories import NOW

MINUTE = timedelta(minutes=1)


def beat(session, owner="one", *, now=NOW):
    heartbeats.beat(session, owner, started_at=NOW, now=now)


def test_worker_that_beats_lives(database):
    with database.write() as session:
        assert not heartbeats.has_lived_since(session, NOW - MINUTE)
        beat(session)
        beat(session, now=NOW + MINUTE)

        assert heartbeats.has_lived_since(session, NOW + MINUTE)


def test_silent_worker_does_not_live(database):
    with database.write() as session:
        beat(session)

        assert not heartbeats.has_lived_since(session, NOW + MINUTE)


def test_worker_that_ended_long_ago_is_forgotten(database):
    with database.write() as session:
        beat(session, "old")
        beat(session, "new", now=NOW + timedelta(days=2))

        assert heartbeats.has_lived_since(session, NOW + timedelta(days=2))
        beat(session, "new", now=NOW + timedelta(days=5))
        assert not heartbeats.has_lived_since(session, NOW + timedelta(days=6))
