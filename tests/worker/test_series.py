"""A series: Zoom has everybody for the dates that they chose, and for no other."""

import pytest
from sqlalchemy import text

from outbound import HttpPool
from services import deliveries, registration_edits
from services.date_following import request_look
from services.event_dates import read_dates
from services.events import LinkPolicy
from services.registrations import ChangeRefused, DatesClosed, register
from storage import events, zoom_pauses, zoom_registrants
from tests import factories, series
from tests.fixtures.databases import only_sqlite
from tests.series import choose, list_ids, make_series
from tests.worker.desk import TARO, Desk
from tests.zoom_sandbox.api import Api
from worker.event_dates import step_on
from zoom_sandbox.server import SandboxServer


class SeriesDesk(Desk):
    """A desk whose event is a series of three dates, chosen by their numbers."""

    def _make_event(self, session, members):
        return make_series(session, self.zoom, now=self.clock(), **members)

    def register(self, email=TARO, dates=(0, 1)):
        with self.database.write() as session:
            answers = choose(self.event, dates)
            submission = factories.make_submission(self.event, email=email, answers=answers)
            return register(
                session, self.event, submission, policy=LinkPolicy.SHOW, now=self.clock()
            )

    def change_dates(self, dates, email=TARO):
        with self.database.write() as session:
            event = events.need_event(session, self.event.id)
            person = self._find(session, email)
            registration_edits.lock_to_edit(session, event, person.id)
            registration_edits.edit_details(
                session,
                event,
                person,
                family_name=person.family_name,
                given_name=person.given_name,
                answers=choose(event, dates),
                form_version_id=person.form_version_id,
                now=self.clock(),
            )

    def list_dates_at_zoom(self, email=TARO):
        """Return the numbers of the dates for which Zoom has somebody approved."""
        ids = list_ids(self.event)
        [person] = [p for p in self.zoom.state()["registrants"] if p["email"] == email] or [None]
        if person is None or person["status"] != "approved":
            return []
        return [ids.index(date) for date in person["occurrence_ids"]]

    def drop_date(self, number, *, is_known=True):
        """Have the host delete a date at Zoom; we know of it, or have yet to find out."""
        gone = self.event.dates[number] | {"is_gone": True}
        others = [date for date in self.event.dates if date["id"] != gone["id"]]
        path = f"/meetings/{self.event.zoom_id}"
        answer = Api(self.sandbox.url).call("DELETE", path, occurrence_id=gone["id"])
        assert answer.status_code == 204
        if is_known:
            self.change_event(dates=[gone, *others])

    def doubt_dates(self, email=TARO):
        """Do what a worker does whose call may have come late."""
        with self.database.write() as session:
            person = zoom_registrants.get_zoom_registrant(session, self._find(session, email).id)
            deliveries.begin_doubt_of_dates(person, now=self.clock())

    def count_places(self):
        with self.database.read() as session:
            counters = events.list_counters(session, self.event.id)
        return [counters.get(f"date:{date}", 0) for date in list_ids(self.event)]


class SlowPool(HttpPool):
    """Lets seven seconds pass with each person who leaves a date; others look for work then."""

    def __init__(self, desk):
        super().__init__()
        self._desk = desk
        self.is_looking = False

    def send(self, method, url, **call):
        if method == "DELETE":
            self._desk.let_pass(seconds=7)
            if not self.is_looking:
                self.is_looking = True
                self._desk.work()
                self.is_looking = False
        return super().send(method, url, **call)


@pytest.fixture
def make_series_desk(database):
    with SandboxServer() as sandbox:
        yield lambda **members: SeriesDesk(database, sandbox, **members)


@pytest.fixture
def desk(make_series_desk):
    return make_series_desk()


def read_pause(desk):
    """Return since when the account or the event stands still."""
    with desk.database.read() as session:
        accounts = zoom_pauses.list_paused_accounts(session)
        paused = [*accounts, *zoom_pauses.list_paused_events(session)]
    return paused[0].paused_since if paused else None


def follow_dates(desk):
    """Have the dates of the series be looked at from now on, as publishing does."""
    with desk.database.write() as session:
        request_look(session, desk.event, now=desk.clock())


