"""What is remembered of whom Zoom has refused for which dates of a series."""

from itertools import combinations

from services.full_dates import MOST_REFUSED, forget_refused, note_refused
from storage import registrations
from tests import factories


def make_closed(session, **members):
    event = factories.make_event(session, capacity=1, has_waitlist=True, **members)
    event.closed_by_zoom = "AtCapacity"
    return event


def test_smallest_wish_that_was_refused_says_all(session):
    event = make_closed(session)
    for dates in (["1", "2"], ["3"], ["2"], ["2", "4"]):
        note_refused(event, dates)

    assert event.refused_dates == [["3"], ["2"]]
    assert forget_refused(event, ["2"])
    assert event.refused_dates == [["3"]]


def test_great_many_wishes_are_left_out_and_who_is_next_is_found_all_the_same(session):
    event = make_closed(session)
    for dates in combinations("abcdefghijklmnopqrst", 3):
        note_refused(event, dates)

    known = event.refused_dates
    assert len(known) == MOST_REFUSED
    found = registrations.list_first_waitlisted(
        session, event.id, dates=None, refused=known, limit=1
    )
    assert found == []
    note_refused(event, ["a"])
    assert ["a"] in event.refused_dates, "it explains many others"
