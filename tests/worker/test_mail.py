"""Every mail that was asked for is sent once, given up for a reason, or dropped as untrue."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from functools import partial
from itertools import product

import pytest
from sqlalchemy import select, text, update

from services.deliveries import Delivery, read_for_step
from services.fault_points import FAULT_VARIABLE
from services.mails import (
    MailName,
    hasten_mails_with_link,
    request_again,
    request_mail,
    request_word_of_delay,
)
from services.questions import DATES
from services.registration_changes import cancel, register_again
from services.registrations import Status
from services.submissions import Doubt
from storage import events, mails, registration_lists, registrations
from storage.models import Job, Mail, Registration, SubmissionRow, ZoomRegistrant
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.installation import wait_until
from tests.mailbox import read_text
from tests.organizer import Organizer
from tests.people import TARO
from tests.races import count_waiting
from tests.series import list_ids, make_series
from worker import loop
from worker.backoff import next_try
from worker.letters import is_wanted
from worker.loop import GIVE_UP_AFTER
from worker.mail import TWICE_UNKNOWN
from worker.mail_failures import MOST_TRIES, NOT_SENT

from .smtp_server import Inbox, serve


class CuttingInbox(Inbox):
    """Keeps each mail, and hangs up before saying so as often as it is told to."""

    def __init__(self, cuts):
        super().__init__()
        self.cuts = cuts

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.envelopes) <= self.cuts:
            server.transport.abort()
        return answer


@pytest.fixture
def open_post_office(start_site):
    """Start a site that sends by SMTP to a server on some port."""

    @contextmanager
    def open_post_office(inbox, **settings):
        with serve(inbox) as port:
            site = start_site(mail_url=f"smtp://127.0.0.1:{port}", **settings)
            site.event = site.add_event(slug="spring")
            yield site

    return open_post_office


def register(site, **changes):
    return site.visitor().open("/e/spring").form().fill(**TARO | changes).submit()


def read_mails(site):
    """Return (name, state, error) of every mail, and the state of its job."""
    with site.database.read() as session:
        mails = session.execute(select(Mail.name, Mail.state, Mail.error).order_by(Mail.id)).all()
        states = session.scalars(select(Job.state).where(Job.kind == "mail").order_by(Job.id))
        return [(*mail, state) for mail, state in zip(mails, states, strict=True)]


def read_mail_job(site):
    with site.database.read() as session:
        return session.scalars(select(Job).where(Job.kind == "mail")).one()


def open_envelopes(inbox):
    return [message_from_bytes(e.content, policy=policy.default) for e in inbox.envelopes]


def test_mail_is_sent_once_when_zoom_has_answered(open_post_office):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        site.drain()
        site.let_pass(minutes=30)
        site.drain()

    [mail] = open_envelopes(inbox)
    assert mail["To"].addresses[0].addr_spec == "taro@example.com"
    assert "参加用URL" in read_text(mail)
    assert read_mails(site) == [("confirmation", "sent", "", "done")]


@only_postgresql
def test_mail_that_holds_again_as_it_is_found_untrue_is_sent(open_post_office):
    """A worker stores that Zoom takes somebody after all, as their mail is about to be dropped."""
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        with site.database.write() as session:
            registrant = session.scalars(select(ZoomRegistrant)).one()
            registrant.delivery = Delivery.REFUSED
            session.execute(update(Job).where(Job.kind == "zoom.sync").values(state="parked"))
        site.let_pass(minutes=30)
        sending = threading.Thread(target=site.drain)
        with site.database.write() as session:
            _, registration, registrant = read_for_step(session, registrant.registration_id)
            registrant.delivery = Delivery.REGISTERED
            session.flush()
            sending.start()
            wait_until(lambda: count_waiting(site.database) or not sending.is_alive())
            assert hasten_mails_with_link(session, [registration.id], now=site.clock())
        sending.join()
        assert read_mails(site)[0] == ("confirmation", "sent", "", "done")


@only_sqlite
def test_mail_that_is_not_true_any_more_is_dropped(open_post_office):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        Organizer(site, site.event).run("registrations", "cancel", TARO["email"])
        site.let_pass(minutes=2)
        site.drain()

    assert read_mails(site) == [
        ("confirmation", "dropped", "", "done"),
        ("cancelled", "sent", "", "done"),
    ]


@only_sqlite
def test_refused_address_is_given_up_with_the_servers_words(open_post_office):
    inbox = Inbox(rcpt="550 5.1.1 no mailbox <taro@example.com> see https://mail.example/help")
    with open_post_office(inbox) as site:
        register(site)
        site.drain()
        site.let_pass(days=1)
        site.drain()

    [(name, state, error, job)] = read_mails(site)
    assert (name, state, job) == ("confirmation", "failed", "parked")
    assert error.startswith("MailRefused: 550 5.1.1 no mailbox")
    assert "@" not in error and "://" not in error
    assert inbox.recipients_named == 1


def test_greylisted_mail_is_sent_again_as_the_same_mail(open_post_office):
    inbox = Inbox(rcpt="451 4.7.1 try later")
    with open_post_office(inbox) as site:
        register(site)
        site.drain()
        job = read_mail_job(site)
        assert (job.state, job.attempts) == ("ready", 1)
        assert job.reason.startswith("MailUnavailable: 451")
        del inbox.replies["rcpt"]
        site.let_pass(seconds=10)
        site.drain()

    assert len(inbox.envelopes) == 1
    assert read_mails(site) == [("confirmation", "sent", "", "done")]


@only_sqlite
def test_server_that_is_away_for_a_day_ends_the_tries(open_post_office):
    inbox = Inbox(mail="421 4.3.2 shutting down")
    with open_post_office(inbox) as site:
        register(site)
        for _ in range(MOST_TRIES - 1):
            site.drain()
            site.let_pass(hours=1, minutes=15)
        assert read_mails(site)[0][1] == "queued"
        site.drain()

    [(_, state, error, job)] = read_mails(site)
    assert (state, job) == ("failed", "parked")
    assert error.startswith("MailUnavailable: ")


def test_tries_of_a_mail_take_a_day():
    waits = [next_try(tries, now=NOW) - NOW for tries in range(1, MOST_TRIES)]

    assert timedelta(hours=19) < sum(waits, start=timedelta()) < timedelta(hours=30)


def test_mail_that_nobody_tried_for_a_day_has_all_its_tries(open_post_office):
    inbox = Inbox(rcpt="451 4.7.1 try later")
    with open_post_office(inbox) as site:
        register(site)
        for _ in range(2):
            site.let_pass(hours=25)
            site.drain()
            assert read_mails(site)[0][1] == "queued"
        del inbox.replies["rcpt"]
        site.let_pass(minutes=10)
        site.drain()

    assert len(inbox.envelopes) == 1


@only_sqlite
def test_mail_that_is_tried_again_by_hand_has_all_its_tries(open_post_office):
    inbox = Inbox(rcpt="550 5.1.1 no mailbox")
    with open_post_office(inbox) as site:
        register(site)
        site.drain()
        inbox.replies["rcpt"] = "451 4.7.1 try later"
        site.let_pass(hours=25)
        Organizer(site, site.event).run("jobs", "retry", "--all")
        site.drain()
        del inbox.replies["rcpt"]
        site.let_pass(minutes=10)
        site.drain()

    assert len(inbox.envelopes) == 1


@pytest.mark.parametrize(("cuts", "state"), [(1, "sent"), (2, "failed")])
@only_sqlite
def test_mail_of_unknown_outcome_is_tried_once_more_as_the_same_mail(open_post_office, cuts, state):
    inbox = CuttingInbox(cuts)
    with open_post_office(inbox) as site:
        register(site)
        for _ in range(4):
            site.drain()
            site.let_pass(hours=1)

    first, second = open_envelopes(inbox)
    assert first["Message-ID"] == second["Message-ID"]
    assert read_mails(site)[0][1] == state


def refuse_to_store(site, state, *, change="UPDATE"):
    """Have the database fail whenever a mail comes to a state."""
    with site.database.write() as session:
        session.execute(
            text(
                f"CREATE TRIGGER broken BEFORE {change} ON mail "
                f"WHEN NEW.state = '{state}' BEGIN SELECT RAISE(ABORT, 'disk'); END"
            )
        )


@only_sqlite
def test_mail_whose_result_cannot_be_stored_is_sent_twice_at_most(open_post_office, caplog):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        refuse_to_store(site, "sent")
        for _ in range(5):
            site.drain()
            site.let_pass(hours=1)

    assert len(inbox.envelopes) == 2
    assert read_mails(site) == [("confirmation", "failed", TWICE_UNKNOWN, "parked")]


@only_sqlite
def test_mail_that_went_is_not_sent_again_for_what_else_is_owed(open_post_office, caplog):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        site.stop_zoom()
        register(site)
        site.let_pass(seconds=61)
        refuse_to_store(site, "queued", change="INSERT")
        site.drain()
        assert read_mails(site) == [("confirmation", "sent", "", "ready")]
        with site.database.write() as session:
            session.execute(text("DROP TRIGGER broken"))
        site.let_pass(minutes=1)
        site.drain()

        assert len(inbox.envelopes) == 1
        assert read_mails(site) == [
            ("confirmation", "sent", "", "done"),
            ("delayed", "queued", "", "ready"),
        ]


@only_postgresql
def test_mail_that_went_is_noted_while_its_person_is_locked(open_post_office):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        with site.database.write() as session:
            session.execute(update(Job).where(Job.kind == "zoom.sync").values(state="parked"))
        site.let_pass(seconds=61)
        sending = threading.Thread(target=site.drain)
        with site.database.write() as session:
            registration_lists.lock_people(session, site.event.id)
            sending.start()
            wait_until(lambda: count_waiting(site.database))
            noted = [mail[1] for mail in read_mails(site)]
        sending.join()

        assert noted == ["sent"]
        assert [mail[0] for mail in read_mails(site)] == ["confirmation", "delayed"]


@only_sqlite
def test_mail_is_not_sent_before_that_is_stored(open_post_office, caplog):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        refuse_to_store(site, "sending")
        site.drain()

    assert inbox.envelopes == []
    assert read_mails(site) == [("confirmation", "queued", "", "ready")]


@only_sqlite
def test_mail_that_cannot_be_written_is_given_up_at_last(open_post_office, caplog):
    def fail():
        raise ZeroDivisionError

    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        site.app.app_context = fail
        for _ in range(GIVE_UP_AFTER + 1):
            site.let_pass(hours=1, minutes=15)
            site.drain()

    assert inbox.envelopes == []
    assert read_mails(site)[0] == ("confirmation", "failed", "GivenUp", "parked")


@only_sqlite
def test_mail_with_a_button_that_did_not_go_is_shown_and_tried_again(open_post_office):
    inbox = Inbox(rcpt="550 5.1.1 no mailbox")
    with open_post_office(inbox) as site:
        event = site.add_event(slug="checked", bot_check="always")
        receipt = ask_by_mail(site)
        assert "taro@example.com" not in receipt.text and receipt.heading.startswith("メール内")
        site.drain()

        organizer = Organizer(site, event)
        assert "held: mail_fail" in organizer.run("registrations", "list", "checked", "--held")
        unsent = receipt.visitor.open(receipt.url)
        assert "t***@example.com にメールを送信できませんでした" in unsent.text
        assert "送信します" not in unsent.text

        del inbox.replies["rcpt"]
        organizer.run("jobs", "retry", "--all")
        site.drain()
        assert "held: mail_proof" in organizer.run("registrations", "list", "checked", "--held")
        assert receipt.visitor.open(receipt.url).heading == receipt.heading
    assert len(inbox.envelopes) == 1


@only_sqlite
@pytest.mark.parametrize("is_poison", [True, False])
def test_mail_with_a_button_that_cannot_be_written_is_shown(
    open_post_office, monkeypatch, is_poison
):
    def fail():
        raise ZeroDivisionError

    with open_post_office(Inbox(rcpt="451 4.7.1 try later")) as site:
        site.add_event(slug="checked", bot_check="always")
        ask_by_mail(site)
        if is_poison:
            monkeypatch.setattr(loop, "GIVE_UP_AFTER", 1)
            site.app.app_context = fail
        site.drain()
        if not is_poison:
            site.let_pass(hours=24)
            site.drain()
        with site.database.read() as session:
            assert session.scalars(select(SubmissionRow.held_for)).one() == Doubt.MAIL_FAILED


def ask_by_mail(site):
    asked = site.visitor().open("/e/checked").form().fill(**TARO).submit(status=422)
    return asked.form().press("確認メールを受け取る").submit()


@pytest.mark.real_time
@pytest.mark.parametrize(("place", "copies"), [("before_mail", 0), ("after_mail", 2)])
@only_sqlite
def test_worker_that_dies_of_a_mail_sends_two_copies_at_most(open_post_office, place, copies):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        for _ in range(2):
            kill_worker_at(site, place)
        site.drain()

        told = site.app.test_cli_runner().invoke(args=["status"]).output

    assert len(inbox.envelopes) == copies
    assert read_mails(site) == [("confirmation", "failed", TWICE_UNKNOWN, "parked")]
    assert "  1 put aside (mail, MailOutcomeUnknown): perhaps it never went: look in" in told


@pytest.mark.real_time
@only_sqlite
def test_mail_is_sent_once_more_after_the_worker_died_of_it(open_post_office):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        kill_worker_at(site, "before_mail")
        site.drain()

    assert len(inbox.envelopes) == 1
    assert read_mails(site) == [("confirmation", "sent", "", "done")]


def kill_worker_at(site, place):
    mail = {"UKETSUKE_MAIL_URL": site.settings.mail_url}
    worker = site.start_worker_process(**{FAULT_VARIABLE: f"{place}:kill"}, **mail)
    assert worker.wait(60) == -9
    site.end_leases()


@only_sqlite
def test_known_failure_of_a_second_try_leaves_it_the_last(open_post_office):
    inbox = CuttingInbox(1)
    with open_post_office(inbox) as site:
        register(site)
        site.drain()
        inbox.replies["rcpt"] = "451 4.7.1 try later"
        site.let_pass(hours=1)
        site.drain()
        assert read_mails(site)[0][1] == "unknown"
        inbox.replies.clear()
        inbox.cuts = 2
        site.let_pass(hours=1)
        site.drain()

    assert len(inbox.envelopes) == 2
    assert read_mails(site)[0][1] == "failed"


@pytest.mark.parametrize("state", ["unknown", "sending", "again"])
def test_mail_that_perhaps_went_ends_once_its_person_is_erased(open_post_office, state):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        cancel_by_hand(site)
        with site.database.write() as session:
            session.execute(update(Mail).where(Mail.name == "cancelled").values(state=state))
        erase(site)
        site.let_pass(hours=1)
        site.drain()

    assert inbox.envelopes == []
    assert read_mails(site) == [
        ("confirmation", "dropped", "", "done"),
        ("cancelled", "dropped", "", "done"),
    ]
    assert read_reasons(site) == [NOT_SENT, NOT_SENT]


class ErasingInbox(Inbox):
    """Refuses a mail while whom it is for is erased."""

    def __init__(self, reply):
        super().__init__()
        self.reply, self.erase = reply, None

    async def handle_DATA(self, server, session, envelope):
        await super().handle_DATA(server, session, envelope)
        self.erase()
        return self.reply


@pytest.mark.parametrize("reply", ["451 4.3.0 try later", "550 5.6.0 not this"])
def test_mail_that_does_not_go_as_its_person_is_erased_ends(open_post_office, reply):
    inbox = ErasingInbox(reply)
    with open_post_office(inbox) as site:
        inbox.erase = partial(erase, site)
        register(site)
        cancel_by_hand(site)
        site.let_pass(hours=1)
        site.drain()

    assert len(inbox.envelopes) == 1
    assert read_mails(site)[1] == ("cancelled", "dropped", "", "done")


@only_sqlite
def test_mail_about_who_is_to_be_erased_ends_though_zoom_has_them_still(open_post_office):
    inbox = CuttingInbox(0)
    with open_post_office(inbox) as site:
        register(site)
        site.drain()
        site.sandbox.control.fault("set_status", status=503, count=None)
        inbox.cuts = 2
        cancel_by_hand(site)
        site.drain()
        erase(site)
        site.let_pass(hours=1)
        site.drain()

    assert len(inbox.envelopes) == 2
    assert read_mails(site)[1] == (
        *("cancelled", "dropped", "MailOutcomeUnknown: SMTPServerDisconnected", "done"),
    )


def cancel_by_hand(site):
    """Cancel somebody with a mail, as an organizer may do before they erase them."""
    Organizer(site, site.event).run("registrations", "cancel", TARO["email"])


def erase(site):
    Organizer(site, site.event).run("registrations", "erase", TARO["email"], "--yes")


def read_reasons(site):
    with site.database.read() as session:
        reasons = select(Job.reason).where(Job.kind == "mail").order_by(Job.id)
        return session.scalars(reasons).all()


@only_sqlite
def test_mail_dropped_while_it_is_written_is_not_sent(open_post_office):
    inbox = Inbox()
    with open_post_office(inbox) as site:
        register(site)
        enter = site.app.app_context

        def drop_and_enter():
            with site.database.write() as session:
                mails.drop_queued(session, 1, names=["confirmation"])
            return enter()

        site.app.app_context = drop_and_enter
        site.let_pass(minutes=2)
        site.drain()

    assert inbox.envelopes == []
    assert read_mails(site) == [("confirmation", "dropped", "", "done")]


def test_mail_that_is_being_sent_is_not_dropped(site):
    site.add_event(slug="spring")
    register(site)
    with site.database.write() as session:
        mail = session.scalars(select(Mail)).one()
        assert mails.begin_sending(session, mail.id)
        mails.drop_queued(session, mail.registration_id, names=["confirmation"])

    assert read_mails(site)[0][1] == "sending"


@only_sqlite
def test_slow_link_is_told_of_once_after_fifteen_minutes(site):
    site.add_event(slug="spring")
    site.stop_zoom()
    register(site)
    for _ in range(20):
        site.let_pass(minutes=1)
        site.drain()

    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了", "参加用URL準備中"]


def leave_and_come_back(site, *, away):
    """Cancel, come back after so many minutes, and wait for Zoom for 40."""
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        person = session.scalars(select(Registration)).one()
        cancel(session, event, person, actor="person", now=site.clock())
    wait_for_zoom(site, minutes=away)
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        person = session.scalars(select(Registration)).one()
        register_again(session, event, person, now=site.clock())
    wait_for_zoom(site, minutes=40)


def wait_for_zoom(site, *, minutes):
    for _ in range(minutes):
        site.let_pass(minutes=1)
        site.drain()


@only_sqlite
@pytest.mark.parametrize("waited", [4, 13, 20])
def test_slow_link_is_told_of_once_each_time_that_somebody_comes(site, waited):
    site.add_event(slug="spring")
    site.stop_zoom()
    register(site)
    wait_for_zoom(site, minutes=waited)
    leave_and_come_back(site, away=5)
    with site.database.write() as session:
        person = session.scalars(select(Registration)).one()
        assert request_again(session, MailName.CONFIRMATION, person, now=site.clock())
    wait_for_zoom(site, minutes=20)

    told = site.mailbox.list_subjects("taro@example.com")
    back = told.index("キャンセル完了")
    word = "参加用URL準備中"
    assert (told[:back].count(word), told[back:].count(word)) == (waited > 15, 1)
    assert told[back:].count("受付完了") == 2


@only_postgresql
@pytest.mark.parametrize("is_locked", [True, False])
def test_two_workers_at_once_ask_for_one_word_of_delay(site, monkeypatch, is_locked):
    site.add_event(slug="spring")
    register(site)
    if not is_locked:
        monkeypatch.setattr(registrations, "lock_registration", lambda *_: None)

    def ask(session):
        person = session.scalars(select(Registration)).one()
        request_word_of_delay(session, person, run_at=site.clock(), now=site.clock())
        session.flush()

    def ask_too():
        with site.database.write() as session:
            ask(session)

    second = threading.Thread(target=ask_too)
    with site.database.write() as session:
        ask(session)
        second.start()
        wait_until(lambda: count_waiting(site.database) or not second.is_alive())
    second.join()

    words = [mail for mail in read_mails(site) if mail[0] == "delayed"]
    assert len(words) == (1 if is_locked else 2)


@only_sqlite
def test_link_that_comes_in_time_needs_no_second_mail(site):
    site.add_event(slug="spring")
    site.stop_zoom()
    register(site)
    site.let_pass(minutes=2)
    site.drain()
    site.start_zoom()
    site.let_pass(minutes=30)
    site.drain()

    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]
    assert read_mails(site)[1:] == [("delayed", "dropped", "", "done")]


@only_sqlite
@pytest.mark.parametrize("is_closed", [False, True])
def test_refused_person_is_told_why_and_gets_no_confirmation(site, is_closed):
    organizer = Organizer(site, site.add_event(slug="spring"))
    register(site, email="host@example.com")
    if is_closed:
        organizer.change_event(closes_at=site.clock())
    site.drain()
    site.let_pass(minutes=2)
    site.drain()

    mail = site.mailbox.read_only("host@example.com")
    assert "Zoomで登録が受け付けられず" in read_text(mail)
    assert ("/e/spring" in read_text(mail)) is not is_closed
    assert organizer.find("host@example.com").status == "approved"


@pytest.fixture
def register_refused(start_site):
    """Have Zoom refuse somebody who has registered for the first date of a series."""

    def register_refused(site, *, minutes_before, link_policy="show"):
        site.zoom.set_clock(site.clock())
        with site.database.write() as session:
            series = make_series(
                session, site.zoom, now=site.clock(), slug="course", link_policy=link_policy
            )
        site.zoom.fault("add_registrant", does="answer", status=400, code=3027, message="No.")
        site.let_pass(days=7, minutes=-minutes_before)
        chosen = {f"question_{DATES}": list_ids(series)[:1]}
        receipt = site.visitor().open("/e/course").form().fill(**TARO, **chosen).submit()
        for minutes in (0, 2):
            site.let_pass(minutes=minutes)
            site.drain()
        site.let_pass(minutes=minutes_before + 61)
        return receipt

    return register_refused


def list_sent(site):
    return [name for name, state, *_ in read_mails(site) if state == "sent"]


@only_sqlite
@pytest.mark.parametrize("link_policy", ["show", "code"])
def test_whom_zoom_refused_gets_the_mail_again_once_their_date_is_over(
    site, register_refused, link_policy
):
    receipt = register_refused(site, minutes_before=60, link_policy=link_policy)
    assert list_sent(site) == ["refused"]

    receipt.visitor.open(receipt.url).form("確認メールを再送する").submit()
    site.drain()

    assert list_sent(site) == ["refused", "confirmation"]
    message = site.mailbox.read_last(TARO["email"])
    assert "ほかの日程に空きがあれば" in read_text(message)
    assert message["Subject"].startswith("【お申し込みの確認】")


def test_whom_zoom_refused_hears_once_how_they_stand_though_the_word_comes_too_late(
    open_post_office, register_refused
):
    inbox = Inbox(rcpt="451 4.7.1 try later")
    with open_post_office(inbox) as site:
        register_refused(site, minutes_before=10)
        waiting = [(name, state) for name, state, *_ in read_mails(site)]
        assert waiting == [("confirmation", "dropped"), ("refused", "queued")]
        del inbox.replies["rcpt"]
        site.drain()
        site.drain()
        [envelope] = inbox.envelopes
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert "ほかの日程に空きがあれば" in read_text(message)

        with site.database.write() as session:
            person = session.scalars(select(Registration)).one()
            request_mail(session, MailName.REFUSED, person, now=site.clock())
        site.drain()
        site.drain()

    assert list_sent(site) == ["confirmation"]


@only_sqlite
def test_everybody_has_one_mail_that_says_where_they_stand(site):
    event = site.add_event(slug="spring")
    # Of being registered there are two; that of a delay comes beside them.
    words = (MailName.CONFIRMATION, MailName.REFUSED, MailName.PENDING, MailName.WAITLISTED)
    words += (MailName.DENIED, MailName.CANCELLED)
    for status, delivery, has_date in product(Status, (None, *Delivery), (True, False)):
        person = Registration(status=status)
        registrant = ZoomRegistrant(delivery=delivery) if delivery else None
        now = {"event": event, "has_date": has_date, "now": site.clock()}
        wanted = [name for name in words if is_wanted(name, person, registrant, **now)]
        assert len(wanted) == 1, (status, delivery, has_date, wanted)
        if MailName.CONFIRMATION in wanted:
            assert is_wanted(MailName.APPROVED, person, registrant, **now)
