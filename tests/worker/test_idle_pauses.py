"""A pause that nobody is left to try is told of no longer than it lasts."""

from datetime import timedelta

import pytest

from services.date_following import request_look
from services.deliveries import Delivery
from services.event_editing import cancel_event
from services.organizations import ensure_organization
from storage import events, job_lists, zoom_pauses
from storage.jobs import POISONOUS_AFTER
from tests.fixtures.databases import only_sqlite
from tests.series import make_series
from tests.worker.test_pauses import (
    ACCOUNT,
    HANAKO,
    add_other_event,
    at_event,
    break_secret,
    lose_meeting,
    mend,
    read_account,
    read_event,
    switch_registration_off,
    take_scope,
)
from worker.zoom_health import look_after_pauses

LISTING = "meeting:read:list_registrants:admin"


def look_after(desk, *, rounds=1, **by):
    """Let a worker do what it does once a minute, and its jobs."""
    for _ in range(rounds):
        desk.let_pass(**by or {"seconds": 61})
        look_after_pauses(desk.database, now=desk.clock())
        desk.work()


def come_and_go(desk, happen):
    """Have the only one who waits cancel, once something has made everything stand still."""
    happen(desk)
    desk.register()
    desk.work()
    desk.cancel()


@pytest.mark.parametrize("happen", [break_secret, take_scope], ids=["secret", "scope"])
def test_pause_of_an_account_is_over_once_nobody_waits_who_could_show_it(desk, happen):
    come_and_go(desk, happen)
    desk.let_pass(seconds=29)
    look_after_pauses(desk.database, now=desk.clock())
    assert read_account(desk).paused_since is not None, "somebody may be about to ask"

    look_after(desk, rounds=2)
    assert read_account(desk).paused_since is None

    desk.register(HANAKO)
    desk.work()
    assert read_account(desk).paused_since is not None, "whoever comes finds out"
    mend(desk)
    look_after(desk, rounds=2)
    assert desk.read(HANAKO).delivery == Delivery.REGISTERED


@pytest.mark.parametrize("happen", [lose_meeting, switch_registration_off])
def test_event_at_which_nobody_waits_is_looked_at_until_it_is_mended(desk, happen):
    come_and_go(desk, happen)
    if happen is lose_meeting:
        look_after(desk, rounds=30)
        assert read_event(desk).pause_problem == "MeetingNotFound"
        assert desk.count_calls("list_registrants") == 5, "after 1, 3, 7, 15 and 25 minutes"
    mend(desk)
    look_after(desk, rounds=11)

    assert read_event(desk).paused_since is None
    assert desk.find_settling().state == "done"


def test_look_of_which_workers_die_is_not_made_again_unasked(desk):
    come_and_go(desk, lose_meeting)
    look_after(desk, rounds=2)
    with desk.database.write() as session:
        session.merge(desk.find_settling()).crashes = POISONOUS_AFTER
    look_after(desk, rounds=8)
    calls = desk.count_calls("list_registrants")
    look_after(desk, rounds=3)
    given_up = desk.find_settling()
    assert (given_up.state, given_up.reason.partition(":")[0]) == ("parked", "GivenUp")
    assert desk.count_calls("list_registrants") == calls

    mend(desk)
    with desk.database.write() as session:
        job_lists.retry(session, given_up.key, now=desk.clock())
    look_after(desk, rounds=11)
    assert read_event(desk).paused_since is None


def test_event_whose_registrants_may_not_be_listed_is_told_of_with_the_scope(desk):
    come_and_go(desk, switch_registration_off)
    desk.zoom.remove_scopes(LISTING)
    look_after(desk, rounds=30)
    assert read_event(desk).pause_problem == "ScopeMissing"
    assert LISTING in read_event(desk).pause_reason
    assert desk.count_calls("list_registrants") == 6, "as often, and once more with a new token"

    desk.zoom.grant_scopes({*desk.zoom.state()["scopes"], LISTING})
    look_after(desk, rounds=11)
    assert read_event(desk).pause_problem == "RegistrationDisabled", "which is wrong as before"
    mend(desk)
    look_after(desk, rounds=11)
    assert read_event(desk).paused_since is None


