"""The signed token of a form: what it says, whose it is, and how long it works."""

from datetime import UTC, datetime, timedelta

import pytest

from services.form_tokens import (
    CLOCK_SKEW_SECONDS,
    MAX_AGE_SECONDS,
    FormTokenExpired,
    FormTokenForged,
    FormTokens,
)
from services.keys import KeyRing
from services.submissions import Surface

NOON = datetime(2030, 4, 1, 12, 0, tzinfo=UTC)
OLD, NEW = b"an old secret of thirty-two bytes", b"a newer secret of thirty-two bytes"
TOKENS = FormTokens(KeyRing([OLD]))


def issue(now=NOON):
    return TOKENS.issue("event", 7, Surface.PAGE, now=now)


def test_token_says_what_it_was_issued_for():
    token = TOKENS.read(issue(), "event", now=NOON + timedelta(seconds=3))

    assert (token.event_public_id, token.form_version_id) == ("event", 7)
    assert token.surface is Surface.PAGE
    assert token.age_seconds(NOON + timedelta(seconds=3)) == 3


def test_each_token_has_a_nonce_of_its_own():
    nonces = {TOKENS.read(issue(), "event", now=NOON).nonce for _ in range(20)}

    assert len(nonces) == 20


@pytest.mark.parametrize("milliseconds", [0, 49, 51, 99, 949, 951])
def test_token_is_never_issued_after_now(milliseconds):
    now = NOON + timedelta(milliseconds=milliseconds)

    token = TOKENS.read(issue(now), "event", now=now)

    assert 0 <= token.age_seconds(now) < 0.1


@pytest.mark.parametrize("token", ["", "x", "W10.x", issue()[:-1], issue() + "x", "\x00", "あ"])
def test_what_we_did_not_sign_is_refused(token):
    with pytest.raises(FormTokenForged):
        TOKENS.read(token, "event", now=NOON)


def test_token_of_another_event_is_refused():
    with pytest.raises(FormTokenForged):
        TOKENS.read(issue(), "another", now=NOON)


@pytest.mark.parametrize("seconds", [MAX_AGE_SECONDS + 1, -CLOCK_SKEW_SECONDS - 1])
def test_token_from_another_time_is_refused(seconds):
    with pytest.raises(FormTokenExpired):
        TOKENS.read(issue(), "event", now=NOON + timedelta(seconds=seconds))


def test_token_outlives_a_change_of_the_key():
    both = FormTokens(KeyRing([NEW, OLD]))

    assert both.read(issue(), "event", now=NOON).form_version_id == 7
    with pytest.raises(FormTokenForged):
        TOKENS.read(both.issue("event", 7, Surface.PAGE, now=NOON), "event", now=NOON)
