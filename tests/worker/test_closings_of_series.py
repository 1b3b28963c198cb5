"""A series of which dates are full at Zoom: whoever gives one up makes way for who wants it."""

from contextlib import suppress

import pytest

from services.alarms import find_problems
from services.calendar_entries import (
    CalendarOwner,
    make_calendar_entries,
    make_dropped_entries,
)
from services.chosen_dates import read_closed, read_people_dates
from services.event_dates import Closed, write_date
from services.overview import read_overview
from services.registrations import DatesClosed, RegistrationNotOpen
from storage import events, jobs, registrations
from storage.models import Job
from tests.fixtures.databases import only_sqlite
from tests.series import list_ids
from tests.worker.test_closings import (
    FIRST,
    FOURTH,
    PUT_ASIDE,
    RIGHT,
    SECOND,
    TAKEN,
    THIRD,
    list_outcomes,
    read_closing,
    read_status,
    set_places,
    try_again,
    wait_and_work,
    work_until_asked,
)
from tests.worker.test_series import SeriesDesk
from worker import refusals, zoom
from worker.loop import Worker
from worker.places import PlaceFinding
from zoom_client.pacing import Plan
from zoom_sandbox.server import SandboxServer

FIFTH = "fifth@example.com"


@pytest.fixture
def make_series_desk(database):
    with SandboxServer() as sandbox:

        def make(**members):
            desk = SeriesDesk(database, sandbox, **members)
            desk.let_pass_until(12)  # so that Zoom's day ends when a test says so
            return desk

        yield make


@pytest.fixture
def desk(make_series_desk):
    """A desk of three dates, each with one place at Zoom."""
    desk = make_series_desk()
    set_places(desk, 1)
    return desk


def come(desk, **dates):
    """Register people, each for some dates, and have Zoom decide about one after the other."""
    for name, chosen in dates.items():
        desk.register(f"{name}@example.com", dates=chosen)
    desk.work()


def find_waiting(desk):
    [event] = look_over(desk).events
    return event.registered, event.waiting, event.late, event.without_link


def list_problems(desk):
    return {str(problem.name) for problem in find_problems(look_over(desk))}


def look_over(desk):
    with desk.database.read() as session:
        return read_overview(session, plan=Plan.PRO, now=desk.clock())


@pytest.fixture
def full(desk):
    """Dates 0 and 1 are full; SECOND was refused for the former, THIRD for the latter."""
    come(desk, first=(0,), fourth=(1,), second=(0,), third=(1,))
    outcomes = [TAKEN, TAKEN, PUT_ASIDE, PUT_ASIDE]
    assert list_outcomes(desk, FIRST, FOURTH, SECOND, THIRD) == outcomes
    return desk


def test_date_that_somebody_leaves_for_another_is_free(desk):
    come(desk, first=(0,), second=(0,))
    assert list_outcomes(desk, FIRST, SECOND) == [TAKEN, PUT_ASIDE]

    desk.change_dates((1,), FIRST)
    desk.work()
    wait_and_work(desk, minutes=1)

    assert (list_outcomes(desk, SECOND), read_closing(desk)) == ([TAKEN], "")
    assert (desk.list_dates_at_zoom(FIRST), desk.list_dates_at_zoom(SECOND)) == ([1], [0])


def test_who_changes_dates_keeps_their_place_on_the_one_they_stay_with(desk):
    """FIRST leaves all dates, and has to wait before Zoom takes them for date 1 again."""
    come(desk, first=(0, 1), second=(1,))
    desk.zoom.fault("add_registrant", status=429, email=FIRST)

    desk.change_dates((1, 2), FIRST)
    desk.work()
    assert desk.list_dates_at_zoom(FIRST) == []
    for _ in range(5):
        wait_and_work(desk, minutes=1)

    assert desk.list_dates_at_zoom(FIRST) == [1, 2]
    assert list_outcomes(desk, SECOND) == [PUT_ASIDE]


