"""What is counted of a submission, and from where on its sender is asked for work."""

from datetime import timedelta

import pytest

from services.keys import KeyRing
from services.limits import Limit, RateLimitReached
from services.submission_limits import (
    ADDRESS_BURST,
    CALM_EVENT,
    CALM_NETWORK,
    Tallies,
    count,
    expect_calm,
    name_buckets,
    read_event_load,
    weigh,
    write,
)
from storage import events
from tests.factories import NOW, make_event
from tests.fixtures.databases import only_sqlite

KEYS = KeyRing([b"a secret of more than thirty-two bytes"])


class Senders:
    """Sends forms of ever new addresses from networks, as one process buckets them."""

    def __init__(self, session) -> None:
        self.session, self.tallies, self.count = session, Tallies(), 0
        if not events.list_events(session):
            for slug in ("spring", "autumn"):
                make_event(session, slug=slug)
        self.heads = {1: events.get_head(session, "spring"), 2: events.get_head(session, "autumn")}

    def name(self, network, email, event_id, has_worked=False):
        event = self.heads[event_id]
        return event, name_buckets(
            KEYS, network, event_id=event.id, email_key=email, has_worked=has_worked
        )

    def send(self, network="192.0.2.1", *, times=1, email=None, event_id=1, now=NOW, **others):
        for _ in range(times):
            self.count += 1
            email_key = email or f"p{self.count}@example.com"
            event, buckets = self.name(network, email_key, event_id, **others)
            weighed = weigh(self.session, self.tallies, buckets, event.slug, email_key, now=now)
            assert weighed.event == event
            due = count(self.tallies, buckets, weighed.load)
            write(self.session, due, now=now)
        return weighed.load

    def expect_calm(self, network="192.0.2.1", *, event_id=1):
        event, buckets = self.name(network, "new@example.com", event_id)
        return expect_calm(self.tallies, buckets, event, "new@example.com", now=NOW)


def test_office_of_two_hundred_at_once_is_asked_for_nothing(database):
    with database.write() as session:
        senders = Senders(session)

        assert senders.send(times=CALM_NETWORK).is_calm
        assert not senders.send().is_calm
        assert senders.send("192.0.2.2").is_calm


def test_whose_browsers_work_go_on_where_others_are_refused(database):
    with database.write() as session:
        senders = Senders(session)
        senders.send(times=300)
        with pytest.raises(RateLimitReached) as refused:
            senders.send()

        load = senders.send(has_worked=True, times=300)

        assert (refused.value.limit, load.network) == (Limit.NETWORK, 3.0)
        with pytest.raises(RateLimitReached):
            senders.send(has_worked=True)
        with pytest.raises(RateLimitReached):
            senders.send()


def test_many_networks_at_one_event_have_all_asked_there(database):
    with database.write() as session:
        here, there = Senders(session), Senders(session)  # two processes
        for number in range(CALM_EVENT // 2 + 10):
            here.send(f"10.0.0.{number % 250}")
            there.send(f"10.0.1.{number % 250}")

        assert not here.send("192.0.2.9").is_calm
        assert not Senders(session).send("192.0.2.10").is_calm
        assert here.send("192.0.2.9", event_id=2).is_calm
        assert not read_event_load(session, here.heads[1].id, now=NOW).is_calm
        assert read_event_load(session, here.heads[1].id, now=NOW + timedelta(minutes=2)).is_calm
        assert read_event_load(session, here.heads[2].id, now=NOW).is_calm


@only_sqlite
def test_flood_of_one_network_has_nobody_else_asked(database):
    with database.write() as session:
        senders = Senders(session)
        senders.send(times=300)
        senders.send(has_worked=True, times=300)

        assert senders.send("192.0.2.2").event < (CALM_NETWORK + 2) / CALM_EVENT


@only_sqlite
def test_address_is_limited_at_each_event_from_wherever_it_is_sent(database):
    with database.write() as session:
        senders = Senders(session)
        for number in range(ADDRESS_BURST):
            senders.send(f"10.0.0.{number}", email=f"taro+{number}@example.com")

        with pytest.raises(RateLimitReached) as refused:
            senders.send("10.0.1.1", email="taro@example.com")

        assert (refused.value.limit, refused.value.retry_after_seconds) == (Limit.ADDRESS, 180)
        assert senders.send("10.0.1.1", email="taro@example.com", event_id=2).is_calm


def test_what_is_expected_leaves_room_for_what_is_counted_here(database):
    with database.write() as session:
        senders = Senders(session)
        senders.send(times=3)
        expected = senders.expect_calm()

    left = [at - NOW.timestamp() for at in expected.full_by.values()]
    assert left == pytest.approx([CALM_NETWORK - 4, (CALM_EVENT - 4) / 10], abs=0.001)


@only_sqlite
def test_what_is_sent_slowly_to_many_processes_is_limited_as_one_network(database):
    """Each of them sees less than one a second, all together more."""
    with database.write() as session:
        processes = [Senders(session) for _ in range(8)]
        sent = 0
        with pytest.raises(RateLimitReached):
            for second in range(3_000):
                processes[second % 8].send(now=NOW + timedelta(seconds=second / 2))
                sent += 1

    assert 2 * 300 - 8 * 10 <= sent <= 2 * 300 + 8 * 10


@only_sqlite
def test_who_is_only_asked_for_work_does_not_count_for_their_address(database):
    with database.write() as session:
        senders = Senders(session)
        _, buckets = senders.name("192.0.2.1", "taro@example.com", 1)
        for _ in range(ADDRESS_BURST):
            found = weigh(session, senders.tallies, buckets, "spring", "taro@example.com", now=NOW)
            due = count(senders.tallies, buckets, found.load, spares_address=True)
            write(session, due, now=NOW)

        assert senders.send(email="taro@example.com").network == pytest.approx(
            (ADDRESS_BURST + 1) / CALM_NETWORK
        )
