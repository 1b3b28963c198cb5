"""Who registers again while an erasing stands still or takes long: organizers are told and see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest
from sqlalchemy import select, update
from sqlalchemy.event import listen, remove

from services.alarms import AlarmName, Problem, find_problems
from services.behind_erasings import PATIENCE, list_behind, list_due_ahead
from services.erasing import erase
from services.event_editing import cancel_event
from services.events import LinkPolicy
from services.held_telling import list_untold
from services.lapsed_requests import request_word_if_lapsed
from services.overview import read_overview
from services.registrations import drop, register, release, sync_key
from services.restoring import make_safe
from storage import events, members, registrations, submissions
from storage.jobs import LEASE_SECONDS, claim
from storage.models import Job, OrganizerMail, ZoomRegistrant
from storage.zoom_registrants import ensure_zoom_registrant
from tests import factories
from tests.clock import Clock
from tests.dashboard import make_membership, sign_in
from tests.fixtures.databases import only_sqlite
from tests.mailbox import read_text
from tests.services.test_erasing import PLANTED, add_person, list_people, refuse_to_let_go
from tests.worker.smtp_server import Inbox, serve
from worker.held_mails import HeldTelling, tell_of_held_up
from worker.mail_failures import MOST_TRIES
from zoom_client import Plan

OWNER = "owner@example.com"
AWAY = "smtp://127.0.0.1:1"


def come_back_behind(site, *names):
    """Be erased, which Zoom refuses for good, and register anew; return the event's pages."""
    program, path = add_person(site)
    site.drain()
    refuse_to_let_go(site)
    program.ask("DELETE", path)
    for _ in range(2):
        site.let_pass(seconds=31)
        site.drain()
    for name in names or ("帰子",):
        program.register(**PLANTED | {"given_name": name})
        site.drain()
    return f"/organizer/events/{program.get('/events/spring').json()['id']}", path.split("/")[-1]


def tell(site):
    tell_of_held_up(site.database, now=site.clock())
    site.let_pass(minutes=2)
    site.drain()


def list_told(site):
    return [mail for mail in site.mailbox.list_mails() if mail["To"] == OWNER]


def test_organizer_hears_and_sees_who_waits_until_zoom_lets_the_former_go(site):
    pages, former = come_back_behind(site)
    owner = sign_in(site, email=OWNER)

    tell(site)
    tell(site)
    [mail] = list_told(site)
    assert "お申し込みが1件あります" in read_text(mail)
    assert "新しいお申し込み1件を登録できずにいます" in owner.open(pages).text
    held = owner.open(pages).follow("対応方法を見る")
    assert "帰子" in held.text and "消去が止まっているか、長引いています。" in held.text
    assert "Not now." in held.text

    site.sandbox.control.clear_faults()
    person = held.follow("以前のお申し込み")
    assert person.url.endswith(former)
    person.form("Zoomへの登録を再試行する").submit()
    for _ in range(3):
        site.let_pass(seconds=31)
        site.drain()
    assert list_people(site) == [("", "cancelled"), ("帰子", "approved")]
    assert "帰子" not in owner.open(f"{pages}/held").text
    assert "新しいお申し込み" not in owner.open(pages).text
    tell(site)
    assert len(list_told(site)) == 1


@only_sqlite
def test_mail_of_who_waits_says_nothing_of_them_once_they_are_registered(site):
    come_back_behind(site)
    sign_in(site, email=OWNER)
    tell_of_held_up(site.database, now=site.clock())
    site.sandbox.control.clear_faults()
    with site.database.write() as session:
        session.execute(update(Job).where(Job.state == "parked").values(state="ready"))
    for _ in range(3):
        site.let_pass(seconds=31)
        site.drain()

    assert list_people(site)[-1] == ("帰子", "approved")
    assert list_told(site) == []


def change_event(site, **changes):
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        for name, value in changes.items():
            setattr(event, name, value)


def test_who_waits_until_the_event_is_over_hears_once_that_it_came_to_nothing(site):
    come_back_behind(site)
    change_event(site, starts_at=site.clock())
    for _ in range(3):
        site.let_pass(days=1)
        site.drain()

    subjects = site.mailbox.list_subjects("planted@example.com")
    assert subjects == ["受付完了", "お申し込みの確認", "未登録のお知らせ"]
    text = read_text(site.mailbox.read_last("planted@example.com"))
    assert "帰子" in text and "イベントの終了までに登録できませんでした" in text


@only_sqlite
def test_who_waits_at_an_event_that_is_cancelled_hears_of_that(site):
    come_back_behind(site)
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        cancel_event(session, event, now=site.clock())
    for _ in range(3):
        site.let_pass(seconds=31)
        site.drain()

    text = read_text(site.mailbox.read_last("planted@example.com"))
    assert "帰子" in text and "開催中止" in text and "埋子" not in text


