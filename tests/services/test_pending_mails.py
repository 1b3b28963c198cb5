"""When organizers are told of who waits for their approval, and who is."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.events import LinkPolicy
from services.organizer_mails import OrganizerMailName
from services.pending_mails import list_untold, tell
from services.registration_changes import approve, cancel, correct_address
from services.registrations import register
from storage import events, members, registrations, submissions
from storage.models import OrganizerMail
from tests import factories
from tests.clock import Clock
from tests.dashboard import make_membership
from tests.fixtures.databases import only_sqlite
from tests.races import race
from worker.held_mails import tell_of_pending

APPROVER = "approver@example.com"


class Office:
    """An event in a week with approval by hand, an approver, and a worker that looks."""

    def __init__(self, database):
        self.database, self.clock = database, Clock()
        self.people = []
        with database.write() as session:
            week = self.clock() + timedelta(days=7)
            self.event = factories.make_event(session, starts_at=week, approval="manual")
        self.add_member("approver", APPROVER)

    def add_member(self, role, email, *, sees_event=True, is_told=True):
        event_ids = None if sees_event else ()
        with self.database.write() as session:
            make_membership(
                session,
                role,
                event_ids=event_ids,
                now=self.clock(),
                email=email,
                is_told_of_held=is_told,
            )

    def register(self):
        email = f"p{len(self.people)}@example.com"
        with self.database.write() as session:
            event = events.need_event(session, self.event.id)
            sent = factories.make_submission(event, email=email, nonce=email)
            row = register(session, event, sent, policy=LinkPolicy.SHOW, now=self.clock())
            self.people.append(row.registration_id)

    def change(self, change, number=0, **more):
        with self.database.write() as session:
            event = events.lock_event(session, self.event.id)
            person = registrations.lock_registration(session, self.people[number])
            change(session, event, person, now=self.clock(), **more)

    def correct(self, policy):
        """Correct the address of the first one; return the right one's status."""
        with self.database.write() as session:
            event = events.need_event(session, self.event.id)
            row = submissions.get_creating_submission(session, self.people[0])
            right = {"email": "right@example.com", "email_key": "right@example.com"}
            row = correct_address(session, event, row, **right, policy=policy, now=self.clock())
            return row.registration.status

    def set(self, **members_):
        with self.database.write() as session:
            event = events.lock_event(session, self.event.id)
            for name, value in members_.items():
                setattr(event, name, value)

    def wait(self, **length):
        """Let time go by with a worker that looks every ten minutes; return how often it told."""
        before = len(self.list_mails())
        end = self.clock() + timedelta(**length)
        while self.clock() < end:
            self.clock.move(minutes=10)
            tell_of_pending(self.database, now=self.clock())
        return len(self.list_mails()) - before

    def list_mails(self):
        with self.database.read() as session:
            return list(session.scalars(select(OrganizerMail).order_by(OrganizerMail.id)))


@pytest.fixture
def office(database):
    return Office(database)


def test_organizers_are_told_of_who_waits_for_approval(office):
    assert office.wait(minutes=10) == 0
    office.register()
    assert office.wait(minutes=10) == 1
    office.register()
    assert office.wait(hours=23) == 0, "once a day"
    assert office.wait(hours=1) == 1
    for number in range(2):
        office.change(approve, number, actor="organizer")
    assert office.wait(hours=30) == 0, "nobody waits"
    office.register()
    assert office.wait(minutes=10) == 1, "the last one was more than a day ago"

    last = office.list_mails()[-1]
    told = (last.name, last.email, last.event_id)
    assert told == (OrganizerMailName.PENDING, APPROVER, office.event.id)


@pytest.mark.parametrize("policy", [LinkPolicy.CODE, LinkPolicy.MAIL])
def test_organizers_hear_at_once_of_who_waits_again_under_another_address(office, policy):
    office.register()
    office.wait(minutes=10)
    office.change(approve, actor="organizer")

    assert office.correct(policy) == "pending"
    assert len(office.list_mails()) == 2
    assert office.wait(hours=23) == 0


@only_sqlite
def test_who_waits_anyway_is_told_of_in_turn_when_their_address_is_corrected(office):
    office.register()
    office.wait(minutes=10)

    assert office.correct(LinkPolicy.MAIL) == "pending"
    assert len(office.list_mails()) == 1


@only_sqlite
def test_it_is_told_once_more_before_the_start(office):
    office.register()
    office.wait(minutes=10)
    office.set(starts_at=office.clock() + timedelta(hours=20))
    assert office.wait(hours=16, minutes=50) == 0
    assert office.wait(minutes=20) == 1
    assert office.wait(hours=5) == 0, "nothing more before the start, nor once it is over"


@only_sqlite
def test_who_is_the_first_in_the_last_hours_is_told_of(office):
    office.register()
    office.wait(minutes=10)
    office.change(approve, actor="organizer")
    office.set(starts_at=office.clock() + timedelta(hours=4))
    assert office.wait(hours=2) == 0
    office.register()
    assert office.wait(minutes=10) == 1


