"""Every kind of 429, told apart by its words, and the moment it ends."""

from datetime import UTC, datetime, timedelta

import pytest

from zoom_client import (
    AccountDayLimited,
    BurstLimited,
    ConcurrencyLimited,
    HostDayLimited,
    Kind,
    NewRegistrant,
    PersonDayLimited,
    RateLimited,
)
from zoom_client.refusals import find_next_reset, read_retry_after

TARO = NewRegistrant("taro@example.com", "太郎", "山田")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NEXT_RESET = datetime(2026, 11, 23, 0, 5, tzinfo=UTC)


def add(client):
    return client.add_registrant(Kind.MEETING, 85746065123, TARO)


PERSON_LIMIT = (
    "You have exceeded the daily rate limit of (3) for Add meeting registrant API requests "
    "permitted for this participant (taro@example.com)."
)
LIMITS = [
    (
        "You have reached the maximum per-second rate limit for this API. Try again later.",
        BurstLimited,
        timedelta(seconds=1),
    ),
    (
        "You have reached the maximum daily rate limit for this API. Refer to the response header",
        AccountDayLimited,
        NEXT_RESET - NOON,
    ),
    (
        "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests "
        "permitted for this particular user.",
        HostDayLimited,
        NEXT_RESET - NOON,
    ),
    (PERSON_LIMIT, PersonDayLimited, NEXT_RESET - NOON),
    (
        "You have exceeded the daily rate limit of (10) for Update registrant status API requests.",
        PersonDayLimited,
        NEXT_RESET - NOON,
    ),
    ("Too many concurrent requests.", ConcurrencyLimited, timedelta(seconds=1)),
    ("Slow down.", RateLimited, timedelta(minutes=1)),
]


@pytest.mark.parametrize(("status", "code"), [(429, 429), (429, 4001), (400, 429), (429, None)])
@pytest.mark.parametrize(("message", "expected", "wait"), LIMITS)
def test_limit_is_told_by_its_message(zoom, message, expected, wait, status, code):
    zoom.now = NOON
    zoom.will_answer({"message": message} | ({"code": code} if code else {}), status)

    with pytest.raises(RateLimited) as raised:
        add(zoom.client())

    assert type(raised.value) is expected
    assert raised.value.retryable is True
    assert raised.value.retry_after == NOON + wait
    assert "taro" not in str(raised.value)


@pytest.mark.parametrize(
    ("limit_type", "expected"), [("QPS", BurstLimited), ("Daily-limit", AccountDayLimited)]
)
def test_limit_without_words_is_told_by_its_header(zoom, limit_type, expected):
    zoom.will_answer(b"<html>", 429, {"X-RateLimit-Type": limit_type})

    with pytest.raises(RateLimited) as raised:
        add(zoom.client())

    assert type(raised.value) is expected


def test_account_day_ends_when_zoom_says(zoom):
    zoom.now = NOON
    zoom.will_answer(
        {"code": 429, "message": "You have reached the maximum daily rate limit for this API."},
        429,
        {"Retry-After": "2026-11-23T00:00:00Z", "X-RateLimit-Type": "Daily-limit"},
    )

    with pytest.raises(AccountDayLimited) as raised:
        add(zoom.client())

    assert raised.value.retry_after == datetime(2026, 11, 23, tzinfo=UTC)


def test_moment_already_past_is_not_believed(zoom):
    zoom.now = NOON
    zoom.will_answer(
        {"code": 429, "message": PERSON_LIMIT}, 429, {"Retry-After": "2026-11-22T00:00:00Z"}
    )

    with pytest.raises(PersonDayLimited) as raised:
        add(zoom.client())

    assert raised.value.retry_after == NEXT_RESET


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("2026-11-23T00:00:00Z", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T09:00:00+09:00", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T00:00:00", datetime(2026, 11, 23, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 00:00:00 GMT", datetime(2026, 11, 23, tzinfo=UTC)),
        ("120", NOON + timedelta(minutes=2)),
        ("99999999999999999999", None),
        ("-5", None),
        ("soon", None),
        ("soon, or later", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_every_form(header, expected):
    assert read_retry_after(header, NOON) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOON, NEXT_RESET),
        (datetime(2026, 11, 23, 0, 4, tzinfo=UTC), NEXT_RESET),
        (datetime(2026, 11, 23, 0, 5, tzinfo=UTC), NEXT_RESET + timedelta(days=1)),
        (datetime.fromisoformat("2026-11-23T08:00:00+09:00"), NEXT_RESET),
    ],
)
def test_caps_are_counted_anew_after_midnight_utc(now, expected):
    assert find_next_reset(now) == expected
