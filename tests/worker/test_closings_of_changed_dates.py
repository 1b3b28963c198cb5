"""A series that is full at Zoom for some dates, of which one ends, goes or comes meanwhile."""

import pytest

from services.event_dates import read_dates
from services.registrations import RegistrationNotOpen
from storage import events
from tests.fixtures.databases import only_sqlite
from tests.worker.test_closings import (
    PUT_ASIDE,
    SECOND,
    TAKEN,
    THIRD,
    list_outcomes,
    read_closing,
    set_places,
    wait_and_work,
)
from tests.worker.test_closings_of_series import (
    come,
    list_full_dates,
    list_problems,
    make_series_desk,
)
from tests.worker.test_series import follow_dates
from tests.zoom_sandbox.api import Api
from worker.event_dates import step_on

__all__ = ["make_series_desk"]


@pytest.fixture
def desk(make_series_desk):
    """A desk of three dates, each with one place at Zoom, of which date 0 is taken by FIRST."""
    desk = make_series_desk()
    set_places(desk, 1)
    come(desk, first=(0,))
    return desk


def end_date(desk):
    """Let time pass until date 0 is over, as workers notice once a minute."""
    ends_at = read_dates(desk.event)[0].ends_at
    desk.let_pass(seconds=(ends_at - desk.clock()).total_seconds() + 60)
    step_on(desk.database, now=desk.clock())
    desk.work()


def drop_date(desk):
    """Have the host delete date 0, and find it out."""
    follow_dates(desk)
    desk.drop_date(0, is_known=False)
    for _ in range(2):
        wait_and_work(desk, minutes=61)


def add_date(desk):
    """Have the host hold the series once more, and find it out."""
    follow_dates(desk)
    path, changes = f"/meetings/{desk.event.zoom_id}", {"recurrence": {"type": 1, "end_times": 4}}
    assert Api(desk.sandbox.url).call("PATCH", path, changes).status_code == 204
    for _ in range(2):
        wait_and_work(desk, minutes=61)
    with desk.database.read() as session:
        desk.event = events.need_event(session, desk.event.id)
    assert len(desk.event.dates) == 4


@pytest.mark.parametrize("lose_date", [end_date, drop_date])
def test_who_was_refused_for_a_date_that_is_lost_is_tried_for_the_others(desk, lose_date):
    come(desk, second=(0, 1))
    assert (list_outcomes(desk, SECOND), list_full_dates(desk)) == ([PUT_ASIDE], [0, 1])

    lose_date(desk)
    wait_and_work(desk, minutes=1)

    assert (list_outcomes(desk, SECOND), desk.list_dates_at_zoom(SECOND)) == ([TAKEN], [1])
    assert read_closing(desk) == ""


@only_sqlite
def test_full_date_that_is_over_is_told_of_no_more(desk):
    come(desk, second=(0,))
    assert "needs_setting" in list_problems(desk)

    end_date(desk)

    assert read_closing(desk) == ""
    assert "needs_setting" not in list_problems(desk)


@only_sqlite
def test_dates_that_are_full_stay_so_once_another_one_is_over(desk):
    """THIRD was refused for date 1, which FOURTH has."""
    come(desk, second=(0,), fourth=(1,), third=(1,))
    assert list_full_dates(desk) == [0, 1]
    calls = desk.count_calls("add_registrant")

    end_date(desk)
    wait_and_work(desk, minutes=1)

    assert (list_full_dates(desk), read_closing(desk)) == ([1], "AtCapacity")
    assert (list_outcomes(desk, THIRD), desk.count_calls("add_registrant")) == ([PUT_ASIDE], calls)


@only_sqlite
def test_form_opens_for_a_date_that_is_added(desk):
    """SECOND was refused for all dates that there were."""
    come(desk, fourth=(1, 2), second=(0, 1, 2))
    with pytest.raises(RegistrationNotOpen):
        desk.register(THIRD, dates=(2,))

    add_date(desk)
    come(desk, third=(3,))

    assert (list_full_dates(desk), list_outcomes(desk, SECOND)) == ([0, 1, 2], [PUT_ASIDE])
    assert (list_outcomes(desk, THIRD), desk.list_dates_at_zoom(THIRD)) == ([TAKEN], [3])
