"""Fetching from Zoom who came: late, in pieces, refused, killed half-way, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from services import zoom_pauses
from services.attendance import Presence, Standing
from services.attendance_notice import say_attendance
from services.attendance_records import JOB_KIND, ask, list_dates
from services.attendance_verdicts import read_attendance
from services.erasing import erase
from services.events import LinkPolicy
from services.happenings import Happening
from services.questions import questions_to_rows
from services.registration_index import ATTENDANCE, UNSEEN
from services.registrations import register
from services.webhooks import Payload, Wish, add_endpoint
from storage import events, registration_index, zoom_queue
from storage.models import Attendance, AttendanceRecord, Event, WebhookMessage, ZoomAccount
from tests import factories
from tests.factories import SMALL_FORM
from tests.fixtures.databases import only_sqlite
from tests.series import choose, list_ids, make_series
from tests.worker.desk import TARO, Desk
from worker import attendance as fetching
from worker.attendance import AttendanceFetching
from worker.indexing import index_registrations
from worker.loop import Lane, Worker
from zoom_client import ScopeMissing
from zoom_sandbox.server import SandboxServer

HANAKO = "hanako@example.com"
FORM = say_attendance(SMALL_FORM, is_recorded=True)
REPORT = "report:read:list_meeting_participants:admin"
PAST = "meeting:read:list_past_participants:admin"


class AttendanceDesk(Desk):
    """A desk whose event records who came."""

    def _make_event(self, session, members):
        return super()._make_event(session, self._complete(members))

    def _complete(self, members):
        starts_at = (self.clock() + timedelta(days=7)).replace(microsecond=0)
        return {"records_attendance": True, "questions": FORM, "starts_at": starts_at} | members

    def make_worker(self, database=None, *, threads=2):
        worker = super().make_worker(database, threads=threads)
        fetch = AttendanceFetching(
            database or self.database, make_client=self.make_client, read_clock=self.clock
        )
        lanes = [*worker._lanes, Lane("attendance", {JOB_KIND: fetch.handle}, 1, queue=zoom_queue)]
        return Worker(database or self.database, lanes, read_clock=self.clock)

    def register_all(self, *emails):
        for email in emails or (TARO, HANAKO):
            self.register(email)
        self.work()

    def hold(self, *joins, **how):
        """Hold the event as planned; a join is an address that came by its link, or a dict."""
        start = self.event.starts_at
        how = {"started_at": start, "ended_at": start + timedelta(hours=1)} | how
        joins = [
            {"registrant_id": self.read(join).registrant_id} if isinstance(join, str) else join
            for join in joins
        ]
        return self.zoom.hold(self.event.zoom_id, joins=joins, **how)

    def end(self, **further):
        """Let the event end and Zoom be asked, with a quarter of an hour to spare."""
        end = self.event.starts_at + timedelta(hours=1, minutes=15)
        self.let_pass(seconds=(end - self.clock()).total_seconds())
        self.look(**further)

    def look(self, **further):
        if further:
            self.let_pass(**further)
        fetching.request_due_records(self.database, now=self.clock())
        self.work()

    def ask_again(self):
        with self.database.write() as session:
            event = session.get(Event, self.event.id)
            ask(session, event, list_dates(event)[0], now=self.clock())

    def count_unseen(self):
        """Count whom the filter of people finds as not in Zoom's record."""
        index_registrations(self.database)
        with self.database.read() as session:
            totals = registration_index.list_totals(session, self.event.id)
        return totals.get(ATTENDANCE, {}).get(UNSEEN, 0)

    def judge(self, email=TARO):
        """Return the verdict on somebody, in all."""
        with self.database.read() as session:
            event = session.get(Event, self.event.id)
            person = self._find(session, email)
            return read_attendance(session, event, [person.id], now=self.clock())[person.id].whole

    def say(self, *emails):
        verdicts = [self.judge(email) for email in emails or (TARO, HANAKO)]
        return [str(verdict.reason or verdict.standing) for verdict in verdicts]

    def read_record(self):
        with self.database.read() as session:
            return session.scalars(select(AttendanceRecord)).one()

    def listen(self):
        with self.database.write() as session:
            wish = Wish("CRM", "https://x.example/", Payload.THIN, (Happening.ATTENDED,), None)
            add_endpoint(session, self.event.organization_id, wish, now=self.clock())

    def count_told(self):
        with self.database.read() as session:
            return len(session.scalars(select(WebhookMessage)).all())


