"""The lease on the one token that all processes share."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from outbound import HttpPool
from services.zoom_tokens import LEASE, SharedTokenStore
from storage import organizations
from storage.ciphers import Cipher
from storage.models import ZoomConnection
from tests import factories
from tests.clock import Clock
from zoom_client import Credentials, Kind, Token, ZoomClient, ZoomUnreachable

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_store(database, clock):
    """Open a store as one more process would."""
    with database.write() as session:
        organization = factories.make_organization(session)
        connection = organizations.get_first_connection(session, organization.id)

    return lambda: SharedTokenStore(database, connection.id, owner="app", read_clock=clock)


def make_token(clock, text="t"):
    return Token(text, clock() + timedelta(hours=1), frozenset({"user:read:user:admin"}))


def test_token_of_one_process_serves_the_other(open_store, clock):
    token = make_token(clock)

    open_store().put(token)

    assert open_store().get() == token


def test_token_of_a_key_that_was_replaced_is_as_good_as_none(open_store, database, clock):
    store = open_store()
    store.put(make_token(clock))
    with database.write() as session:
        foreign = Cipher([b"another secret, of another installation"]).encrypt("{}")
        session.execute(update(ZoomConnection).values(token=foreign))

    assert store.get() is None
    store.put(make_token(clock))
    assert store.get() is not None


def test_lease_of_a_clock_that_was_set_back_is_over(open_store, clock):
    clock.move(days=2)
    lock = open_store().lock(1)
    lock.__enter__()
    clock.move(days=-2)

    with open_store().lock(0):
        pass
    lock.__exit__(None, None, None)


def test_second_process_waits_for_the_lease_of_the_first(open_store):
    with open_store().lock(1):
        began = time.monotonic()
        with pytest.raises(TimeoutError), open_store().lock(0.2):
            pass

    assert 0.2 <= time.monotonic() - began < LEASE.total_seconds() / 2
    with open_store().lock(0):
        pass


def test_second_thread_waits_no_longer_than_it_may(open_store):
    store = open_store()
    with store.lock(1), pytest.raises(TimeoutError), store.lock(0.1):
        pass


def test_waiting_for_another_process_ends_at_the_clients_deadline(open_store):
    store = open_store()
    pool = HttpPool()
    client = ZoomClient(
        Credentials("account", "client", "secret"),
        token_store=store,
        pool=pool,
        api_url=NOWHERE,
        oauth_url=NOWHERE,
        deadline_seconds=0.5,
    )
    with open_store().lock(1):
        began = time.monotonic()
        with pytest.raises(ZoomUnreachable):
            client.get_meeting(Kind.MEETING, 1)

    assert time.monotonic() - began < LEASE.total_seconds() / 2


def test_lease_of_a_process_that_died_runs_out(open_store, clock):
    lock = open_store().lock(1)
    lock.__enter__()

    clock.move(seconds=LEASE.total_seconds())

    with open_store().lock(0):
        pass
    lock.__exit__(None, None, None)


def test_late_process_leaves_the_lease_of_the_next_alone(open_store, clock):
    late = open_store()
    lock = late.lock(1)
    lock.__enter__()
    clock.move(seconds=LEASE.total_seconds())

    with open_store().lock(0):
        late.put(make_token(clock))
        lock.__exit__(None, None, None)
        with pytest.raises(TimeoutError), open_store().lock(0):
            pass
