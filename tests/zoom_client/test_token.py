import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from outbound import HttpPool
from tests.zoom_client.fake_zoom import TOKEN_ANSWER
from zoom_client import (
    AuthenticationFailed,
    Kind,
    MemoryTokenStore,
    NewRegistrant,
    RateLimited,
    ScopeMissing,
    ZoomUnreachable,
)

MEETING = {"id": 1, "uuid": "u", "topic": "t", "type": 2}
EXPIRED = {"code": 124, "message": "Access token is expired."}


def read(client):
    return client.get_meeting(Kind.MEETING, 1)


def read_often(zoom, *clients):
    for client in clients:
        zoom.will_answer(MEETING)
        read(client)


def get_bearers(zoom):
    return [request.headers["Authorization"] for request in zoom.requests]


def test_token_is_asked_for_as_zoom_wants_it(zoom):
    zoom.client().scopes()

    request = zoom.token_requests[0]
    scheme, _, pair = request.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(pair)) == ("Basic", b"client:sup3r-secret")
    assert request.form.to_dict() == {
        "grant_type": "account_credentials",
        "account_id": "account",
    }
    assert request.args.to_dict() == {}


def test_scopes_come_from_the_token(zoom):
    assert zoom.client().scopes() == frozenset(
        {"meeting:read:meeting:admin", "meeting:write:registrant:admin"}
    )


def test_one_token_serves_many_calls(zoom):
    client = zoom.client()
    read_often(zoom, client, client, client)

    assert get_bearers(zoom) == ["Bearer token-1"] * 3
    assert len(zoom.token_requests) == 1


@pytest.mark.parametrize(("age_seconds", "asked"), [(3539, 1), (3540, 2), (9999, 2)])
def test_token_is_renewed_a_minute_early(zoom, age_seconds, asked):
    client = zoom.client()
    read_often(zoom, client)
    zoom.now += timedelta(seconds=age_seconds)

    read_often(zoom, client)

    assert len(zoom.token_requests) == asked


def test_two_clients_share_the_token_of_a_store(zoom):
    store = MemoryTokenStore()

    read_often(zoom, zoom.client(token_store=store), zoom.client(token_store=store))

    assert get_bearers(zoom) == ["Bearer token-1"] * 2


SCOPE_MISSING = {"code": 4711, "message": "does not contain scopes:[meeting:read:meeting:admin]"}


def test_scopes_are_asked_for_anew_each_time(zoom):
    client = zoom.client()
    client.scopes()
    zoom.will_answer_token(TOKEN_ANSWER | {"access_token": "token-2", "scope": "user:read:user"})

    assert client.scopes() == {"user:read:user"}


def test_call_is_replayed_when_a_new_token_brings_scopes(zoom):
    zoom.will_answer_token(TOKEN_ANSWER | {"scope": "user:read:user"})
    zoom.will_answer(SCOPE_MISSING, 400)
    zoom.will_answer(MEETING)

    assert read(zoom.client()).id == 1

    assert get_bearers(zoom) == ["Bearer token-1", "Bearer token-2"]


def test_call_is_not_replayed_when_the_scopes_stay_the_same(zoom):
    zoom.will_answer(SCOPE_MISSING, 400)

    with pytest.raises(ScopeMissing):
        read(zoom.client())

    assert get_bearers(zoom) == ["Bearer token-1"]
    assert len(zoom.token_requests) == 2


@pytest.mark.parametrize("status", [401, 400])
def test_refused_token_is_replaced_and_the_call_replayed(zoom, status):
    zoom.will_answer(EXPIRED, status)
    zoom.will_answer(MEETING)

    assert read(zoom.client()).id == 1

    assert get_bearers(zoom) == ["Bearer token-1", "Bearer token-2"]


class RoundingStore(MemoryTokenStore):
    """Keeps times as some databases do."""

    def put(self, token):
        super().put(replace(token, expires_at=token.expires_at.replace(microsecond=0)))

    def get(self):
        token = super().get()
        return token and replace(token)