def be_left_by_whom_zoom_did_not_take(desk):
    desk.register()
    desk.work()
    desk.cancel()


def test_zoom_has_a_person_for_the_chosen_dates_alone(desk):
    desk.register(dates=(0, 2))
    desk.work()
    assert desk.list_dates_at_zoom() == [0, 2]
    assert desk.read_link() is not None
    assert desk.count_places() == [1, 0, 1]


@only_sqlite
def test_webinar_series_is_approved_for_the_chosen_dates(make_series_desk):
    desk = make_series_desk(kind="webinar")
    desk.register(dates=(1,))
    desk.work()
    assert desk.list_dates_at_zoom() == [1]
    assert desk.read_link() is not None


@only_sqlite
def test_many_who_wait_are_added_one_by_one_each_for_their_own_dates(desk):
    people = {f"p{number}@example.com": (number % 3,) for number in range(12)}
    for email, dates in people.items():
        desk.register(email, dates)
    desk.work()
    assert {email: tuple(desk.list_dates_at_zoom(email)) for email in people} == people
    assert desk.count_calls("add_batch") == 0


@only_sqlite
def test_dropped_date_is_left_at_zoom_and_the_link_stays(desk):
    desk.register(dates=(0, 1, 2))
    desk.work()
    link = desk.read_link()
    desk.change_dates((0, 2))
    desk.work()
    assert desk.list_dates_at_zoom() == [0, 2]
    assert desk.read_link() == link
    assert desk.count_calls("add_registrant") == 1
    assert desk.count_places() == [1, 0, 1]
    assert desk.list_mails() == ["confirmation", "dates"]


def test_further_date_costs_one_add_and_leaves_nobody_behind(desk):
    desk.register(dates=(0,))
    desk.work()
    desk.change_dates((0, 2))
    desk.work()
    assert desk.list_dates_at_zoom() == [0, 2]
    assert desk.read_link() is not None
    assert desk.count_calls("add_registrant") == 2
    assert len(desk.zoom.state()["registrants"]) == 1


@only_sqlite
def test_fourth_add_of_a_day_waits_and_the_person_keeps_what_they_have(desk):
    desk.register(dates=(0,))
    desk.work()
    for dates in ((1,), (2,)):
        desk.change_dates(dates)
        desk.work()
    desk.change_dates((0, 1))
    desk.work()
    assert desk.list_dates_at_zoom() == [2]
    desk.let_pass(days=1)
    desk.work()
    assert desk.list_dates_at_zoom() == [0, 1]


@only_sqlite
def test_dates_can_be_changed_three_times_a_day(desk):
    desk.register(dates=(0,))
    for dates in ((1,), (2,), (0,)):
        desk.change_dates(dates)
    with pytest.raises(ChangeRefused):
        desk.change_dates((1,))
    desk.let_pass(days=1, minutes=1)
    desk.change_dates((1,))
    assert desk.count_places() == [0, 1, 0]


def test_dates_are_left_at_a_slow_zoom_by_one_worker_alone(make_series_desk, monkeypatch):
    monkeypatch.setattr(series, "COUNT", 11)
    desk = make_series_desk()
    desk.register(dates=range(11))
    desk.work()
    desk.change_dates((0,))
    desk.use_pool(SlowPool(desk))
    desk.work()
    assert desk.read_job().state == "done"
    assert desk.list_dates_at_zoom() == [0]
    assert desk.count_calls("delete_registrant") == 10
    assert desk.count_calls("add_registrant") == 1


@only_sqlite
def test_date_that_was_left_is_not_left_again(desk):
    desk.register(dates=(0, 1, 2))
    desk.work()
    desk.change_dates((2,))
    desk.zoom.fault("delete_registrant", does="answer", status=500, skip=1)
    desk.work()
    desk.let_pass(minutes=5)
    desk.work()
    assert desk.list_dates_at_zoom() == [2]
    assert desk.count_calls("delete_registrant") == 3