@pytest.fixture
def make_desk(database):
    with SandboxServer() as sandbox:
        # Here hours pass in a moment.
        sandbox.control.enforce_limits(False)
        yield lambda **members: AttendanceDesk(database, sandbox, **members)


@pytest.fixture
def desk(make_desk):
    return make_desk()


def test_who_came_is_told_at_once_and_who_did_not_when_zoom_says_it_twice(desk):
    desk.listen()
    desk.register_all()
    start = desk.event.starts_at
    desk.hold(TARO, started_at=start - timedelta(minutes=5))
    assert desk.say() == ["not_held", "not_held"]
    desk.end()

    first, last = start - timedelta(minutes=5), start + timedelta(hours=1)
    assert desk.judge().presence == Presence(first, last, 65 * 60)
    assert desk.say() == ["attended", "not_ready"]
    desk.look(minutes=121)

    assert desk.say() == ["attended", "absent"]
    record = desk.read_record()
    assert (record.state, record.attended, record.expected) == ("settled", 1, 2)
    assert desk.count_told() == 1
    desk.look(days=2)
    assert desk.count_calls("report_participants") == 2, "what is settled is not asked for again"
    assert desk.count_told() == 1


@only_sqlite
@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_address_of_a_registration_is_enough_and_its_spelling_does_not_matter(make_desk, kind):
    desk = make_desk(kind=kind)
    desk.register_all()
    desk.hold({"email": "Taro@Example.COM", "name": "だれか"})
    desk.end()
    assert desk.say() == ["attended", "not_ready"]


def test_guest_whom_nobody_can_tell_leaves_the_others_unclear(desk):
    desk.register_all()
    desk.hold(TARO, {"name": "山田 花子"}, {"name": "山田 花子"}, {"name": "iPhone"})
    desk.end()
    desk.look(minutes=121)
    assert desk.say() == ["attended", "unrecognised"]
    assert desk.judge(HANAKO).unrecognised == 2
    with desk.database.read() as session:
        assert len(session.scalars(select(Attendance)).all()) == 2
        assert session.scalar(select(AttendanceRecord.unrecognised)) == 2


@only_sqlite
@pytest.mark.parametrize("unready", ["zeros", "part", "missing"])
def test_record_that_is_not_ready_makes_nobody_absent(desk, unready):
    desk.register_all()
    desk.hold(TARO, HANAKO, unready=unready, ready_after=100 * 60)
    desk.end()
    assert Standing.ABSENT not in {desk.judge(email).standing for email in (TARO, HANAKO)}
    for _ in range(3):
        desk.look(minutes=121)
    assert desk.say() == ["attended", "attended"]
    assert desk.read_record().state == "settled"


@only_sqlite
def test_nothing_held_is_said_after_three_days(desk):
    desk.register_all(TARO)
    desk.end()
    assert desk.say(TARO) == ["not_ready"]
    for _ in range(3):
        desk.look(days=1)
    assert desk.say(TARO) == ["not_held"]
    assert desk.read_record().state == "not_held"


@only_sqlite
def test_missing_scope_waits_for_somebody_and_goes_on_by_itself(desk):
    desk.register_all()
    desk.hold(TARO)
    scopes = desk.zoom.state()["scopes"]
    desk.zoom.remove_scopes(REPORT, PAST)
    desk.zoom.expire_tokens()
    desk.end()
    assert desk.say() == ["not_recorded", "not_recorded"]
    assert desk.read_record().problem == "ScopeMissing"
    with desk.database.read() as session:
        assert session.scalars(select(ZoomAccount)).one().paused_since is None, "others go on"
    desk.zoom.grant_scopes({*scopes} - {REPORT})
    desk.look(hours=6)
    assert desk.say() == ["attended", "not_ready"]
    assert desk.read_record().problem == ""
    assert desk.count_calls("report_participants") == 0, "the shorter list is enough"


@only_sqlite
def test_record_that_is_told_does_not_end_a_pause_for_what_adding_lacks(desk):
    """Else each date that is asked for would tell the operator that it is over, and again not."""
    desk.register_all()
    desk.hold(TARO)
    with desk.database.write() as session:
        zoom_pauses.record_failure(
            session, "sandbox-account", desk.event.id, ScopeMissing("add"), now=desk.clock()
        )
    desk.end()

    assert desk.say() == ["attended", "not_ready"]
    with desk.database.read() as session:
        assert session.scalars(select(ZoomAccount)).one().pause_problem == "ScopeMissing"


