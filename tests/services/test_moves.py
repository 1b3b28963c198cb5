"""A series some of whose dates are over or full: who moves up, comes back, corrects an address."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.chosen_dates import read_chosen
from services.event_dates import EventDate, read_dates, write_dates
from services.events import LinkPolicy
from services.moves import fill_free_seats
from services.questions import DATES, Answer
from services.receipts import read_position
from services.registration_changes import Details, cancel, correct_address, register_again
from services.registration_edits import edit_details, lock_to_edit
from services.registrations import ChangeRefused, DatesClosed, register
from storage import events, registrations
from tests import factories
from tests.factories import NOW

AFTER_THE_FIRST = NOW + timedelta(days=2)


class Course:
    """A series of three dates with one seat, and its people by the first part of their addresses.

    The seat is `seat`'s, for the second date.
    """

    def __init__(self, session, **members):
        self.session = session
        days = {"d1": 1, "d2": 8, "d3": 15}
        dates = [EventDate(name, NOW + timedelta(days=n), 60) for name, n in days.items()]
        values = {"capacity": 1, "has_waitlist": True, "date_choice": "choose"}
        self.event = factories.make_event(
            session, starts_at=dates[0].starts_at, dates=write_dates(dates), **values | members
        )
        self.send("seat", "d2")

    def send(self, name, *dates, policy=LinkPolicy.SHOW, now=NOW):
        answers = {"company": Answer(("例株式会社",)), DATES: Answer(dates)}
        email = f"{name}@example.com"
        submission = factories.make_submission(self.event, email=email, answers=answers)
        return register(self.session, self.event, submission, policy=policy, now=now)

    def get(self, name):
        key = f"{name}@example.com"
        return registrations.get_registration_by_email_key(self.session, self.event.id, key)

    def cancel(self, name, *, now=AFTER_THE_FIRST):
        cancel(self.session, self.event, self.get(name), actor="person", now=now)

    def return_(self, name, *dates, now=AFTER_THE_FIRST):
        person, details = self.get(name), None
        if dates:
            answers = {DATES: Answer(dates)}
            details = Details("山田", "太郎", answers, person.form_version_id)
        register_again(self.session, self.event, person, details=details, now=now)

    def correct(self, row, name, *, policy=LinkPolicy.SHOW):
        email = f"{name}@example.com"
        members = {"email": email, "email_key": email, "policy": policy, "now": AFTER_THE_FIRST}
        return correct_address(self.session, self.event, row, **members)

    def choose(self, name, *dates):
        person = lock_to_edit(self.session, self.event, self.get(name).id)
        edit_details(
            self.session,
            self.event,
            person,
            family_name=person.family_name,
            given_name=person.given_name,
            answers={DATES: Answer(dates)},
            form_version_id=person.form_version_id,
            now=AFTER_THE_FIRST,
        )

    def list_statuses(self, *names):
        self.session.flush()
        return [self.get(name).status for name in names]

    def list_positions(self, *names):
        return [
            read_position(self.session, self.event, self.get(name), now=AFTER_THE_FIRST)
            for name in names
        ]

    def count_places(self):
        counters = events.list_counters(self.session, self.event.id)
        return [counters.get(f"date:{name}", 0) for name in ("d1", "d2", "d3")]

    def count_seats(self):
        return events.get_counter(self.session, self.event.id, events.SEATS)


def test_who_waits_for_a_date_that_is_over_holds_nobody_up(session):
    course = Course(session)
    course.send("late", "d1")
    course.send("first", "d1", "d2")
    course.send("second", "d2")

    course.cancel("seat")
    assert course.list_statuses("late", "first", "second") == [
        *("waitlisted", "approved", "waitlisted")
    ]
    course.send("newcomer", "d2", now=AFTER_THE_FIRST)
    course.cancel("first")

    assert course.list_statuses("late", "second", "newcomer") == [
        *("waitlisted", "approved", "waitlisted")
    ]
    assert course.count_seats() == 1


def test_who_waits_for_a_date_that_is_gone_holds_nobody_up(session):
    course = Course(session)
    course.send("late", "d3")
    course.send("first", "d3", "d2")
    dates = [replace(date, is_gone=date.id == "d3") for date in read_dates(course.event)]
    course.event.dates = write_dates(dates)

    course.cancel("seat")

    assert course.list_statuses("late", "first") == ["waitlisted", "approved"]


def test_however_many_cannot_move_up_the_next_one_does(session):
    course = Course(session)
    for number in range(3):
        course.send(f"late{number}", "d1")
    course.send("first", "d2")
    course.event.capacity = 2

    assert fill_free_seats(session, course.event, limit=1, now=AFTER_THE_FIRST)

    assert course.list_statuses("first") == ["approved"]
    assert not fill_free_seats(session, course.event, limit=1, now=AFTER_THE_FIRST)


def test_who_waits_for_a_date_that_is_full_is_passed_over(session):
    course = Course(session)
    course.send("first", "d2")
    course.send("second", "d3")
    course.event.capacity, course.event.seats_per_date = 2, 1

    fill_free_seats(session, course.event, now=NOW)

    assert course.list_statuses("first", "second") == ["waitlisted", "approved"]


def test_who_loses_the_last_place_on_a_date_to_who_was_first_leaves_the_seat_to_the_next(session):
    course = Course(session, seats_per_date=2)
    course.choose("seat", "d2", "d3")
    for name, date in (("first", "d3"), ("second", "d3"), ("third", "d2")):
        course.send(name, date)
    course.event.capacity = 3

    assert not fill_free_seats(session, course.event, now=NOW)

    assert course.list_statuses("first", "second", "third") == [
        *("approved", "waitlisted", "approved")
    ]
    assert (course.count_seats(), course.count_places()) == (3, [0, 2, 2])


def test_position_counts_those_who_may_move_up(session):
    course = Course(session)
    course.send("late", "d1")
    course.send("first", "d1", "d2")
    course.send("second", "d2")

    assert course.list_positions("late", "first", "second") == [None, 1, 2]


def test_who_waits_and_chooses_a_date_ahead_gets_the_free_seat_at_once(session):
    course = Course(session)
    course.send("late", "d1")
    course.cancel("seat")
    assert course.list_statuses("late") == ["waitlisted"]

    course.choose("late", "d2")

    assert course.list_statuses("late") == ["approved"]
    assert course.count_seats() == 1


def test_place_on_a_date_that_an_edit_gives_back_goes_to_who_waits_for_it(session):
    course = Course(session)
    course.send("first", "d2")
    course.event.capacity, course.event.seats_per_date = 2, 1

    course.choose("seat", "d3")

    assert course.list_statuses("seat", "first") == ["approved", "approved"]
    assert course.count_places() == [0, 1, 1]


def test_address_is_corrected_while_one_of_the_dates_is_ahead(session):
    course = Course(session, capacity=None, seats_per_date=2)
    mistaken = course.send("tarou", "d1", "d2")

    course.correct(mistaken, "taro")

    assert course.list_statuses("tarou", "taro") == ["cancelled", "approved"]
    assert course.count_places() == [1, 2, 0]


def test_places_on_dates_are_kept_by_the_right_address_though_there_are_fewer(session):
    course = Course(session, capacity=None, seats_per_date=2)
    mistaken = course.send("tarou", "d2")
    course.event.seats_per_date = 1

    course.correct(mistaken, "taro")

    assert course.list_statuses("taro") == ["approved"]
    assert course.count_places() == [0, 2, 0]


def test_right_address_has_the_date_that_was_chosen_since_though_all_are_full(session):
    course = Course(session, capacity=None, has_waitlist=False, seats_per_date=1)
    mistaken = course.send("tarou", "d3")
    course.cancel("seat")
    course.choose("tarou", "d2")
    course.send("hanako", "d3", now=AFTER_THE_FIRST)

    course.correct(mistaken, "taro")

    assert list(read_chosen(session, course.get("taro"))) == ["d2"]
    assert course.list_statuses("taro", "hanako") == ["approved", "approved"]
    assert course.count_places() == [0, 1, 1]


def test_right_address_waits_for_the_date_that_was_chosen_since(session):
    course = Course(session, capacity=2, seats_per_date=1)
    course.send("third", "d3")
    mistaken = course.send("tarou", "d3")
    course.send("hanako", "d2", now=NOW + timedelta(minutes=1))
    course.choose("tarou", "d2")

    course.correct(mistaken, "taro")
    course.cancel("seat")

    assert course.list_statuses("taro", "hanako") == ["approved", "waitlisted"]
    assert course.count_places() == [0, 1, 1]


def test_address_is_not_corrected_onto_a_date_that_is_full(session):
    course = Course(session, capacity=None, has_waitlist=False, seats_per_date=2)
    course.send("taro", "d1", policy=LinkPolicy.MAIL)
    again = course.send("taro", "d1", "d2", policy=LinkPolicy.MAIL)
    course.send("hanako", "d2")

    with pytest.raises(DatesClosed):
        course.correct(again, "jiro", policy=LinkPolicy.MAIL)


def test_who_cancelled_comes_back_while_one_of_the_dates_is_ahead(session):
    course = Course(session, capacity=None)
    for name, dates in (("taro", ("d1", "d2")), ("late", ("d1",))):
        course.send(name, *dates)
        course.cancel(name, now=NOW)

    course.return_("taro")

    assert course.list_statuses("taro") == ["approved"]
    with pytest.raises(ChangeRefused):
        course.return_("late")


def test_who_comes_back_to_a_full_event_waits_for_no_date_that_is_over(session):
    course = Course(session, capacity=2)
    course.send("late", "d1")
    course.cancel("late", now=NOW)
    course.send("taro", "d2")

    with pytest.raises(ChangeRefused):
        course.return_("late")
    assert course.list_statuses("late") == ["cancelled"]


def test_who_comes_back_gets_no_date_that_is_full(session):
    course = Course(session, capacity=None, has_waitlist=False, seats_per_date=2)
    course.send("taro", "d1", "d2")
    course.cancel("taro")
    course.send("hanako", "d2")

    with pytest.raises(DatesClosed):
        course.return_("taro")


def test_who_comes_back_for_other_dates_takes_places_there_and_keeps_those_they_came_to(session):
    course = Course(session, capacity=None, has_waitlist=False, seats_per_date=2)
    course.send("taro", "d1", "d2")
    course.cancel("taro")

    course.return_("taro", "d3")

    assert course.list_statuses("taro") == ["approved"]
    assert list(read_chosen(session, course.get("taro"))) == ["d1", "d3"]
    assert course.count_places() == [1, 1, 1]


def test_who_comes_back_drops_a_date_that_went_by_after_they_had_cancelled(session):
    course = Course(session, capacity=None, has_waitlist=False)
    course.send("taro", "d1", "d2")
    course.cancel("taro", now=NOW)

    course.return_("taro", "d3")

    assert list(read_chosen(session, course.get("taro"))) == ["d3"]


def test_who_comes_back_for_a_date_that_is_full_is_refused(session):
    course = Course(session, capacity=None, has_waitlist=False, seats_per_date=1)
    course.send("taro", "d3")
    course.cancel("taro")

    with pytest.raises(DatesClosed):
        course.return_("taro", "d2")


@pytest.mark.parametrize("date_choice", ["choose", "all"])
def test_nobody_moves_up_once_all_dates_are_cancelled(session, date_choice):
    course = Course(session, date_choice=date_choice)
    course.send("taro", "d2")
    dates = read_dates(course.event)
    course.event.dates = write_dates([replace(date, is_gone=True) for date in dates])

    course.cancel("seat", now=NOW)

    assert course.list_statuses("taro") == ["waitlisted"]
    assert course.list_positions("taro") == [None]
    course.event.dates = write_dates(dates)
    fill_free_seats(session, course.event, now=NOW)
    assert course.list_statuses("taro") == ["approved"]
