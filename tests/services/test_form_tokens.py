"""The signed token inside a form: what it says, whose it is, and how long it works."""

from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer

from services.form_tokens import (
    CLOCK_SKEW_SECONDS,
    MAX_AGE_SECONDS,
    FormTokenError,
    FormTokens,
)
from services.keys import KeyRing
from services.submissions import Surface
from tests.factories import NOW

OLD, NEW = b"o" * 32, b"n" * 32
TOKENS = FormTokens(KeyRing([NEW]))


def issue(tokens=TOKENS, *, event="event", now=NOW):
    return tokens.issue(event, 7, Surface.EMBED, now=now)


def test_token_says_what_was_shown():
    now = NOW + timedelta(seconds=3)

    token = TOKENS.read(issue(), "event", now=now)

    assert (token.event_public_id, token.form_version_id) == ("event", 7)
    assert token.surface is Surface.EMBED
    assert token.age_seconds(now) == 3


def test_each_form_shown_has_a_nonce_of_its_own():
    nonces = {TOKENS.read(issue(), "event", now=NOW).nonce for _ in range(20)}

    assert len(nonces) == 20


@pytest.mark.parametrize("milliseconds", [0, 49, 51, 99, 949, 951])
def test_token_is_never_issued_after_now(milliseconds):
    now = NOW + timedelta(milliseconds=milliseconds)

    token = TOKENS.read(issue(now=now), "event", now=now)

    assert 0 <= token.age_seconds(now) < 0.1


def test_token_of_another_event_is_refused():
    with pytest.raises(FormTokenError):
        TOKENS.read(issue(event="other"), "event", now=NOW)


def test_token_of_another_site_is_refused():
    with pytest.raises(FormTokenError):
        TOKENS.read(issue(FormTokens(KeyRing([OLD]))), "event", now=NOW)


@pytest.mark.parametrize(
    "change",
    [lambda token: token[:-1], lambda token: token + "A", lambda token: "x" + token],
    ids=["cut", "longer", "shifted"],
)
def test_changed_token_is_refused(change):
    with pytest.raises(FormTokenError):
        TOKENS.read(change(issue()), "event", now=NOW)


@pytest.mark.parametrize("text", ["", ".", "W10.x", "\0", "あ", "x" * 200])
def test_what_is_no_token_is_refused(text):
    with pytest.raises(FormTokenError):
        TOKENS.read(text, "event", now=NOW)


@pytest.mark.parametrize(
    "payload", [None, [], "event", ["event", 7, "moon", 0, "n"], ["event", 7, "page", "soon", "n"]]
)
def test_signed_nonsense_is_refused(payload):
    serializer = URLSafeSerializer(KeyRing([NEW]).derive("form"), salt="form")

    with pytest.raises(FormTokenError):
        TOKENS.read(serializer.dumps(payload), "event", now=NOW)


def test_compressed_token_of_an_older_release_is_read():
    serializer = URLSafeSerializer(KeyRing([NEW]).derive("form"), salt="form")
    token = serializer.dumps(["event", 7, "page", NOW.timestamp(), "n" * 16])

    assert token.startswith(".")
    assert TOKENS.read(token, "event", now=NOW).form_version_id == 7


@pytest.mark.parametrize("age", [MAX_AGE_SECONDS, 0, -CLOCK_SKEW_SECONDS])
def test_token_is_good_for_a_day(age):
    token = issue(now=NOW - timedelta(seconds=age))

    assert TOKENS.read(token, "event", now=NOW).form_version_id == 7


@pytest.mark.parametrize("age", [MAX_AGE_SECONDS + 1, -CLOCK_SKEW_SECONDS - 1])
def test_token_from_another_time_is_refused(age):
    with pytest.raises(FormTokenError):
        TOKENS.read(issue(now=NOW - timedelta(seconds=age)), "event", now=NOW)


def test_form_opened_before_a_new_secret_still_works():
    both = FormTokens(KeyRing([NEW, OLD]))

    opened_before = issue(FormTokens(KeyRing([OLD])))
    assert both.read(opened_before, "event", now=NOW).form_version_id == 7
    assert TOKENS.read(issue(both), "event", now=NOW).form_version_id == 7