@only_sqlite
def test_outage_after_the_event_ends_by_itself(desk):
    desk.register_all()
    desk.hold(TARO)
    for _ in range(5):
        desk.zoom.fault("list_instances", does="close")
    desk.end()
    for _ in range(5):
        desk.look(minutes=40)
    assert desk.say() == ["attended", "not_ready"]


def test_worker_that_dies_half_way_has_lost_and_doubled_nothing(desk, monkeypatch):
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    desk.listen()
    people = [f"p{number}@example.com" for number in range(4)]
    desk.register_all(*people)
    desk.hold(*people[:3])
    steps = iter([False, True])
    died = []

    def die(place):
        if place == "mid_attendance" and next(steps, False):
            died.append(place)
            raise SystemExit

    monkeypatch.setattr(fetching, "fault_point", die)
    with pytest.raises(SystemExit):
        desk.end()
    assert died and desk.count_told() == 2
    desk.let_pass(minutes=2)  # its lease ends
    desk.look()
    desk.look(minutes=121)

    assert desk.say(*people) == ["attended"] * 3 + ["absent"]
    assert desk.count_told() == 3
    with desk.database.read() as session:
        assert len(session.scalars(select(Attendance)).all()) == 4


@only_sqlite
def test_job_is_kept_however_long_it_takes_to_look_through_the_people(desk, monkeypatch):
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    desk.register_all("p1@example.com", TARO, HANAKO)
    desk.hold(TARO)
    lost = []
    list_people = fetching.attendance.list_people

    def look_slowly(session, ids):
        desk.let_pass(seconds=40)
        lost.append(zoom_queue.has_due(session, kinds=[JOB_KIND], now=desk.clock()))
        return list_people(session, ids)

    monkeypatch.setattr(fetching.attendance, "list_people", look_slowly)
    desk.end()
    assert lost == [False] * 3
    assert desk.say() == ["attended", "not_ready"]


@only_sqlite
def test_nobody_is_matched_whose_notice_did_not_say_so(make_desk):
    desk = make_desk(questions=SMALL_FORM)
    desk.register(TARO)
    with desk.database.write() as session:
        event = session.get(Event, desk.event.id)
        events.add_form_version(session, event, questions_to_rows(FORM), now=desk.clock())
        desk.event = event
    desk.register_all(HANAKO)
    desk.hold(TARO, HANAKO)
    desk.end()
    desk.look(minutes=121)
    assert desk.say() == ["not_recorded", "attended"]
    assert desk.read_record().unrecognised == 0, "and who is known is no stranger"
    with desk.database.read() as session:
        assert len(session.scalars(select(Attendance)).all()) == 1


@only_sqlite
def test_date_before_which_nobody_was_told_is_not_asked_for(make_desk):
    desk = make_desk(questions=SMALL_FORM)
    desk.register_all(TARO)
    desk.hold(TARO)
    desk.end()
    assert desk.read_record().state == "untold"
    assert desk.count_calls("list_instances") == 0
    assert desk.say(TARO) == ["not_recorded"]


@only_sqlite
def test_who_had_no_place_at_zoom_is_not_absent(make_desk):
    desk = make_desk(approval="manual")
    desk.register_all()
    desk.approve(TARO)
    desk.work()
    desk.hold(TARO)
    desk.end()
    desk.look(minutes=121)
    assert desk.say() == ["attended", "not_registered"]


@only_sqlite
def test_event_that_was_moved_cancelled_or_records_nothing_is_not_asked_for(desk):
    desk.register_all(TARO)
    desk.change_event(records_attendance=False)
    desk.end()
    desk.change_event(records_attendance=True, status="cancelled")
    desk.look(minutes=1)
    moved = desk.event.starts_at + timedelta(days=1)
    desk.change_event(status="published", starts_at=moved)
    desk.look(minutes=1)
    assert desk.count_calls("list_instances") == 0
    assert desk.say(TARO) == ["not_held"]
    desk.hold(TARO, started_at=moved, ended_at=moved + timedelta(hours=1))
    desk.look(days=1)
    assert desk.say(TARO) == ["attended"]


@only_sqlite
def test_erasing_takes_it_along(desk):
    desk.register_all(TARO)
    desk.hold(TARO)
    desk.end()
    with desk.database.write() as session:
        event = session.get(Event, desk.event.id)
        person = desk._find(session, TARO)
        erase(session, event, person, actor="organizer", note=lambda _: None, now=desk.clock())
    with desk.database.read() as session:
        assert session.scalars(select(Attendance)).all() == []