def let_go_where_it_is_closed(site, *names):
    """Have Zoom let the former go at last, after the form was closed; return the event's pages."""
    pages, _ = come_back_behind(site, *names)
    sign_in(site, email=OWNER)
    tell(site)
    change_event(site, status="closed")
    site.sandbox.control.clear_faults()
    with site.database.write() as session:
        session.execute(update(Job).where(Job.state == "parked").values(state="ready"))
    for _ in range(3):
        site.let_pass(seconds=31)
        site.drain()
    site.let_pass(minutes=5)
    site.drain()
    return pages


@only_sqlite
def test_whom_nobody_lets_in_after_the_erasing_hears_at_the_end(site):
    let_go_where_it_is_closed(site)
    assert len(list_told(site)) == 2, "now somebody has to decide, though they came before the mail"
    site.let_pass(hours=3)
    site.drain()
    assert len(site.mailbox.list_subjects("planted@example.com")) == 2, "it is not over"
    change_event(site, starts_at=site.clock())
    site.let_pass(hours=5)
    site.drain()

    assert site.mailbox.list_subjects("planted@example.com")[2:] == ["未登録のお知らせ"]


@only_sqlite
@pytest.mark.parametrize("act", ["release", "drop"])
def test_about_whom_somebody_has_decided_nothing_is_said_at_the_end(site, act):
    let_go_where_it_is_closed(site)
    change_event(site, status="open")
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        [held] = submissions.list_held(session, event.id)
        if act == "release":
            release(session, event, held, policy=LinkPolicy.SHOW, now=site.clock())
        else:
            drop(session, held)
    change_event(site, starts_at=site.clock())
    site.let_pass(hours=5)
    site.drain()

    assert "未登録のお知らせ" not in site.mailbox.list_subjects("planted@example.com")


@pytest.mark.parametrize(
    ("dropped", "told"), [({"帰子"}, "戻子"), ({"戻子"}, "帰子"), ({"帰子", "戻子"}, "")]
)
def test_who_sent_two_forms_hears_of_the_one_that_nobody_has_decided_about(site, dropped, told):
    let_go_where_it_is_closed(site, "帰子", "戻子")
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        for held in submissions.list_held(session, event.id):
            if held.given_name in dropped:
                drop(session, held)
    change_event(site, starts_at=site.clock() - timedelta(hours=3))
    for _ in range(2):
        site.let_pass(hours=5)
        site.drain()

    assert site.mailbox.list_subjects("planted@example.com").count("未登録のお知らせ") == bool(told)
    assert told in read_text(site.mailbox.read_last("planted@example.com"))


@only_sqlite
@pytest.mark.parametrize("which", [0, 1])
def test_who_was_let_in_by_one_of_two_forms_and_cancelled_is_not_told_of_the_other(site, which):
    let_go_where_it_is_closed(site, "帰子", "戻子")
    change_event(site, status="open")
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        held = submissions.list_held(session, event.id)[which]
        release(session, event, held, policy=LinkPolicy.SHOW, now=site.clock())
        session.flush()
        registrations.get_registration(session, held.registration_id).status = "cancelled"
    change_event(site, starts_at=site.clock() - timedelta(hours=3))
    site.let_pass(hours=5)
    site.drain()

    assert "未登録のお知らせ" not in site.mailbox.list_subjects("planted@example.com")


@only_sqlite
def test_who_sent_another_form_that_has_a_word_of_its_own_hears_once(site):
    let_go_where_it_is_closed(site, "帰子", "戻子")
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        first, _ = submissions.list_held(session, event.id)
        request_word_if_lapsed(session, event, first, now=site.clock())
    change_event(site, starts_at=site.clock() - timedelta(hours=3))
    site.let_pass(hours=5)
    site.drain()

    assert site.mailbox.list_subjects("planted@example.com").count("未登録のお知らせ") == 1


@only_sqlite
@pytest.mark.parametrize(("is_over", "state"), [(True, "done"), (False, "ready")])
def test_who_was_told_perhaps_before_a_restore_is_not_told_again(site, is_over, state):
    let_go_where_it_is_closed(site)
    if is_over:
        change_event(site, starts_at=site.clock() - timedelta(days=1))
    with site.database.write() as session:
        make_safe(session, now=site.clock())

    with site.database.read() as session:
        assert session.scalars(select(Job.state).where(Job.kind == "lapsed_mail")).all() == [state]


def list_problems(site):
    with site.database.read() as session:
        return find_problems(read_overview(session, plan=Plan.PRO, now=site.clock()))


