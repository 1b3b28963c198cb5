"""Which dates a series has after its host has changed them at Zoom."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from services import event_tasks
from services.date_following import follow, is_followed
from services.event_dates import EventDate, has_lost_dates, read_dates, write_dates
from services.events import EventState, LinkPolicy, get_state, read_seats
from services.questions import DATES, Answer
from services.registrations import register
from storage.models import Event, Mail
from tests import factories
from tests.factories import NOW
from zoom_client import Kind, Meeting, Occurrence

FIRST, SECOND, THIRD = (EventDate(f"d{day}", NOW + timedelta(days=day), 60) for day in (1, 8, 15))
HOUR = timedelta(hours=1)
LATER = NOW + HOUR
AFTER_THE_FIRST = NOW + timedelta(days=3)


@pytest.fixture
def series(session) -> Event:
    """A series of two dates, to both of which somebody comes."""
    event = factories.make_event(
        session,
        starts_at=FIRST.starts_at,
        dates=write_dates((FIRST, SECOND)),
        date_choice="all",
    )
    submission = factories.make_submission(event)
    register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
    return event


def make_meeting(*dates, type=8) -> Meeting:
    held = tuple(Occurrence(date.id, date.starts_at, date.minutes, "available") for date in dates)
    return Meeting(
        kind=Kind.MEETING,
        id=1,
        uuid="u",
        topic="",
        type=type,
        duration_minutes=60,
        occurrences=held,
    )


def follow_and_tell(session, series, meeting, *, now):
    """Take over what Zoom has, tell people, and return which mails were asked for till now."""
    follow(session, series, meeting, now=now)
    while event_tasks.do_some(session, series.id, now=now):
        pass
    statement = select(Mail.name).where(Mail.event_id == series.id).order_by(Mail.id)
    return list(session.scalars(statement))


def test_date_that_takes_the_place_of_the_last_one_is_told(session, series):
    asked = follow_and_tell(session, series, make_meeting(), now=AFTER_THE_FIRST)
    assert asked == ["confirmation", "dates"]

    later = AFTER_THE_FIRST + HOUR
    assert is_followed(series, now=later)
    asked = follow_and_tell(session, series, make_meeting(THIRD), now=later)

    assert asked == ["confirmation", "dates", "dates"]
    assert [date.is_gone for date in read_dates(series)] == [False, True, False]
    assert series.starts_at == THIRD.starts_at


@pytest.mark.parametrize("date_choice", ["all", "choose"])
@pytest.mark.parametrize(
    ("members", "word"),
    [({"approval": "manual"}, "pending"), ({"capacity": 0, "has_waitlist": True}, "waitlisted")],
)
def test_who_waits_is_told_of_changed_dates_once(session, members, word, date_choice):
    event = factories.make_event(
        session,
        starts_at=FIRST.starts_at,
        dates=write_dates((FIRST, SECOND, THIRD)),
        date_choice=date_choice,
        **members,
    )
    answers = {"company": Answer(("例株式会社",)), DATES: Answer(("d8",))}
    submission = factories.make_submission(event, answers=answers)
    register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)

    asked = follow_and_tell(session, event, make_meeting(FIRST, SECOND), now=LATER)
    is_concerned = date_choice == "all"
    assert asked == [word] + ["dates"] * is_concerned
    for now in (LATER + HOUR, LATER + 2 * HOUR):
        asked = follow_and_tell(session, event, make_meeting(FIRST), now=now)
        assert asked == [word] + ["dates"] * (1 + is_concerned)


def test_who_waits_is_not_told_of_a_change_that_is_past(session, series):
    late = replace(SECOND, changed_at=LATER)
    series.dates = write_dates((FIRST, late, THIRD))
    series.approval = "manual"
    submission = factories.make_submission(series, email="waits@example.com")
    waits = register(session, series, submission, policy=LinkPolicy.SHOW, now=NOW)

    after = SECOND.ends_at
    assert event_tasks.tell_of_dates(session, series, limit=10, now=after) == 1
    told = session.scalars(select(Mail.registration_id).where(Mail.name == "dates"))
    assert waits.registration_id not in [*told]


def test_series_without_a_date_left_takes_nobody_until_it_has_one(session, series):
    follow_and_tell(session, series, make_meeting(), now=LATER)
    assert has_lost_dates(series)
    assert get_state(series, read_seats(session, series), LATER) == EventState.CLOSED

    asked = follow_and_tell(session, series, make_meeting(THIRD), now=LATER + HOUR)
    assert asked == ["confirmation", "dates", "dates"]
    assert get_state(series, read_seats(session, series), LATER + HOUR) == EventState.OPEN


def test_meeting_that_is_no_series_any_more_cancels_no_date(session, series):
    asked = follow_and_tell(session, series, make_meeting(type=2), now=LATER)

    assert asked == ["confirmation"]
    assert read_dates(series) == (FIRST, SECOND)