@only_sqlite
def test_doubt_of_dates_lasts_until_all_are_left(desk):
    desk.register(dates=(0, 1, 2))
    desk.work()
    desk.change_dates((2,))
    desk.doubt_dates()
    desk.zoom.fault("delete_registrant", does="answer", status=500, skip=1)
    desk.work()
    assert desk.read().occurrence_ids == []
    desk.let_pass(minutes=5)
    desk.work()
    assert desk.list_dates_at_zoom() == [2]
    assert desk.count_calls("add_registrant") == 2


@only_sqlite
def test_who_had_chosen_a_date_that_is_gone_comes_to_another_one(desk):
    desk.register(dates=(0,))
    desk.work()
    desk.drop_date(0)
    desk.change_dates((1,))
    desk.work()
    assert desk.list_dates_at_zoom() == [1]


@only_sqlite
def test_dates_that_are_gone_are_left_without_asking_whether_zoom_works(desk):
    desk.register(dates=(0,))
    desk.work()
    desk.drop_date(0)
    desk.register("b@example.com")
    desk.zoom.revoke_secret()
    desk.zoom.expire_tokens()
    desk.work()
    begun = read_pause(desk)
    desk.change_dates((1,))
    for _ in range(2):
        desk.let_pass(minutes=5)
        desk.work()
    assert read_pause(desk) == begun


def test_look_at_the_dates_finds_out_that_zoom_works_again_where_nobody_waits(desk):
    follow_dates(desk)
    desk.zoom.revoke_secret()
    be_left_by_whom_zoom_did_not_take(desk)
    desk.zoom.restore_secret()
    assert read_pause(desk) is not None
    desk.let_pass(hours=1)
    desk.work()
    assert read_pause(desk) is None


def lose_scope(desk):
    desk.zoom.remove_scopes("meeting:write:registrant:admin")


def switch_registration_off(desk):
    desk.zoom.change_meeting(desk.event.zoom_id, settings={"approval_type": 2})


@only_sqlite
@pytest.mark.parametrize("happen", [lose_scope, switch_registration_off])
def test_dates_are_followed_though_nobody_can_register_and_that_stays_known(desk, happen):
    follow_dates(desk)
    happen(desk)
    be_left_by_whom_zoom_did_not_take(desk)
    begun = read_pause(desk)
    desk.drop_date(0, is_known=False)
    desk.let_pass(hours=1)
    desk.work()
    with desk.database.read() as session:
        dates = {date.id: date for date in read_dates(events.need_event(session, desk.event.id))}
    assert dates[list_ids(desk.event)[0]].is_gone
    assert begun is not None
    assert read_pause(desk) == begun


@only_sqlite
def test_look_at_the_dates_finds_out_that_the_secret_was_revoked(desk):
    follow_dates(desk)
    desk.zoom.revoke_secret()
    desk.let_pass(hours=1)
    desk.work()
    assert read_pause(desk) is not None


@only_sqlite
def test_lost_answer_to_leaving_is_made_good(desk):
    desk.register(dates=(0, 1))
    desk.work()
    desk.change_dates((2,))
    desk.zoom.fault("delete_registrant", does="close", when="after")
    desk.work()
    desk.let_pass(minutes=5)
    desk.work()
    assert desk.list_dates_at_zoom() == [2]


@only_sqlite
def test_cancelling_and_coming_back_keeps_the_dates(desk):
    desk.register(dates=(1, 2))
    desk.work()
    desk.cancel()
    desk.work()
    assert desk.list_dates_at_zoom() == []
    assert desk.count_places() == [0, 0, 0]
    desk.register_again()
    desk.work()
    assert desk.list_dates_at_zoom() == [1, 2]
    assert desk.count_places() == [0, 1, 1]


def test_full_date_takes_nobody_and_the_others_do(make_series_desk):
    desk = make_series_desk(seats_per_date=1)
    desk.register("a@example.com", dates=(0,))
    with pytest.raises(DatesClosed):
        desk.register("b@example.com", dates=(0, 1))
    desk.register("b@example.com", dates=(1,))
    assert desk.count_places() == [1, 1, 0]
    with pytest.raises(DatesClosed):
        desk.change_dates((0, 1), "b@example.com")
    assert desk.count_places() == [1, 1, 0]


