"""An organization's page of coming events: its address, and which events stand on it."""

from datetime import timedelta

import pytest
from sqlalchemy import event as listen

from services.event_dates import EventDate, write_dates
from services.organization_pages import (
    EVENTS_A_PAGE,
    MOST_FORMER,
    SlugRefused,
    SlugTaken,
    change_slug,
    count_coming,
    list_coming,
    suggest_slug,
)
from storage import events, public_pages
from tests import factories
from tests.factories import NOW


def add_event(session, organization, days=7, **members):
    starts_at = NOW + timedelta(days=days)
    return factories.make_event(
        session, organization_id=organization.id, **{"starts_at": starts_at, **members}
    )


def list_slugs(session, organization, **options):
    options = {"locale": "ja", "now": NOW} | options
    return [event.slug for event in list_coming(session, organization, **options).events]


def test_addresses_are_made_of_names_where_that_is_possible():
    assert suggest_slug("Sample, Inc. (Japan)") == "sample-inc-japan"
    assert suggest_slug("サンプル株式会社 / Sample Inc.") == "sample-inc"
    assert suggest_slug("サンプル株式会社") == ""
    assert suggest_slug("a " * 90) == "a"


def test_former_address_leads_on_and_is_nobody_elses(database):
    with database.write() as session:
        mine, other = (factories.make_organization(session) for _ in range(2))
        assert change_slug(session, mine, "first", now=NOW)
        assert not change_slug(session, mine, "first", now=NOW)
        change_slug(session, mine, "second", now=NOW)

        assert public_pages.find_organization(session, "first").id == mine.id
        for slug in ("first", "second"):
            with pytest.raises(SlugTaken):
                change_slug(session, other, slug, now=NOW)
        change_slug(session, mine, "first", now=NOW)
        change_slug(session, mine, "", now=NOW)
        assert public_pages.find_organization(session, "first") is None
        assert public_pages.get_owner_of_slug(session, "first") == mine.id


def test_addresses_are_not_hoarded(database):
    with database.write() as session:
        mine, other = (factories.make_organization(session) for _ in range(2))
        for number in range(MOST_FORMER + 2):
            later = NOW + timedelta(minutes=number)
            change_slug(session, mine, f"name-{number}", now=later)

        assert change_slug(session, other, "name-0", now=NOW)
        with pytest.raises(SlugTaken):
            change_slug(session, other, "name-1", now=NOW)


@pytest.mark.parametrize("slug", ["A", "a b", "a--b", "-a", "x" * 61, "../a", "é", "a\n"])
def test_what_cannot_be_an_address_is_refused(database, slug):
    with database.write() as session:
        organization = factories.make_organization(session)
        with pytest.raises(SlugRefused):
            change_slug(session, organization, slug, now=NOW)


def test_only_what_comes_and_is_listed_is_on_it(database):
    with database.write() as session:
        mine, other = (factories.make_organization(session) for _ in range(2))
        add_event(session, mine, 9, slug="later")
        add_event(session, mine, 7, slug="next")
        add_event(session, mine, 8, slug="closed", status="closed")
        add_event(session, mine, 7, slug="draft", status="draft")
        add_event(session, mine, 7, slug="cancelled", status="cancelled")
        add_event(session, mine, 7, slug="unlisted", is_listed=False)
        add_event(session, mine, 0, slug="under-way", starts_at=NOW - timedelta(minutes=59))
        add_event(session, mine, 0, slug="over", starts_at=NOW - timedelta(minutes=60))
        add_event(session, other, 7, slug="foreign")

        assert list_slugs(session, mine) == ["under-way", "next", "closed", "later"]
        assert count_coming(session, mine, now=NOW) == 4


def test_each_event_says_whether_one_can_register(database):
    with database.write() as session:
        mine = factories.make_organization(session)
        full = add_event(session, mine, 1, capacity=1)
        waiting = add_event(session, mine, 2, capacity=1, has_waitlist=True)
        for event in (full, waiting):
            events.add_counters(session, event.id, {events.SEATS: 1})
        add_event(session, mine, 3, opens_at=NOW + timedelta(days=1))
        add_event(session, mine, 4, closes_at=NOW + timedelta(days=2))
        add_event(session, mine, 5, closes_at=NOW - timedelta(days=2))
        few = add_event(session, mine, 6, capacity=100)
        events.add_counters(session, few.id, {events.SEATS: 95})

        found = list_coming(session, mine, "ja", now=NOW).events
        assert [event.state for event in found] == [
            *("full", "open", "soon", "open", "closed", "open")
        ]
        assert [event.is_waiting_list_open for event in found].index(True) == 1
        assert found[2].opens_text == "2030年4月2日（火）10:00（日本時間）"
        assert found[3].closes_text == "2030年4月3日（水）10:00（日本時間）"
        assert [event.are_few_left for event in found].index(True) == 5


def test_series_is_listed_by_its_next_date_and_full_with_its_last(database):
    dates = [EventDate(str(n), NOW + timedelta(days=7 * n), 60) for n in (1, 2, 3)]
    with database.write() as session:
        mine = factories.make_organization(session)
        series = add_event(
            session, mine, 7, dates=write_dates(dates), date_choice="choose", seats_per_date=1
        )
        [found] = list_coming(session, mine, "en", now=NOW).events
        assert (found.state, found.later_dates) == ("open", 2)
        events.add_counters(session, series.id, {f"date:{date.id}": 1 for date in dates})
        [found] = list_coming(session, mine, "en", now=NOW).events
        assert found.state == "full"


def test_list_goes_on_after_the_last_event_of_a_page(database):
    with database.write() as session:
        mine, other = (factories.make_organization(session) for _ in range(2))
        for number in range(EVENTS_A_PAGE + 3):
            add_event(session, mine, 7, slug=f"spring-{number}")
        stranger = add_event(session, other, 99)
        first = list_coming(session, mine, "ja", now=NOW)
        second = list_coming(session, mine, "ja", after=first.after, now=NOW)

        slugs = [event.slug for event in (*first.events, *second.events)]
        assert slugs == [f"spring-{number}" for number in range(EVENTS_A_PAGE + 3)]
        assert second.after == ""
        for unknown in (stranger.public_id, "x"):
            assert list_coming(session, mine, "ja", after=unknown, now=NOW) == first


def test_many_events_cost_no_more_questions(database):
    with database.write() as session:
        mine = factories.make_organization(session)
        for _ in range(EVENTS_A_PAGE):
            add_event(session, mine, capacity=5)
    asked = []
    with database.read() as session:
        listen.listen(session.connection(), "before_cursor_execute", lambda *_: asked.append(1))
        list_coming(session, mine, "ja", now=NOW)

    assert len(asked) == 1