class SeriesDesk(AttendanceDesk):
    def _make_event(self, session, members):
        members = {"records_attendance": True, "questions": FORM} | members
        return make_series(session, self.zoom, now=self.clock(), **members)

    def register(self, email=TARO, dates=(0, 1)):
        with self.database.write() as session:
            answers = choose(self.event, dates)
            submission = factories.make_submission(self.event, email=email, answers=answers)
            register(session, self.event, submission, policy=LinkPolicy.SHOW, now=self.clock())


@only_sqlite
def test_each_date_of_a_series_is_judged_by_its_own_record(database):
    with SandboxServer() as sandbox:
        desk = SeriesDesk(database, sandbox)
        desk.register(TARO, (0, 1))
        desk.register(HANAKO, (1,))
        desk.work()
        dates = [*desk.event.dates]
        desk.hold(TARO)
        desk.end()
        desk.look(minutes=121)
        with database.read() as session:
            event = session.get(Event, desk.event.id)
            ids = [desk._find(session, email).id for email in (TARO, HANAKO)]
            known = read_attendance(session, event, ids, now=desk.clock())
        said = [[str(v.reason or v.standing) for _, v in known[i].dates] for i in ids]
        assert said == [["attended", "not_held"], ["not_held"]]
        assert [d["id"] for d in dates] == list_ids(desk.event)


@only_sqlite
def test_record_that_cannot_be_read_holds_up_nobody_who_registers_and_ends(desk):
    desk.register_all(TARO)
    desk.hold(TARO)
    desk.zoom.fault("report_participants", status=500, count=None)
    desk.end()
    for _ in range(8):
        desk.look(hours=2)
    with desk.database.read() as session:
        assert session.scalars(select(ZoomAccount)).one().paused_since is None
    assert desk.count_calls("report_participants") == 9, "each as late as its turn"
    for _ in range(2):
        desk.look(days=16)
    assert desk.read_record().state == "gone"
    assert desk.say(TARO) == ["not_recorded"]


@only_sqlite
def test_date_that_was_put_off_while_zoom_was_asked_has_all_its_time(desk):
    desk.register_all()
    desk.end()
    moved = desk.event.starts_at + timedelta(days=5)
    desk.change_event(starts_at=moved)
    desk.look(days=1)
    desk.hold(TARO, started_at=moved, ended_at=moved + timedelta(hours=1))
    desk.look(days=4)
    assert desk.say() == ["attended", "not_ready"]
    desk.look(minutes=121)
    assert desk.say() == ["attended", "absent"]


@only_sqlite
def test_session_of_which_zoom_tells_nothing_makes_nobody_absent_but_a_rehearsal(desk):
    desk.register_all()
    start = desk.event.starts_at
    early, late = start - timedelta(hours=2), start + timedelta(minutes=40)
    desk.hold(started_at=early, ended_at=early + timedelta(minutes=5))
    desk.hold(TARO, ended_at=late)
    desk.end()
    for _ in range(2):
        desk.look(days=1)
    assert desk.say() == ["attended", "absent"], "the host alone, before it began"

    desk.hold(HANAKO, started_at=late, ended_at=late + timedelta(minutes=5), has_host=False)
    desk.ask_again()
    for _ in range(4):
        desk.look(days=1)
    assert desk.say() == ["attended", "not_ready"]
    assert desk.read_record().state == "partial"


@only_sqlite
def test_meeting_of_another_event_that_day_is_another_ones(desk):
    desk.register_all()
    start = desk.event.starts_at
    desk.hold(TARO)
    other = start + timedelta(minutes=90)
    with desk.database.write() as session:
        event = session.get(Event, desk.event.id)
        values = {"zoom_id": event.zoom_id, "starts_at": other, "slug": "other"}
        factories.make_event(session, **values)
    desk.hold(HANAKO, {"name": "iPhone"}, started_at=other, ended_at=other + timedelta(hours=1))
    desk.end()
    desk.look(minutes=121)
    assert desk.say() == ["attended", "absent"]


@only_sqlite
def test_who_missed_a_date_that_was_held_again_and_cancelled_is_not_absent(desk):
    desk.register_all()
    desk.hold(TARO)
    desk.end()
    desk.look(minutes=121)
    assert desk.say() == ["attended", "absent"]
    moved = desk.event.starts_at + timedelta(days=5)
    desk.change_event(starts_at=moved)
    desk.event.starts_at = moved
    desk.cancel(HANAKO)
    desk.work()
    assert desk.count_unseen() == 1
    desk.hold(TARO)
    desk.end()
    desk.look(minutes=121)
    assert desk.say() == ["attended", "not_registered"]
    assert desk.count_unseen() == 0
