"""Which events are not over: every list says the same, whatever Zoom told of a series last."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from services.event_dates import EventDate, write_dates
from services.events import get_end
from services.organization_pages import count_coming, list_coming
from services.overview import read_overview
from storage import (
    event_ends,
    event_lists,
    events,
    job_requests,
    organizations,
    public_pages,
)
from storage.event_ends import list_begun
from storage.job_requests import ZOOM_SYNC
from storage.models import Event
from storage.statements import table_of
from tests import factories
from tests.factories import NOW
from worker.event_dates import step_on
from zoom_client import Plan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DATES = tuple(EventDate(f"d{n}", NOW + n * 7 * DAY, 60) for n in range(3))
BETWEEN = NOW + 12 * DAY
AFTER = NOW + 20 * DAY


def make_weekly(session, **members):
    """Add a series whose row still has its first date, as Zoom has told nothing since."""
    return factories.make_event(
        session, starts_at=NOW, dates=write_dates(DATES), is_listed=True, **members
    )


def list_everywhere(session, *, now):
    """Return in which lists of what lies ahead something stands."""
    organization = organizations.get_first_organization(session)
    organization.slug = "org"
    session.flush()
    counts = event_lists.count_events(session, organization.id, event_ids=None, now=now)
    published = event_lists.list_events(
        session, organization.id, "published", event_ids=None, limit=9, now=now
    )
    return {
        "overview": len(read_overview(session, plan=Plan("pro"), now=now).events),
        "public": len(list_coming(session, organization, "ja", now=now).events),
        "count": count_coming(session, organization, now=now),
        "map": len(public_pages.list_findable(session, since=now - DAY, limit=9, now=now)),
        "tab": len(published),
        "tabs": counts.published,
    }


@pytest.mark.parametrize(
    "dates",
    [(), DATES, (DATES[0], EventDate("gone", AFTER, 60, is_gone=True))],
    ids=["alone", "series", "last date gone"],
)
def test_row_has_the_end_that_is_decided_by(session, dates):
    event = factories.make_event(session, starts_at=NOW, dates=write_dates(dates))
    assert event.ends_at == get_end(event)

    event.duration_minutes = 90
    event.dates = write_dates(dates[:1])
    session.flush()
    assert event.ends_at == get_end(event)


def test_all_lists_have_a_series_until_its_last_date_is_over(session):
    make_weekly(session)

    assert set(list_everywhere(session, now=BETWEEN).values()) == {1}
    assert set(list_everywhere(session, now=AFTER).values()) == {0}


def test_event_of_an_older_version_is_listed_by_its_start(session):
    event = factories.make_event(session, starts_at=NOW)
    session.execute(text("UPDATE event SET ends_at = NULL"))

    assert set(list_everywhere(session, now=NOW - HOUR).values()) == {1}
    assert set(list_everywhere(session, now=BETWEEN).values()) == {0}
    assert [found.id for found in list_begun(session, limit=9, now=BETWEEN)] == [event.id]


def test_start_of_a_series_is_that_of_its_next_date(session):
    event = make_weekly(session)
    for number, at in enumerate((DATES[2].starts_at - HOUR, DATES[2].starts_at + HOUR)):
        job_requests.enqueue_about(
            session, ZOOM_SYNC, number, event_id=event.id, run_at=at, now=BETWEEN
        )

    [work] = read_overview(session, plan=Plan("pro"), now=BETWEEN).events

    assert (work.starts_at, work.waiting, work.late) == (DATES[2].starts_at, 2, 1)


def test_end_that_an_older_version_left_as_it_was_is_mended_by_the_next_look(database):
    with database.write() as session:
        moved = factories.make_event(session, starts_at=NOW)
        weekly = factories.make_event(
            session, starts_at=NOW, dates=write_dates(DATES[:1]), slug="weekly"
        )
        # As code moves an event, and takes over dates, that does not know of its end.
        for event, changes in (
            (moved, {"starts_at": AFTER}),
            (weekly, {"dates": write_dates(DATES)}),
        ):
            is_this = update(table_of(Event)).where(Event.id == event.id)
            session.execute(is_this.values(updated_at=NOW, **changes))

    step_on(database, now=NOW + HOUR)

    with database.read() as session:
        ends = {event.slug: event.ends_at for event in events.list_events(session)}
        assert ends == {moved.slug: AFTER + HOUR, "weekly": DATES[-1].ends_at}
        assert event_ends.list_outdated(session, since=NOW) == []