@only_sqlite
def test_dates_of_a_wrong_address_are_the_right_one_s(full):
    """SECOND was refused for date 0, which FIRST has, whose address was mistyped."""
    full.correct_address(RIGHT, FIRST)
    full.work()
    for _ in range(3):
        wait_and_work(full, minutes=1)

    assert list_outcomes(full, RIGHT, SECOND) == [TAKEN, PUT_ASIDE]
    assert full.list_dates_at_zoom(RIGHT) == [0]
    assert full.list_dates_at_zoom(FIRST) == []


@only_sqlite
@pytest.mark.parametrize("is_asked", [False, True])
def test_right_address_keeps_the_dates_at_zoom_and_waits_for_further_ones(desk, is_asked):
    """FIRST wants date 1 too, which SECOND has; Zoom was asked for it before, or was not."""
    come(desk, first=(0,), second=(1,))
    desk.change_dates((0, 1), FIRST)
    if is_asked:
        desk.work()
    desk.correct_address(RIGHT, FIRST)
    desk.work()
    for _ in range(3):
        wait_and_work(desk, minutes=1)

    assert (desk.list_dates_at_zoom(FIRST), desk.list_dates_at_zoom(RIGHT)) == ([], [0])
    desk.cancel(SECOND)
    desk.work()
    desk.let_pass(hours=25)  # their three adds of a day are free again
    for _ in range(3):
        wait_and_work(desk, minutes=11)
    assert (desk.list_dates_at_zoom(RIGHT), list_outcomes(desk, RIGHT)) == ([0, 1], [TAKEN])
    assert desk.read(RIGHT).kept_dates is None


def test_date_given_up_before_the_form_is_closed_is_theirs(desk):
    """FIRST leaves date 0 before the answer comes that SECOND got."""
    come(desk, first=(0, 1))
    desk.register(SECOND, dates=(0,))
    refused = work_until_asked(desk, adds=2)

    desk.change_dates((1,), FIRST)
    desk.make_worker().drain()
    assert desk.list_dates_at_zoom(FIRST) == [1]
    refused.join()

    assert (list_outcomes(desk, SECOND), read_closing(desk)) == ([TAKEN], "")


def test_place_goes_to_the_first_who_wants_that_date(full):
    full.cancel(FOURTH)
    full.work()

    assert list_outcomes(full, SECOND, THIRD) == [PUT_ASIDE, TAKEN]
    assert read_closing(full) == "AtCapacity"

    full.cancel(FIRST)
    full.work()
    assert (list_outcomes(full, SECOND), read_closing(full)) == ([TAKEN], "")


def ask_zoom(desk):
    """Have Zoom asked about people; nobody else is tried whatever it says."""
    Worker(desk.database, [desk.make_worker()._lanes[0]], read_clock=desk.clock).drain()


def claim_places(desk):
    """Take the job that looks what became of somebody."""
    desk.let_pass(minutes=1)
    return claim_sign(desk, Job.key == f"places:{desk.event.id}")


def claim_sign(desk, where=Job.kind == "places"):
    """Take the first job that is a sign of a place."""
    about = {"kinds": ["places"], "where": where}
    with desk.database.write() as session:
        job = jobs.claim(session, owner="slow", lease_seconds=60, now=desk.clock(), **about)
    assert job is not None
    return job


def leave(desk):
    desk.cancel(FIRST)


def leave_unknown_dates(desk):
    desk.doubt_dates(FIRST)
    desk.cancel(FIRST)


