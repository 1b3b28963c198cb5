"""Moments for calls to Zoom, taken by all processes from one row."""

from datetime import date

import pytest

from storage import zoom_budgets
from storage.zoom_budgets import LONGEST_CLOSURE_SECONDS
from tests.races import race

NOW = 1_900_000_000.0
TODAY = date(2030, 3, 17)
TOMORROW = date(2030, 3, 18)
EVERY = 0.25


def reserve(session, name="LIGHT", *, patience=1.0, per_day=None, day=TODAY, now=NOW):
    return zoom_budgets.reserve(
        session,
        "account",
        name,
        interval=EVERY,
        patience=patience,
        per_day=per_day,
        day=day,
        now=now,
    )


def test_moments_lie_apart_as_far_as_patience_reaches(database):
    with database.write() as session:
        moments = [reserve(session) for _ in range(6)]

    assert moments == [NOW, NOW + 0.25, NOW + 0.5, NOW + 0.75, NOW + 1.0, None]


def test_idle_time_is_not_saved_up(database):
    with database.write() as session:
        reserve(session)

        assert [reserve(session, now=NOW + 60) for _ in range(2)] == [NOW + 60, NOW + 60.25]


def test_labels_do_not_share(database):
    with database.write() as session:
        assert (reserve(session), reserve(session, "HEAVY")) == (NOW, NOW)


def test_day_that_is_used_up_ends_with_the_day(database):
    with database.write() as session:
        today = [reserve(session, per_day=2, now=NOW + number) for number in range(3)]
        tomorrow = reserve(session, per_day=2, day=TOMORROW, now=NOW + 9)

    assert (today, tomorrow) == ([NOW, NOW + 1, None], NOW + 9)


def test_what_zoom_closed_stays_closed_until_then(database):
    with database.write() as session:
        for until in (NOW + 30, NOW + 20):
            zoom_budgets.close(session, "account", "LIGHT", until=until, day=TODAY)

        assert reserve(session) is None
        assert reserve(session, now=NOW + 29.5) == NOW + 30
        assert reserve(session, now=NOW + 31) == NOW + 31


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "taken"])
def test_clock_that_was_set_back_holds_up_nobody(database, is_closed):
    later = NOW + LONGEST_CLOSURE_SECONDS + 1
    with database.write() as session:
        if is_closed:
            zoom_budgets.close(session, "account", "LIGHT", until=later, day=TODAY)
        else:
            reserve(session, now=later)

        assert reserve(session) == NOW


def test_four_at_once_never_take_the_same_moment(database_url):
    def take(database):
        taken = []
        for _ in range(10):
            with database.write() as session:
                taken.append(reserve(session, patience=60))
        return taken

    moments = sorted(moment for taken in race(database_url, take) for moment in taken)

    assert moments == [NOW + EVERY * number for number in range(40)]


def test_budget_of_a_day_that_is_over_is_forgotten(database):
    with database.write() as session:
        reserve(session, "old")
        reserve(session, "new", day=TOMORROW)

        zoom_budgets.forget_idle_budgets(session, before=TOMORROW, now=NOW)

        assert zoom_budgets.get_budget(session, "account", "old") is None
        assert zoom_budgets.get_budget(session, "account", "new") is not None
