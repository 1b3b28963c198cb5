"""Who came is matched without a guess, in whatever order and however often Zoom tells it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from services.attendance import (
    Presence,
    Reason,
    Standing,
    Stays,
    Verdict,
    choose_instances,
    may_hide_people,
    sum_up,
)
from services.event_dates import EventDate
from storage.attendance import Person
from tests.factories import NOW
from zoom_client import Instance, Participant

DATE = EventDate("", NOW, 60)
TARO = Person(1, "r-taro", "taro@example.com")
HANAKO = Person(2, "r-hanako", "hanako@example.com")
PEOPLE = (TARO, HANAKO, Person(3, None, "waits@example.com"))


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def stay(begin=0, end=60, *, number=None, email=None, name="山田 太郎", **more):
    members = {"was_waiting": False, "breakout_room": None, "seconds": (end - begin) * 60}
    return Participant(number, email, name, at(begin), at(end), **members | more)


def match(*rows, hosts=()):
    stays = Stays(DATE, hosts)
    for row in rows:
        stays.add(row)
    return stays.match(PEOPLE)


def present(begin, end, minutes):
    return Presence(at(begin), at(end), minutes * 60)


def test_rows_of_one_person_are_united_and_what_overlaps_counts_once():
    rows = [
        stay(0, 20, number="r-taro"),
        stay(10, 25, email="TARO@Example.com"),
        stay(12, 18, number="r-taro", breakout_room="room"),
        stay(40, 61, number="r-taro", name="another device"),
        stay(0, 60, number="r-taro", was_waiting=True),
    ]
    wanted = match(*rows)
    assert wanted.presences == {1: present(0, 61, 46)}
    assert wanted.unrecognised == 0
    for seed in range(5):
        shuffled = rows * 3
        random.Random(seed).shuffle(shuffled)
        assert match(*shuffled) == wanted


def test_number_at_zoom_says_more_than_an_address():
    found = match(stay(number="r-taro", email="hanako@example.com"))
    assert list(found.presences) == [1]


def test_address_is_enough_where_the_number_is_nobodys_here():
    found = match(stay(number="of Zoom's own form", email="Hanako@example.com"))
    assert (list(found.presences), found.unrecognised) == ([2], 0)


def test_name_alone_is_nobody_and_each_guest_is_counted_once():
    guests = [
        stay(0, 5),
        stay(9, 60),
        stay(name="花子"),
        stay(number="x"),
        stay(email="a@b.example"),
    ]
    found = match(*guests)
    assert (found.presences, found.unrecognised) == ({}, 4)


def test_hosts_are_nobodys_guests_and_a_rehearsal_is_none_of_the_date():
    found = match(
        stay(email="Host@example.com"),
        stay(-300, -240, number="r-taro"),
        replace(stay(-300, -240, number="r-taro"), left_at=None),
        stay(-30, 5, number="r-hanako"),
        hosts={"host@example.com"},
    )
    assert (list(found.presences), found.unrecognised) == ([2], 0)


@pytest.mark.parametrize("left_at", [None, at(0)])
def test_row_without_a_duration_is_not_ready(left_at):
    row = Participant("r-taro", None, "x", at(-1), left_at, 0, False, None)
    stays = Stays(DATE)
    stays.add(row)
    assert (stays.is_ready, stays.has_rows) == (False, True)


def test_record_that_says_more_is_another_one():
    def digest(*rows):
        stays = Stays(DATE)
        for row in rows:
            stays.add(row)
        return stays.digest

    one, other = stay(number="r-taro"), stay(number="r-hanako")
    assert digest(one, other) == digest(other, one, one)
    assert digest(one) != digest(one, other)
    assert digest(one) != digest(stay(0, 59, number="r-taro"))


def test_session_belongs_to_the_date_that_is_nearest():
    dates = [EventDate("a", NOW, 60), EventDate("b", NOW + timedelta(days=1), 60)]
    starts = [-1441, -13 * 60, -40, 30, 61, 200, 1435]
    held = [Instance(str(minutes), at(minutes)) for minutes in starts]
    assert [one.uuid for one in choose_instances(held, dates, dates[0])] == ["-40", "30", "61"]
    assert [one.uuid for one in choose_instances(held, dates, dates[1])] == ["1435"]


def test_session_of_which_nothing_is_told_hides_nobody_if_it_was_over_before():
    held = [Instance(str(minutes), at(minutes)) for minutes in (-120, -3, 40, 90)]
    hiding = [one.uuid for one in held if may_hide_people(one, held, DATE)]
    assert hiding == ["-3", "40"]


def test_somebody_came_to_a_series_who_came_once_and_is_absent_who_missed_all():
    absent, ahead = Verdict(Standing.ABSENT), Verdict(Standing.UNCLEAR, Reason.NOT_HELD)
    first = Verdict(Standing.ATTENDED, presence=present(0, 10, 10))
    second = Verdict(Standing.ATTENDED, presence=present(1440, 1500, 50))
    assert sum_up([absent, second, first]).presence == present(0, 1500, 60)
    assert sum_up([absent, absent]) == absent
    assert sum_up([absent, ahead]) == ahead
    assert sum_up([]) == ahead
    strangers = Verdict(Standing.UNCLEAR, Reason.UNRECOGNISED, 2)
    assert sum_up([ahead, strangers]) == strangers


def test_host_who_is_registered_was_there_like_anybody():
    found = match(stay(email="hanako@example.com"), hosts={"hanako@example.com"})
    assert (list(found.presences), found.unrecognised) == ([2], 0)


def test_stay_counts_for_the_dates_in_whose_time_it_was():
    first, second, far = DATE, EventDate("b", at(70), 50), EventDate("c", at(1440), 60)
    rows = [
        stay(-5, 62, number="r-taro"),  # a room that is left open until the second date is over
        stay(68, 118, number="r-hanako"),
        stay(-5, 120, number="of a stranger"),
    ]

    def judge(date):
        stays = Stays(date, dates=[first, second, far])
        for row in rows:
            stays.add(row)
        found = stays.match(PEOPLE)
        return found.presences, found.unrecognised

    assert judge(first) == ({1: present(-5, 62, 67)}, 1)
    assert judge(second) == ({2: present(68, 118, 50)}, 1)
    assert judge(far) == ({}, 0)


def test_who_leaves_as_the_next_date_begins_was_not_at_it_and_the_other_way_round():
    dates = [DATE, EventDate("b", at(60), 60)]
    rows = [stay(0, 60, number="r-taro"), stay(60, 120, number="r-hanako")]
    found = []
    for date in dates:
        stays = Stays(date, dates=dates)
        for row in rows:
            stays.add(row)
        found.append(list(stays.match(PEOPLE).presences))
    assert found == [[1], [2]]