@only_sqlite
def test_operator_hears_where_the_word_at_the_end_was_given_up(site):
    let_go_where_it_is_closed(site)
    change_event(site, starts_at=site.clock() - timedelta(hours=3))
    with site.database.write() as session:
        is_word = Job.kind == "lapsed_mail"
        session.execute(update(Job).where(is_word).values(attempts=MOST_TRIES))
    site.settings = replace(site.settings, mail_url=AWAY)
    site.let_pass(hours=1)
    site.drain()

    facts = {"mails": 1, "reason": "MailUnavailable"}
    assert Problem(AlarmName.MAIL_GIVEN_UP, facts) in list_problems(site)


def end_erasings(site, count):
    """Have so many erasings end that stood still, one after the other."""
    site.sandbox.control.clear_faults()
    for _ in range(count):
        with site.database.write() as session:
            parked = select(Job).where(Job.kind == "zoom.sync", Job.state == "parked")
            session.scalars(parked.order_by(Job.id)).first().state = "ready"
        for seconds in (5, 31):
            site.let_pass(seconds=seconds)
            site.drain()


@only_sqlite
def test_organizer_gets_one_mail_of_all_whom_erasings_leave_one_by_one(site):
    program, path = add_person(site)
    people = [PLANTED | {"email": f"p{number}@example.com"} for number in range(3)]
    made = [program.register(**person).json()["registration"] for person in people]
    site.drain()
    refuse_to_let_go(site)
    for former in (path, *(f"/events/spring/registrations/{public_id}" for public_id in made)):
        program.ask("DELETE", former)
    for _ in range(2):
        site.let_pass(seconds=31)
        site.drain()
    for person in (PLANTED, *people):
        program.register(**person | {"given_name": "帰子"})
    site.drain()
    sign_in(site, email=OWNER)
    tell(site)
    assert len(list_told(site)) == 1
    change_event(site, status="closed")

    end_erasings(site, 3)
    site.let_pass(minutes=5)
    site.drain()
    [_, mail] = list_told(site)
    assert "お申し込みが4件あります" in read_text(mail)
    end_erasings(site, 1)
    site.let_pass(minutes=5)
    site.drain()
    assert len(list_told(site)) == 3, "who is left after the mail is told of by another"
    site.let_pass(minutes=30)
    site.drain()
    assert len(list_told(site)) == 3


class CuttingInbox(Inbox):
    """Keeps each mail, and hangs up in place of an answer."""

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        server.transport.abort()
        return answer


@only_sqlite
def test_word_at_the_end_that_perhaps_went_goes_once_more_and_never_a_third_time(site):
    let_go_where_it_is_closed(site)
    change_event(site, starts_at=site.clock() - timedelta(hours=3))
    inbox = CuttingInbox()
    with serve(inbox) as port:
        cutting = f"smtp://127.0.0.1:{port}"
        for url in (cutting, AWAY, cutting, cutting):
            site.settings = replace(site.settings, mail_url=url)
            site.let_pass(hours=1)
            site.drain()

    assert [mail.rcpt_tos for mail in inbox.envelopes] == 2 * [["planted@example.com"]]
    first, second = (message_from_bytes(mail.content) for mail in inbox.envelopes)
    assert first["Message-ID"] == second["Message-ID"]
    facts = {"mails": 1, "reason": "MailOutcomeUnknown"}
    assert Problem(AlarmName.MAIL_GIVEN_UP, facts) in list_problems(site)