@pytest.mark.parametrize("leave_date", [leave, leave_unknown_dates])
def test_date_given_back_while_the_next_one_is_chosen_is_free(desk, leave_date):
    """FIRST leaves date 0 when a worker already goes on with those who want date 1."""
    come(desk, first=(0,), fourth=(1,), second=(0,), third=(1,), fifth=(1,))
    desk.cancel(FOURTH)
    ask_zoom(desk)
    Worker(desk.database, [desk.make_worker()._lanes[2]], read_clock=desk.clock).drain()
    ask_zoom(desk)
    job = claim_places(desk)
    assert list_outcomes(desk, SECOND, THIRD) == [PUT_ASIDE, TAKEN]

    leave_date(desk)
    ask_zoom(desk)
    PlaceFinding(desk.database, read_clock=desk.clock).handle(job)
    for _ in range(3):
        wait_and_work(desk, minutes=1)

    assert list_outcomes(desk, SECOND, FIFTH) == [TAKEN, PUT_ASIDE]


def test_date_given_back_is_free_though_somebody_who_moved_was_refused_there(desk):
    """FOURTH leaves date 1 before anybody looks what became of FIRST, who moved there."""
    come(desk, first=(0,), fourth=(1,), second=(0,))
    desk.change_dates((1,), FIRST)
    ask_zoom(desk)
    desk.cancel(FOURTH)

    for _ in range(3):
        wait_and_work(desk, minutes=1)

    assert list_outcomes(desk, FIRST, SECOND) == [TAKEN, TAKEN]


@only_sqlite
def test_dates_that_come_free_at_once_go_to_who_wants_them_together(desk):
    """FIRST leaves dates 0 and 1; SECOND waits for both, FOURTH for date 1, FIFTH comes for 0."""
    come(desk, first=(0, 1), second=(0, 1), fourth=(1,))
    assert list_outcomes(desk, SECOND, FOURTH) == [PUT_ASIDE, PUT_ASIDE]

    desk.cancel(FIRST)
    ask_zoom(desk)
    PlaceFinding(desk.database, read_clock=desk.clock).handle(claim_sign(desk))
    desk.register(FIFTH, dates=(0,))
    ask_zoom(desk)

    assert list_outcomes(desk, SECOND, FOURTH, FIFTH) == [TAKEN, PUT_ASIDE, PUT_ASIDE]


def list_full_dates(desk):
    """Return the numbers of the dates that the form shows as full."""
    with desk.database.read() as session:
        closed = read_closed(session, events.need_event(session, desk.event.id), now=desk.clock())
    ids = list_ids(desk.event)
    return [ids.index(date) for date, why in closed.items() if why == Closed.FULL]


def test_form_takes_people_for_dates_with_places_and_shows_the_full_one(desk):
    come(desk, first=(0,), second=(0,))
    assert list_full_dates(desk) == [0]

    for dates in [(0,), (0, 2)]:
        with pytest.raises(DatesClosed):
            desk.register(THIRD, dates=dates)
    come(desk, third=(2,))
    with pytest.raises(DatesClosed):
        desk.change_dates((0, 2), THIRD)

    assert list_outcomes(desk, SECOND, THIRD) == [PUT_ASIDE, TAKEN]
    desk.cancel(FIRST)
    desk.work()
    assert list_outcomes(desk, SECOND) == [TAKEN]
    assert (list_full_dates(desk), read_closing(desk)) == ([], "")


def test_nobody_who_comes_goes_before_whom_zoom_refused_for_that_date(full):
    """FIRST has left date 0, and SECOND is not asked about yet."""
    full.cancel(FIRST)
    ask_zoom(full)
    with pytest.raises(DatesClosed):
        full.register(FIFTH, dates=(0,))

    adds = full.count_calls("add_registrant")
    full.work()

    assert list_outcomes(full, SECOND, THIRD) == [TAKEN, PUT_ASIDE]
    assert full.count_calls("add_registrant") == adds + 1, "it was no sign for THIRD"
    assert list_full_dates(full) == [1]


def test_all_dates_of_who_was_refused_for_several_are_theirs(desk):
    """Zoom does not say which of them is full."""
    come(desk, first=(0,), second=(0, 1))
    assert list_full_dates(desk) == [0, 1]

    desk.cancel(FIRST)
    desk.work()

    assert (list_outcomes(desk, SECOND), list_full_dates(desk)) == ([TAKEN], [])