def test_known_address_that_sends_a_full_date_changes_nothing(make_series_desk):
    desk = make_series_desk(seats_per_date=1)
    desk.register(dates=(0,))
    assert desk.register(dates=(0,)).outcome == "repeat"
    assert desk.count_places() == [1, 0, 0]
    with desk.database.read() as session:
        assert events.get_counter(session, desk.event.id, events.SEATS) == 1


@only_sqlite
def test_date_that_is_over_is_nobodys_to_choose_and_nothing_is_added_for_it(desk):
    desk.register(dates=(0,))
    desk.let_pass(days=7, minutes=61)
    with pytest.raises(DatesClosed):
        desk.register("late@example.com", dates=(0,))
    desk.work()
    assert desk.list_at_zoom() == {}
    desk.register("late@example.com", dates=(1,))
    desk.work()
    assert desk.list_dates_at_zoom("late@example.com") == [1]


@only_sqlite
def test_event_is_over_after_its_last_date(desk):
    desk.let_pass(days=9, minutes=30)
    desk.register(dates=(2,))
    desk.work()
    assert desk.list_dates_at_zoom() == [2]


def hide_dates(desk):
    """Have Zoom tell once of no date of the series, as while its host replaces them."""
    meeting = Api(desk.sandbox.url).call("GET", f"/meetings/{desk.event.zoom_id}").json()
    desk.zoom.fault(
        "get_meeting", does="answer", status=200, body=meeting | {"occurrences": []}, count=1
    )
    desk.let_pass(minutes=61)
    desk.work()
    desk.let_pass(minutes=30)
    desk.work()
    desk.zoom.clear_faults()


def refuse_for_now(desk):
    answer = {"status": 429, "code": 429, "message": "Too many."}
    desk.zoom.fault("add_registrant", does="answer", count=None, **answer)


@only_sqlite
def test_who_waited_as_no_date_was_left_is_added_once_their_date_is_back(desk):
    follow_dates(desk)
    refuse_for_now(desk)
    desk.register()
    desk.work()
    hide_dates(desk)
    assert (desk.read_job().state, desk.list_at_zoom()) == ("done", {})

    desk.let_pass(minutes=40)
    desk.work()

    assert (desk.read().delivery, desk.list_dates_at_zoom()) == ("registered", [0, 1])


@only_sqlite
def test_who_waited_as_a_series_was_over_is_added_once_it_goes_on(make_series_desk):
    desk = make_series_desk(date_choice="all")
    desk.zoom.change_meeting(desk.event.zoom_id, settings={"registration_type": 1})
    follow_dates(desk)
    desk.let_pass(days=7, minutes=30)  # the first date is under way
    refuse_for_now(desk)
    desk.register(dates=())
    desk.work()
    hide_dates(desk)
    assert (desk.read_job().reason, desk.list_at_zoom()) == ("the event is over", {})

    desk.let_pass(minutes=40)
    desk.work()

    assert desk.read().delivery == "registered"


@only_sqlite
def test_who_was_given_up_on_is_tried_again_once_a_series_that_was_over_goes_on(make_series_desk):
    desk = make_series_desk(date_choice="all")
    desk.zoom.change_meeting(desk.event.zoom_id, settings={"registration_type": 1})
    follow_dates(desk)
    desk.let_pass(days=7, minutes=30)  # the first date is under way
    desk.register(dates=())
    desk.give_up()
    hide_dates(desk)

    desk.let_pass(minutes=40)
    desk.work()

    assert desk.read().delivery == "registered"


def step_on_and_read(desk):
    step_on(desk.database, now=desk.clock())
    with desk.database.read() as session:
        event = events.need_event(session, desk.event.id)
        return event.starts_at, event.ends_at, event.version - desk.event.version


def test_series_goes_on_to_its_next_date_without_zoom(desk):
    before = desk.event.starts_at
    _, second, third = read_dates(desk.event)
    with desk.database.write() as session:
        session.execute(text("UPDATE event SET ends_at = NULL"))
    desk.let_pass(days=7, minutes=30)
    assert step_on_and_read(desk) == (before, third.ends_at, 0)

    desk.let_pass(minutes=31)
    assert step_on_and_read(desk) == (second.starts_at, third.ends_at, 1)
    assert step_on_and_read(desk) == (second.starts_at, third.ends_at, 1)
