"""When organizers are told of what was kept aside, and who is."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from services.events import LinkPolicy
from services.held_mails import request_look_when_over
from services.held_telling import count_waiting
from services.organizer_mails import OrganizerMailName
from services.registrations import drop, hold, register
from services.submissions import Doubt
from storage import events, registrations, submissions
from storage.jobs import LEASE_SECONDS, claim
from storage.models import OrganizerMail, SubmissionRow
from tests import factories
from tests.clock import Clock
from tests.dashboard import make_membership
from tests.fixtures.databases import only_sqlite
from worker.held_mails import HeldTelling


class Office:
    """An event, whoever decides about it, and a worker that tells them."""

    def __init__(self, database):
        self.database, self.clock = database, Clock()
        self.number = 0
        with database.write() as session:
            self.event = factories.make_event(session)

    def add_member(self, role, *, sees_event=True, **members_):
        email = f"{role}{sees_event}{len(members_)}@example.com"
        event_ids = None if sees_event else ()
        with self.database.write() as session:
            make_membership(
                session, role, event_ids=event_ids, now=self.clock(), email=email, **members_
            )
        return email

    def keep_aside(self, count=1, doubt=Doubt.TRAP):
        for _ in range(count):
            self.number += 1
            with self.database.write() as session:
                sent = factories.make_submission(
                    self.event, email=f"p{self.number}@example.com", nonce=f"nonce{self.number}"
                )
                hold(session, self.event, sent, doubt, now=self.clock())
                if doubt is Doubt.MAIL_PROOF:
                    request_look_when_over(session, self.event.id, now=self.clock())

    def register(self, session, event, email):
        sent = factories.make_submission(event, email=email, nonce=f"by another {email}")
        row = register(session, event, sent, policy=LinkPolicy.SHOW, now=self.clock())
        return registrations.get_registration(session, row.registration_id)

    def decide(self, reason):
        with self.database.write() as session:
            for held in submissions.list_held(session, self.event.id, reasons=[reason]):
                drop(session, held)

    def wait(self, **length):
        """Let time go by, with a worker that does what is due: soon, in a day within the hour."""
        step = 60 if length.get("hours", 0) > 20 else 10
        telling = HeldTelling(self.database, read_clock=self.clock)
        end = self.clock() + timedelta(**length)
        while self.clock() < end:
            self.clock.move(minutes=step)
            with self.database.write() as session:
                job = claim(
                    session,
                    kinds=["held", "proof_over"],
                    owner="w",
                    lease_seconds=LEASE_SECONDS,
                    now=self.clock(),
                )
            if job is not None:
                (telling.handle if job.kind == "held" else telling.handle_over)(job)

    def count_told(self):
        with self.database.read() as session:
            return len(session.scalars(select(OrganizerMail.id)).all())


@pytest.fixture
def office(database):
    return Office(database)


def test_first_of_a_day_is_told_and_then_what_makes_twice_as_many(office):
    office.add_member("owner")
    office.keep_aside(3)
    office.wait(minutes=10)
    assert office.count_told() == 1, "what comes together is told together"
    office.keep_aside(9)
    office.wait(hours=1)
    assert office.count_told() == 1, "nine are not many"
    office.keep_aside(1)
    office.wait(minutes=20)
    assert office.count_told() == 2
    office.keep_aside(20)
    office.wait(minutes=30)
    assert office.count_told() == 2, "an hour has not gone by"
    office.wait(minutes=30)
    assert office.count_told() == 3
    office.keep_aside(1)
    office.wait(hours=23)
    assert office.count_told() == 3
    office.wait(hours=3)
    assert office.count_told() == 4
    office.wait(hours=30)
    assert office.count_told() == 4, "nothing new"


@only_sqlite
def test_mail_that_was_dropped_has_told_nobody(office):
    office.add_member("owner")
    office.keep_aside()
    office.wait(minutes=10)
    office.decide(Doubt.TRAP)
    with office.database.write() as session:
        [mail] = session.scalars(select(OrganizerMail))
        mail.state = "dropped"
    office.keep_aside()
    office.wait(minutes=10)
    assert office.count_told() == 2


@only_sqlite
def test_mail_that_a_clock_of_the_future_asked_for_holds_none_back(office):
    office.add_member("owner")
    office.clock.move(days=3)
    office.keep_aside()
    office.wait(minutes=10)
    office.decide(Doubt.TRAP)
    office.clock.move(days=-3)
    office.keep_aside()
    office.wait(minutes=10)
    assert office.count_told() == 2


@only_sqlite
def test_nobody_is_told_of_what_waits_for_a_button_or_is_decided_or_over(office):
    office.add_member("owner")
    office.keep_aside(12, Doubt.MAIL_PROOF)
    office.wait(minutes=10)
    assert office.count_told() == 0
    office.keep_aside(1)
    office.decide(Doubt.TRAP)
    office.wait(minutes=10)
    assert office.count_told() == 0
    office.keep_aside(1)
    office.clock.move(days=3000)
    office.wait(minutes=10)
    assert office.count_told() == 0
    with office.database.read() as session:
        assert session.query(SubmissionRow).count() == 14
        event = events.need_event(session, office.event.id)
        assert count_waiting(session, event, now=office.clock()) == (0, 0)


def test_organizers_are_told_once_the_time_of_a_button_is_over(office):
    office.add_member("owner")
    office.keep_aside(2, Doubt.MAIL_PROOF)
    office.wait(hours=10)
    office.keep_aside(1, Doubt.MAIL_PROOF)
    office.wait(hours=13)
    assert office.count_told() == 0, "they may still press it"
    office.wait(hours=3)
    assert office.count_told() == 1
    office.wait(hours=36)
    assert office.count_told() == 2, "the third one's was over later, and a day has gone by"
    office.wait(hours=60)
    assert office.count_told() == 2, "nothing new"


@only_sqlite
def test_nobody_is_told_of_a_button_that_was_pressed_in_time(office):
    office.add_member("owner")
    office.keep_aside(1, Doubt.MAIL_PROOF)
    office.decide(Doubt.MAIL_PROOF)
    office.wait(hours=48)
    assert office.count_told() == 0


@pytest.mark.parametrize(
    ("status", "told"),
    [("approved", 0), ("pending", 0), ("waitlisted", 0), ("cancelled", 2), ("denied", 2)],
)
def test_nobody_is_told_of_who_is_registered_by_now(office, status, told):
    office.add_member("owner")
    office.keep_aside(1, Doubt.MAIL_PROOF)
    office.keep_aside(1, Doubt.MAIL_FAILED)
    with office.database.write() as session:
        for held in submissions.list_held(session, office.event.id):
            office.register(session, office.event, held.email).status = status
        office.register(session, factories.make_event(session, slug="other"), "p3@example.com")
        ids = [row.id for row in submissions.list_held(session, office.event.id)]
        assert submissions.list_ids_of_registered(session, ids) == set(() if told else ids)
    office.wait(hours=25)
    assert office.count_told() == told, "at once of one, of the other once the button is over"

    office.keep_aside(1)
    office.wait(hours=25)
    assert office.count_told() == told + 1, "of the other event they are"


@only_sqlite
def test_who_may_decide_and_wants_to_know_is_told(office):
    told = {office.add_member("owner"), office.add_member("approver")}
    office.add_member("approver", sees_event=False)
    office.add_member("editor")
    office.add_member("viewer")
    office.add_member("owner", is_told_of_held=False)
    office.keep_aside()
    office.wait(minutes=10)

    with office.database.read() as session:
        sent = session.scalars(select(OrganizerMail)).all()
        assert {mail.email for mail in sent} == told
        assert {(mail.name, mail.event_id) for mail in sent} == {
            (OrganizerMailName.HELD, office.event.id)
        }