def test_who_is_refused_for_a_date_known_to_be_full_closes_no_other_one(desk):
    """SECOND and THIRD came before anybody knew of date 0."""
    come(desk, first=(0,), second=(0,), third=(0, 1, 2))
    assert list_full_dates(desk) == [0]

    desk.change_dates((0, 2), SECOND)
    desk.work()
    assert list_full_dates(desk) == [0]

    come(desk, fourth=(1, 2))
    assert list_outcomes(desk, SECOND, THIRD, FOURTH) == [PUT_ASIDE, PUT_ASIDE, TAKEN]


def test_refusal_for_fewer_dates_opens_the_others_again(desk):
    """SECOND and THIRD came before anybody knew of date 0."""
    come(desk, first=(0,), second=(0, 1, 2), third=(0,))
    assert list_full_dates(desk) == [0]

    come(desk, fourth=(1, 2))
    assert list_outcomes(desk, SECOND, THIRD, FOURTH) == [PUT_ASIDE, PUT_ASIDE, TAKEN]


def cancel(desk):
    desk.cancel(SECOND)


def want_another(desk):
    desk.change_dates((2,), SECOND)


@pytest.mark.parametrize("give_up", [cancel, want_another])
def test_dates_of_who_was_refused_are_open_once_they_give_them_up(desk, give_up):
    """Date 1 is empty, so nobody will leave it."""
    come(desk, first=(0,), second=(0, 1))
    assert list_full_dates(desk) == [0, 1]

    give_up(desk)
    desk.work()
    assert list_full_dates(desk) == []

    come(desk, third=(1,))
    assert list_outcomes(desk, THIRD) == [TAKEN]


def test_dates_stay_full_while_somebody_else_wants_them(desk):
    come(desk, first=(0,), second=(0, 1), third=(0, 1))
    adds = desk.count_calls("add_registrant")
    desk.cancel(SECOND)
    desk.work()

    assert list_full_dates(desk) == [0, 1]
    assert desk.count_calls("add_registrant") == adds


def test_series_opens_once_further_dates_are_given_up(desk):
    come(desk, first=(0,), fourth=(1,))
    desk.change_dates((0, 1, 2), FIRST)
    desk.work()
    assert list_full_dates(desk) == [1, 2]

    desk.change_dates((0,), FIRST)
    desk.work()
    assert list_full_dates(desk) == []


def test_form_is_full_once_all_dates_are(desk):
    come(desk, first=(0, 1, 2), second=(0,), third=(1,), fourth=(2,))

    with pytest.raises(RegistrationNotOpen) as refusal:
        desk.register(FIFTH, dates=(2,))
    assert not isinstance(refusal.value, DatesClosed)

    desk.cancel(FIRST)
    desk.work()
    for _ in range(3):
        wait_and_work(desk, minutes=1)
    assert list_outcomes(desk, SECOND, THIRD, FOURTH) == [TAKEN] * 3
    assert read_closing(desk) == ""


def test_who_is_taken_for_another_date_has_nobody_tried(desk):
    come(desk, first=(0,), second=(0,))
    desk.let_pass(minutes=1)
    adds = desk.count_calls("add_registrant")

    come(desk, third=(2,))
    with desk.database.read() as session:
        assert events.need_event(session, desk.event.id).freed_at is None, "nor is it a sign"
    desk.cancel(THIRD)
    desk.work()

    assert desk.count_calls("add_registrant") == adds + 1
    assert list_full_dates(desk) == [0]


def test_date_given_up_while_another_one_is_full_is_theirs(desk):
    """FIRST leaves date 1 before the answer comes that THIRD got."""
    come(desk, first=(0, 1), second=(0,))
    desk.register(THIRD, dates=(1,))
    refused = work_until_asked(desk, adds=3)

    desk.change_dates((0,), FIRST)
    desk.make_worker().drain()
    assert desk.list_dates_at_zoom(FIRST) == [0]
    refused.join()

    assert list_outcomes(desk, SECOND, THIRD) == [PUT_ASIDE, TAKEN]
    assert list_full_dates(desk) == [0]


