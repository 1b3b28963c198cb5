"""The signed token of a form: its age."""

from datetime import UTC, datetime, timedelta

import pytest

from services.form_tokens import FormTokens
from services.keys import KeyRing
from services.submissions import Surface

NOON = datetime(2030, 4, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("milliseconds", [0, 49, 51, 99, 949, 951])
def test_token_is_never_issued_after_now(milliseconds):
    tokens = FormTokens(KeyRing(["secret"]))
    now = NOON + timedelta(milliseconds=milliseconds)

    token = tokens.read(tokens.issue("event", 1, Surface.PAGE, now=now), "event", now=now)

    assert 0 <= token.age_seconds(now) < 0.1
