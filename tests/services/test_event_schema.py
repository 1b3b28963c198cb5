"""Events as search engines read them."""

from datetime import timedelta

import pytest

from services.event_dates import EventDate, write_dates
from services.event_schema import describe_event, is_free
from services.event_views import view_event
from services.events import Seats
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import only_sqlite

SPEAKER = {"id": "a", "name": {"ja": "山田 花子"}, "role": {}, "text": {}, "picture": None}


ENOUGH = Seats(0, None)


def describe(database, *, seats=ENOUGH, locale="ja", **members):
    with database.write() as session:
        event = factories.make_event(session, slug="spring", **members)
        view = view_event(session, event, locale, seats=seats, now=NOW)
    base = "https://events.example.com"
    return describe_event(view, url=f"{base}/e/spring", image=f"{base}/card.png", base_url=base)


@only_sqlite
def test_event_is_described_with_its_zone_and_place(database):
    schema = describe(database, fee={"ja": "無料（事前登録制）"}, speakers=[SPEAKER])

    assert schema == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "春の説明会",
        "startDate": "2030-04-08T10:00:00+09:00",
        "endDate": "2030-04-08T11:00:00+09:00",
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "eventStatus": "https://schema.org/EventScheduled",
        "location": {"@type": "VirtualLocation", "url": "https://events.example.com/e/spring"},
        "image": ["https://events.example.com/card.png"],
        "inLanguage": "ja",
        "organizer": {"@type": "Organization", "name": "例の会"},
        "performer": [{"@type": "Person", "name": "山田 花子"}],
        "offers": {
            "@type": "Offer",
            "price": "0",
            "priceCurrency": "JPY",
            "availability": "https://schema.org/InStock",
            "url": "https://events.example.com/e/spring",
        },
        "isAccessibleForFree": True,
    }


@only_sqlite
def test_full_and_cancelled_events_say_so(database):
    full = describe(database, seats=Seats(5, 5), capacity=5, fee={"ja": "無料"})
    assert full["offers"]["availability"] == "https://schema.org/SoldOut"


@only_sqlite
def test_cancelled_event_offers_nothing(database):
    schema = describe(database, status="cancelled", fee={"ja": "無料"})

    assert schema["eventStatus"] == "https://schema.org/EventCancelled"
    assert "offers" not in schema


@only_sqlite
def test_moved_event_says_when_it_was_to_be(database):
    schema = describe(database, former_starts_at=NOW)

    assert schema["startDate"] == "2030-04-08T10:00:00+09:00"
    assert schema["previousStartDate"] == "2030-04-01T10:00:00+09:00"
    assert schema["eventStatus"] == "https://schema.org/EventRescheduled"


@only_sqlite
def test_series_that_was_no_series_before_is_not_moved(database):
    dates = write_dates([EventDate("1", NOW + timedelta(days=7), 60)])
    schema = describe(database, former_starts_at=NOW, dates=dates)

    assert schema["eventStatus"] == "https://schema.org/EventScheduled"
    assert "previousStartDate" not in schema


@only_sqlite
def test_series_lists_its_dates(database):
    dates = [
        EventDate("1", NOW + timedelta(days=7), 60),
        EventDate("2", NOW + timedelta(days=14), 60),
    ]
    schema = describe(database, dates=write_dates(dates))

    assert (schema["startDate"], schema["endDate"]) == (
        "2030-04-08T10:00:00+09:00",
        "2030-04-15T11:00:00+09:00",
    )
    assert [date["startDate"] for date in schema["subEvent"]] == [
        "2030-04-08T10:00:00+09:00",
        "2030-04-15T10:00:00+09:00",
    ]


@pytest.mark.parametrize(
    ("fee", "free"),
    [
        ("無料", True),
        ("無料（事前登録制）", True),
        ("参加費：無料", True),
        ("Free, registration required", True),
        ("0円", True),
        ("無料（会員以外は3,000円）", False),
        ("Freedom costs", False),
        ("3,000円", False),
        ("会員は無料", False),
        ("", False),
    ],
)
def test_only_what_surely_costs_nothing_is_free(fee, free):
    assert is_free(fee) is free