class Office:
    """An event with somebody who is to be erased, and an owner who wants to hear."""

    def __init__(self, database):
        self.database, self.clock, self.number = database, Clock(), 0
        with database.write() as session:
            week = self.clock() + timedelta(days=7)
            self.event = factories.make_event(session, starts_at=week)
            make_membership(session, "owner", now=self.clock(), email=OWNER)
        self.former_id = self.begin_erasing()

    def begin_erasing(self, **values):
        """Register somebody and have them erased, for which Zoom is waited for."""
        former_id = self.send(**values)
        with self.database.write() as session:
            event = events.need_event(session, self.event.id)
            former = registrations.get_registration(session, former_id)
            ensure_zoom_registrant(session, former.id, event.id, now=self.clock())
            is_theirs = ZoomRegistrant.registration_id == former.id
            registrant = session.scalars(select(ZoomRegistrant).where(is_theirs)).one()
            registrant.zoom_status = "approved"
            erase(session, event, former, actor="test", note=lambda _: None, now=self.clock())
        return former_id

    def send(self, **values):
        """Send the form, each time with the same address."""
        self.number += 1
        with self.database.write() as session:
            event = events.need_event(session, self.event.id)
            sent = factories.make_submission(event, nonce=f"nonce{self.number}", **values)
            row = register(session, event, sent, policy=LinkPolicy.SHOW, now=self.clock())
            return row.registration_id

    def set_job(self, key, **values):
        with self.database.write() as session:
            session.execute(update(Job).where(Job.key == key).values(**values))

    def stand_still(self):
        self.set_job(sync_key(self.former_id), state="parked", updated_at=self.clock())

    def wait(self, **length):
        """Let time go by with a worker that looks every ten minutes; return how often it told."""
        before = self._count_mails()
        end = self.clock() + timedelta(**length)
        telling = HeldTelling(self.database, read_clock=self.clock)
        while self.clock() < end:
            self.clock.move(minutes=10)
            tell_of_held_up(self.database, now=self.clock())
            self.clock.move(minutes=1)
            with self.database.write() as session:
                job = claim(
                    session,
                    kinds=["held"],
                    owner="w",
                    lease_seconds=LEASE_SECONDS,
                    now=self.clock(),
                )
            if job is not None:
                telling.handle(job)
        return self._count_mails() - before

    def list_untold(self):
        with self.database.read() as session:
            return list_untold(session, now=self.clock())

    def list_held_up(self):
        with self.database.read() as session:
            return list(list_due_ahead(session, now=self.clock()))

    def count_statements(self):
        """Count what a worker's look says to the database."""
        statements = []

        def keep(_connection, _cursor, statement, *_):
            statements.append(statement)

        listen(self.database.engine, "before_cursor_execute", keep)
        assert self.list_untold() == [self.event.id]
        remove(self.database.engine, "before_cursor_execute", keep)
        return len(statements)

    def _count_mails(self):
        with self.database.read() as session:
            return len(session.scalars(select(OrganizerMail.id)).all())


@pytest.fixture
def office(database):
    return Office(database)


def test_organizers_are_told_of_who_waits_longer_than_an_hour(office):
    assert office.wait(hours=2) == 0, "nobody waits but who is erased"
    office.send()
    office.send()
    assert office.wait(minutes=50) == 0
    assert office.wait(minutes=30) == 1
    assert office.wait(hours=30) == 0, "nothing new"
    office.send()
    assert office.wait(hours=2) == 1, "the last one was more than a day ago"


@only_sqlite
def test_organizers_are_told_at_once_where_an_erasing_stands_still(office):
    office.stand_still()
    office.send()
    assert office.wait(minutes=20) == 1
    assert office.wait(hours=30) == 0


@only_sqlite
def test_erasing_that_comes_to_a_standstill_is_told_then(office):
    office.send()
    office.clock.move(minutes=20)
    office.stand_still()
    assert office.wait(minutes=20) == 1
    assert office.wait(hours=30) == 0


@only_sqlite
def test_erasing_that_was_given_up_is_told_of(office):
    office.set_job(f"erase:{office.former_id}", state="parked", updated_at=office.clock())
    office.send()
    assert office.wait(minutes=20) == 1


@only_sqlite
def test_nobody_is_told_once_the_event_is_over_or_nobody_wants_to_hear(office):
    office.stand_still()
    office.send()
    assert office.list_untold() == [office.event.id]
    with office.database.write() as session:
        [row] = members.list_members(session, office.event.organization_id)
        row.organizer.is_told_of_held = False
    assert office.list_untold() == [], "else it would be looked at every minute"
    with office.database.write() as session:
        [row] = members.list_members(session, office.event.organization_id)
        row.organizer.is_told_of_held = True
        events.need_event(session, office.event.id).status = "cancelled"
    assert office.list_untold() == []


def test_look_at_many_who_wait_costs_as_many_statements_as_at_one(office):
    office.send()
    office.clock.move(hours=2)
    cost = office.count_statements()
    for number in range(3):
        email = f"p{number}@example.com"
        office.begin_erasing(email=email)
        office.send(email=email)
    office.clock.move(hours=2)
    assert office.count_statements() == cost


def test_look_leaves_out_events_that_are_over_or_cancelled(office):
    office.send()
    office.clock.move(hours=2)
    assert office.list_held_up() == [office.event.id]
    with office.database.write() as session:
        events.need_event(session, office.event.id).status = "cancelled"
    assert office.list_held_up() == []
    with office.database.write() as session:
        events.need_event(session, office.event.id).status = "closed"
    assert office.list_held_up() == [office.event.id]
    office.clock.move(days=8)
    assert office.list_held_up() == []


@only_sqlite
def test_those_behind_are_counted_at_their_own_event_alone(office):
    office.send()
    with office.database.write() as session:
        other = factories.make_event(session, slug="other")
        assert list_behind(session, event_id=other.id) == []
        [behind] = list_behind(session, event_id=office.event.id)
        assert behind.due_at == behind.form.created_at + PATIENCE
