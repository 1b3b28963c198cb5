"""What is counted of a submission, and from where on its sender is asked for work."""

from datetime import timedelta

import pytest

from services.keys import KeyRing
from services.limits import Limit, RateLimitReached
from services.submission_limits import (
    ADDRESS_BURST,
    CALM_EVENT,
    CALM_NETWORK,
    STRIDE,
    EventTally,
    count_submission,
    read_event_load,
)
from storage import events
from tests.factories import NOW, make_event
from tests.fixtures.databases import only_sqlite

KEYS = KeyRing([b"a secret of more than thirty-two bytes"])


class Senders:
    """Sends forms of ever new addresses from networks, as one process counts them."""

    def __init__(self, session) -> None:
        self.session, self.tally, self.count = session, EventTally(), 0
        if not events.list_events(session):
            for slug in ("spring", "autumn"):
                make_event(session, slug=slug)
        self.heads = {1: events.get_head(session, "spring"), 2: events.get_head(session, "autumn")}

    def send(self, network="192.0.2.1", *, email=None, has_worked=False, event_id=1, times=1):
        for _ in range(times):
            self.count += 1
            event = self.heads[event_id]
            arrival = count_submission(
                self.session,
                KEYS,
                network,
                slug=event.slug,
                event_id=event.id,
                email_key=email or f"p{self.count}@example.com",
                has_worked=has_worked,
                tally=self.tally,
                now=NOW,
            )
            assert arrival.event == event
        return arrival.load


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
        for number in range(CALM_EVENT // 2 + STRIDE):
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

        assert senders.send("192.0.2.2").event <= CALM_NETWORK / CALM_EVENT


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