def test_who_waits_for_a_date_with_places_moves_up_past_who_waits_for_a_full_one(make_series_desk):
    desk = make_series_desk(has_waitlist=True)
    set_places(desk, 1)
    come(desk, first=(0, 1, 2), second=(0, 1, 2))
    for email, dates in [(THIRD, (0,)), (FOURTH, (0, 1)), (FIFTH, (1,))]:
        desk.register(email, dates=dates)
        assert read_status(desk, email) == "waitlisted"

    desk.change_dates((0,), FIRST)
    desk.work()
    for _ in range(5):
        wait_and_work(desk, minutes=1)

    assert list_outcomes(desk, SECOND, THIRD, FIFTH) == [PUT_ASIDE, PUT_ASIDE, TAKEN]
    assert (read_status(desk, FOURTH), list_full_dates(desk)) == ("waitlisted", [0])
    desk.correct_address("right@example.com", FOURTH)
    assert read_status(desk, "right@example.com") == "waitlisted"
    come(desk, sixth=(2,))
    assert list_outcomes(desk, "sixth@example.com") == [TAKEN]


@pytest.mark.parametrize("has_waitlist", [False, True])
def test_form_that_an_older_version_has_closed_opens_date_by_date(make_series_desk, has_waitlist):
    desk = make_series_desk(has_waitlist=has_waitlist)
    set_places(desk, 1)
    come(desk, first=(0,), fourth=(1,), second=(0,), third=(1,))
    desk.change_event(full_dates=None, refused_dates=None)
    if has_waitlist:
        desk.register(FIFTH, dates=(1,))
    else:
        with pytest.raises(RegistrationNotOpen):
            desk.register(FIFTH, dates=(2,))

    desk.cancel(FOURTH)
    desk.work()
    for _ in range(3):
        wait_and_work(desk, minutes=1)

    assert list_outcomes(desk, SECOND, THIRD) == [PUT_ASIDE, TAKEN]
    assert 0 in list_full_dates(desk) and 2 not in list_full_dates(desk)
    come(desk, sixth=(2,))
    assert list_outcomes(desk, "sixth@example.com") == [TAKEN]


def test_who_changes_to_a_full_date_makes_way_on_the_one_that_they_had(desk):
    come(desk, first=(0,), fourth=(1,), second=(0,))
    desk.change_dates((1,), FIRST)
    desk.register(THIRD, dates=(1,))
    desk.work()
    wait_and_work(desk, minutes=1)

    assert list_outcomes(desk, FIRST, SECOND, THIRD) == [PUT_ASIDE, TAKEN, PUT_ASIDE]


def test_nobody_is_tried_who_wants_all_dates_of_somebody_refused(desk):
    """Each refusal would use up one of a person's three adds a day."""
    come(desk, first=(0,), second=(0,), third=(0, 1), fourth=(0,))
    calls = desk.count_calls("add_registrant")

    try_again(desk)

    assert desk.count_calls("add_registrant") == calls + 1
    assert list_outcomes(desk, SECOND, THIRD, FOURTH) == [PUT_ASIDE] * 3


def read_what_is_told(desk, email):
    """Return which dates somebody waits for, their words, and how many calendars get and lose."""
    with desk.database.read() as session:
        event = events.need_event(session, desk.event.id)
        person = registrations.get_registration_by_email_key(session, event.id, email)
        dates = read_people_dates(session, event, person)
        owner = CalendarOwner(person, "example.com", "ja", None)
        return (
            [date.is_waiting for date in dates],
            ["満席" in write_date(date, event.timezone, "ja") for date in dates],
            len(make_calendar_entries(session, event, owner)),
            len(make_dropped_entries(session, event, owner)),
        )