def test_walk_that_lacks_its_scope_shows_that_zoom_answers(desk):
    desk.zoom.remove_scopes(LISTING)
    desk.zoom.fault("add_registrant", status=503, count=None)
    people = [f"person{number}@example.com" for number in range(6)]
    for email in people:
        desk.register(email)
    desk.work()
    assert read_account(desk).pause_problem == "ZoomOutcomeUnknown"
    desk.zoom.clear_faults()
    look_after(desk, rounds=2)

    assert read_account(desk).paused_since is None
    assert [desk.read(email).delivery for email in people].count(Delivery.REGISTERED) == 1


@only_sqlite
def test_pause_of_an_event_that_is_over_ends_unasked(desk):
    come_and_go(desk, lose_meeting)
    with desk.database.write() as session:
        cancel_event(session, events.need_event(session, desk.event.id), now=desk.clock())
    calls = len(desk.zoom.journal())
    look_after(desk, rounds=2)

    assert read_event(desk).paused_since is None
    assert len(desk.zoom.journal()) == calls


@only_sqlite
def test_dates_of_a_series_keep_no_pause_that_they_cannot_end(desk):
    with desk.database.write() as session:
        series = make_series(session, desk.zoom, now=desk.clock())
        request_look(session, series, now=desk.clock())
    come_and_go(desk, take_scope)
    look_after(desk, rounds=2)

    assert read_account(desk).paused_since is None


def test_account_and_event_that_stand_still_keep_each_other_from_nothing(desk):
    switch_registration_off(desk)
    desk.register()
    desk.work()
    other = add_other_event(desk)
    take_scope(desk)
    with at_event(desk, other):
        desk.work()
        desk.cancel(HANAKO)
    assert (read_account(desk).pause_problem, read_event(desk).pause_problem) == (
        "ScopeMissing",
        "RegistrationDisabled",
    )
    mend(desk)
    look_after(desk, rounds=11)

    assert desk.read().delivery == Delivery.REGISTERED


@pytest.mark.parametrize("happen", [break_secret, take_scope], ids=["secret", "scope"])
def test_account_and_event_that_stand_still_are_tried_as_rarely_as_one(desk, caplog, happen):
    switch_registration_off(desk)
    desk.register()
    desk.work()
    happen(desk)
    desk.zoom.expire_tokens()
    calls = len(desk.zoom.journal())
    look_after(desk, rounds=32, seconds=60)

    assert len(desk.zoom.journal()) - calls <= 14, "about six tries, each with its token"
    told = [record.message for record in caplog.records]
    assert (told.count("zoom stands still"), told.count("nobody waits for zoom any more")) == (2, 0)
    mend(desk)
    look_after(desk, rounds=11)
    assert desk.read().delivery == Delivery.REGISTERED
    assert (read_account(desk).paused_since, read_account(desk).probes) == (None, 0)


def test_account_that_the_settings_name_no_more_is_forgotten(desk):
    come_and_go(desk, break_secret)
    with desk.database.write() as session:
        ensure_organization(session, account_id="another", now=desk.clock())

    assert read_account(desk) is None


@only_sqlite
def test_account_that_a_late_answer_brings_back_is_forgotten_again(desk):
    come_and_go(desk, break_secret)
    with desk.database.write() as session:
        ensure_organization(session, account_id="another", now=desk.clock())
        paused = zoom_pauses.lock_account(session, ACCOUNT, now=desk.clock())
        paused.paused_since, paused.probe_at = desk.clock(), desk.clock() + timedelta(minutes=1)
        paused.pause_problem = "AuthenticationFailed"
    look_after(desk)

    assert read_account(desk) is None