def test_who_comes_after_the_mail_before_the_start_is_told_of_once_an_hour(office):
    office.set(starts_at=office.clock() + timedelta(hours=4), duration_minutes=120)
    office.register()
    assert office.wait(hours=1, minutes=30) == 2, "the first, and that before the start"
    office.change(approve, actor="organizer")
    office.register()
    assert office.wait(minutes=30) == 0
    office.register()
    assert office.wait(minutes=20) == 1
    assert office.wait(hours=1, minutes=40) == 0, "nobody else came"
    office.register()
    assert office.wait(minutes=10) == 1, "under way, and still open"


def test_who_moves_up_after_the_mail_before_the_start_is_told_of(office):
    office.set(starts_at=office.clock() + timedelta(hours=3), capacity=1, has_waitlist=True)
    office.register()
    office.register()
    office.register()
    assert office.wait(minutes=10) == 1
    office.clock.move(hours=1)
    office.change(cancel, actor="registrant")
    assert office.wait(minutes=20) == 1


@only_sqlite
def test_who_had_to_wait_to_be_stored_is_told_of_before_the_start(office):
    office.set(starts_at=office.clock() + timedelta(hours=3))
    office.register()
    assert office.wait(minutes=10) == 1
    office.clock.move(seconds=-10)
    office.register()
    assert office.wait(hours=1, minutes=10) == 1


@only_sqlite
def test_mail_before_the_start_is_not_told_a_moment_after_another(office):
    office.set(starts_at=office.clock() + timedelta(hours=3, minutes=15))
    office.register()
    assert office.wait(minutes=60) == 1
    assert office.wait(minutes=30) == 1


@only_sqlite
def test_one_more_is_told_before_each_date_of_a_series(office):
    office.register()
    office.wait(minutes=10)
    office.set(starts_at=office.clock() - timedelta(days=3), duration_minutes=60 * 24 * 9)
    assert office.wait(hours=23) == 0, "a date that is over asks for nothing"
    assert office.wait(hours=1) == 1, "once a day"
    office.set(starts_at=office.clock() + timedelta(hours=5))
    assert office.wait(hours=3) == 1


def test_who_moves_up_to_wait_for_approval_is_told_of(office):
    office.set(capacity=1, has_waitlist=True)
    office.register()
    office.register()
    office.change(approve, actor="organizer")
    assert office.wait(minutes=30) == 0, "who waits for a place waits for nobody's approval"
    office.change(cancel, actor="registrant")
    assert office.wait(minutes=10) == 1


@only_sqlite
@pytest.mark.parametrize("status", ["draft", "cancelled"])
def test_nobody_is_told_of_an_event_that_is_not_held(office, status):
    office.register()
    office.set(status=status)
    assert office.wait(minutes=30) == 0


@only_sqlite
def test_who_may_decide_and_wants_to_know_is_told_of_who_waits(office):
    office.add_member("owner", "owner@example.com")
    office.add_member("owner", "quiet@example.com", is_told=False)
    office.add_member("approver", "elsewhere@example.com", sees_event=False)
    office.add_member("editor", "editor@example.com")
    office.register()
    office.wait(hours=1)
    assert {mail.email for mail in office.list_mails()} == {APPROVER, "owner@example.com"}
    assert len(office.list_mails()) == 2


@only_sqlite
def test_event_nobody_wants_to_hear_of_is_not_locked_every_minute(office):
    with office.database.write() as session:
        for row in members.list_members(session, office.event.organization_id):
            row.organizer.is_told_of_held = False
    office.register()
    with office.database.read() as session:
        assert list_untold(session, now=office.clock()) == []


@only_sqlite
def test_mail_that_a_clock_of_the_future_asked_for_holds_none_back(office):
    office.register()
    office.clock.move(days=3)
    office.wait(minutes=10)
    office.clock.move(days=-3)
    assert office.wait(minutes=10) == 1


@only_sqlite
def test_mail_that_was_dropped_has_told_nobody(office):
    office.register()
    office.wait(minutes=10)
    with office.database.write() as session:
        session.get_one(OrganizerMail, office.list_mails()[0].id).state = "dropped"
    assert office.wait(minutes=10) == 1


@pytest.mark.parametrize("is_locked", [True, False])
def test_two_workers_that_look_at_once_tell_once(office, database_url, monkeypatch, is_locked):
    if not is_locked:
        monkeypatch.setattr(events, "lock_event", events.need_event)
    office.register()
    now = office.clock()
    both = threading.Barrier(2)

    def work(database):
        with database.read() as session:
            due = list_untold(session, now=now)
        both.wait(10)
        with database.write() as session:
            tell(session, due[0], now=now)
            if not is_locked and database_url.startswith("postgresql"):
                session.flush()
                both.wait(10)

    race(database_url, work, workers=2)

    is_doubled = not is_locked and database_url.startswith("postgresql")
    assert len(office.list_mails()) == (2 if is_doubled else 1)