def test_refused_token_is_known_again_though_its_time_was_rounded(zoom):
    zoom.now += timedelta(microseconds=5)
    zoom.will_answer(EXPIRED, 401)
    zoom.will_answer(MEETING)

    read(zoom.client(token_store=RoundingStore()))

    assert get_bearers(zoom) == ["Bearer token-1", "Bearer token-2"]


def test_replayed_add_carries_the_same_body(zoom):
    zoom.will_answer(EXPIRED, 401)
    zoom.will_answer({"registrant_id": "r1"}, 201)

    person = NewRegistrant("taro@example.com", "太郎", "山田")
    zoom.client().add_registrant(Kind.MEETING, 1, person)

    first, second = zoom.bodies()
    assert first == second


class UnlockedStore(MemoryTokenStore):
    @contextmanager
    def lock(self, seconds):
        yield


def count_tokens_for_twenty_refused_threads(zoom, store):
    client = zoom.client(token_store=store)
    client.scopes()
    zoom.refused_tokens.add("token-1")
    zoom.token_delay_seconds = 0.1
    for _ in range(20):
        zoom.will_answer(MEETING)
    start = Barrier(20)

    def read_with_the_others(_):
        start.wait(timeout=60)
        return read(client).id

    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(read_with_the_others, range(20)))
    assert found == [1] * 20
    return len(zoom.token_requests)


def test_twenty_threads_refused_at_once_ask_for_one_token(zoom):
    assert count_tokens_for_twenty_refused_threads(zoom, MemoryTokenStore()) == 2


def test_without_the_lock_threads_do_ask_for_many_tokens(zoom):
    assert count_tokens_for_twenty_refused_threads(zoom, UnlockedStore()) > 2


def test_waiting_for_a_neighbours_token_ends_at_the_deadline(zoom):
    store = MemoryTokenStore()
    client = zoom.client(token_store=store, deadline_seconds=0.2)

    began = time.monotonic()
    with store.lock(1), pytest.raises(ZoomUnreachable, match="neighbour"):
        read(client)

    assert 0.2 <= time.monotonic() - began < 10
    assert zoom.requests + zoom.token_requests == []


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("error", ["invalid_client", "invalid_request", "unsupported_grant_type"])
def test_refused_credentials_are_failed_authentication(zoom, status, error):
    zoom.will_answer_token({"reason": "Invalid client_id or client_secret", "error": error}, status)

    with pytest.raises(AuthenticationFailed) as raised:
        read(zoom.client())

    assert raised.value.status == status
    assert "Invalid client_id or client_secret" in str(raised.value)
    assert zoom.requests == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 503),
        (b"<html>", 200),
        (b"<html>", 403),
        (b"<html>", 302),
        ({}, 200),
        (TOKEN_ANSWER | {"expires_in": "soon"}, 200),
        (TOKEN_ANSWER | {"expires_in": 0}, 200),
        (TOKEN_ANSWER | {"expires_in": 10**12}, 200),
        (TOKEN_ANSWER | {"access_token": "two\r\nX-Injected: lines"}, 200),
        (TOKEN_ANSWER | {"access_token": ""}, 200),
    ],
)
def test_without_a_token_nothing_was_sent(zoom, body, status):
    zoom.will_answer_token(body, status)

    with pytest.raises(ZoomUnreachable) as raised:
        read(zoom.client())

    assert raised.value.retryable is True
    assert zoom.requests == []


def test_limit_on_tokens_is_a_limit(zoom):
    zoom.will_answer_token({"reason": "Too many requests"}, 429)
    with pytest.raises(RateLimited):
        read(zoom.client())


def test_secrets_stay_out_of_every_repr(zoom, pool: HttpPool):
    store = MemoryTokenStore()
    client = zoom.client(token_store=store)
    client.scopes()

    texts = [
        repr(store.get()),
        repr(client),
        repr(client._account._tokens._credentials),
        repr(pool),
    ]

    assert not any("token-1" in text or "sup3r" in text for text in texts)