def test_who_asks_for_a_further_date_that_is_full_keeps_the_one_they_had(desk):
    come(desk, first=(0,), fourth=(1,))
    desk.change_dates((0, 1), FIRST)
    desk.work()

    assert desk.list_dates_at_zoom(FIRST) == [0]
    assert desk.read_link(FIRST) is not None
    assert (desk.read(FIRST).delivery, read_closing(desk)) == ("waiting", "AtCapacity")
    assert "refused" not in desk.list_mails()
    assert read_what_is_told(desk, FIRST) == ([False, True], [False, True], 1, 1)
    calls = desk.count_calls("add_registrant")
    assert desk.try_again(FIRST) == {"in_turn": 1}
    assert read_closing(desk) == "AtCapacity"
    for _ in range(3):
        wait_and_work(desk, minutes=11)
    assert desk.count_calls("add_registrant") == calls, "nobody asks while it is full"
    assert desk.list_mails().count("dates") == 2, "one when they asked, one as it is full"

    desk.cancel(FOURTH)
    desk.work()
    desk.let_pass(hours=25)  # their three adds of a day are free again
    for _ in range(3):
        wait_and_work(desk, minutes=11)
    assert desk.list_dates_at_zoom(FIRST) == [0, 1]
    assert list_outcomes(desk, FIRST) == [TAKEN]
    assert (desk.read(FIRST).kept_dates, desk.read(FIRST).refused_dates) == (None, None)
    assert desk.list_mails().count("dates") == 3
    assert read_what_is_told(desk, FIRST) == ([False, False], [False, False], 2, 0)


def test_who_keeps_the_dates_that_they_had_is_not_told_as_without_a_link(desk):
    come(desk, first=(0,), fourth=(1,))
    desk.change_dates((0, 1), FIRST)
    desk.work()
    assert desk.read(FIRST).problem == "KeepsDates"
    try_again(desk)
    problems = set()
    for _ in range(15):
        assert find_waiting(desk) == (2, 0, 0, 0)
        wait_and_work(desk, minutes=1)
        problems.add(desk.read(FIRST).problem)
    assert "PersonDayLimited" in problems or desk.clock().hour == 0, "the form was open meanwhile"

    desk.let_pass(seconds=(desk.event.starts_at - desk.clock()).total_seconds() - 300)
    assert not {"starting_soon", "zoom_waiting", "link_too_late"} & list_problems(desk)


def test_who_gives_the_further_date_up_again_has_what_they_want(desk):
    come(desk, first=(0,), fourth=(1,))
    desk.change_dates((0, 1), FIRST)
    desk.work()
    adds = desk.count_calls("add_registrant")
    desk.change_dates((0,), FIRST)
    desk.work()

    assert list_outcomes(desk, FIRST) == [TAKEN]
    assert desk.count_calls("add_registrant") == adds


def test_date_given_up_for_a_full_one_is_free_though_they_keep_another(desk):
    come(desk, first=(0, 2), fourth=(1,), second=(0,))
    desk.change_dates((1, 2), FIRST)
    desk.work()
    for _ in range(3):
        wait_and_work(desk, minutes=1)

    assert desk.list_dates_at_zoom(FIRST) == [2]
    assert list_outcomes(desk, SECOND) == [TAKEN]


@pytest.mark.parametrize("place", ["before_leave", "after_leave", "before_refusal"])
def test_worker_that_dies_on_the_way_to_a_full_date_loses_nobody_their_own(
    desk, monkeypatch, place
):
    deaths = []

    def die(name):
        if name == place and not deaths:
            deaths.append(name)
            raise SystemExit

    come(desk, first=(0, 2), fourth=(1,))
    for module in (zoom, refusals):
        monkeypatch.setattr(module, "fault_point", die)
    desk.change_dates((0, 1, 2), FIRST)
    for pause in [65] * 6 + [25 * 3600, 65]:
        with suppress(SystemExit):
            desk.work()
        desk.let_pass(seconds=pause)

    assert deaths
    assert desk.list_dates_at_zoom(FIRST) == [0, 2]
    assert desk.read_link(FIRST) is not None
