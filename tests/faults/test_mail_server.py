"""The mail server is away, slow, in doubt, or takes some people's mails alone."""

import asyncio
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select

from services.organizer_mails import OrganizerMailName, request_mail
from storage.models import Job, ZoomRegistrant
from tests.fixtures.databases import only_sqlite
from tests.people import ANN, HANAKO, TARO
from tests.worker.smtp_server import Inbox, serve
from worker.alarms import AlarmWatch
from worker.smtp import SmtpTransport, make_transport

from .crowd import Crowd
from .journals import read_copy, settle

AWAY = "smtp://127.0.0.1:1"
PATIENCE_SECONDS = 1.0
UNAVAILABLE = "MailUnavailable"


class ParticularInbox(Inbox):
    """Asks the mails of one domain to come later, as a list of unknown senders does."""

    def __init__(self, domain):
        super().__init__()
        self.domain = domain

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith(f"@{self.domain}"):
            return "451 4.7.1 try later"
        return await super().handle_RCPT(server, session, envelope, address, options)


class HangingInbox(Inbox):
    """Keeps the first mail, and says nothing about it for longer than anybody waits."""

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.envelopes) == 1:
            await asyncio.sleep(3 * PATIENCE_SECONDS)
        return answer


@contextmanager
def dribble():
    """Greet everybody who connects with a byte now and then, without an end; give the address."""
    is_over = threading.Event()
    with ExitStack() as closing:
        listener = closing.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(0.05)
        clients = []

        def greet():
            while not is_over.is_set():
                with suppress(TimeoutError):
                    clients.append(closing.enter_context(listener.accept()[0]))
                for client in clients:
                    with suppress(OSError):
                        client.sendall(b"2")

        thread = threading.Thread(target=greet)
        thread.start()
        closing.callback(thread.join)
        closing.callback(is_over.set)
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def impatient(monkeypatch):
    """Have the worker wait for a mail server for a second, not for 25."""
    defaults = {"total_seconds": PATIENCE_SECONDS}
    monkeypatch.setattr(SmtpTransport.__init__, "__kwdefaults__", defaults)


class CuttingInbox(Inbox):
    """Keeps the first mail, and hangs up before saying so."""

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.envelopes) == 1:
            server.transport.abort()
        return answer


def read_copies(inbox):
    messages = [message_from_bytes(e.content, policy=policy.default) for e in inbox.envelopes]
    return [read_copy(message) for message in messages]


def list_reasons(site):
    with site.database.read() as session:
        return list(session.scalars(select(Job.reason).where(Job.kind == "mail")))


@only_sqlite
def test_f24_mail_server_is_away_and_comes_back(start_site):
    inbox = Inbox()
    with serve(inbox) as port:
        site = start_site(mail_url=AWAY)
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register(TARO)
        site.drain()
        assert list_reasons(site) == ["MailUnavailable: ConnectionRefusedError"]

        again = start_site(mail_url=f"smtp://127.0.0.1:{port}", base_url=site.url)
        again.clock.move(hours=1)
        again.drain()
        site.clock.move(hours=1)

    settle(site, crowd.answers, copies=read_copies(inbox))


@only_sqlite
def test_f24_one_domain_that_waits_does_not_hold_up_the_others(start_site):
    inbox = ParticularInbox("example.org")
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        for person in (TARO | {"email": "taro@example.org"}, HANAKO, ANN):
            crowd.register(person)
        site.drain()
        assert {copy.to for copy in read_copies(inbox)} == {"hanako@example.com", "ann@example.com"}

        inbox.domain = ""
        for _ in range(3):
            site.let_pass(hours=1)
            site.drain()

    settle(site, crowd.answers, copies=read_copies(inbox))


@only_sqlite
@pytest.mark.parametrize("command", ["mail", "rcpt", "data"])
def test_f24_mail_that_is_put_off_goes_later(start_site, command):
    inbox = Inbox(**{command: "451 4.3.2 busy"})
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register(TARO)
        site.drain()
        assert inbox.envelopes == []

        inbox.replies.clear()
        site.let_pass(hours=1)
        site.drain()

    settle(site, crowd.answers, copies=read_copies(inbox))


@only_sqlite
@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("rcpt", "550 5.4.5 Daily user sending limit exceeded"),
        ("rcpt", "554 5.7.1 Relay access denied"),
        ("data", "554 refused by policy"),
    ],
)
def test_f24_refusal_that_is_not_of_the_recipient_is_tried_for_a_day(start_site, command, reply):
    inbox = Inbox(**{command: reply})
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register(TARO)
        for _ in range(12):
            site.drain()
            site.let_pass(hours=1, minutes=15)
        assert list_reasons(site) == [f"{UNAVAILABLE}: {reply}"]

        inbox.replies.clear()
        site.drain()

    settle(site, crowd.answers, copies=read_copies(inbox))


@only_sqlite
@pytest.mark.usefixtures("impatient")
def test_f24_mail_server_that_dribbles_holds_up_no_link(start_site):
    inbox = Inbox()
    with dribble() as slow, serve(inbox) as port:
        site = start_site(mail_url=slow)
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register_all([TARO, HANAKO, ANN])
        worker = site.start_worker()
        site.wait_until(lambda: len(list_links(site)) == 3)
        site.wait_until(lambda: {r.partition(":")[0] for r in list_reasons(site)} == {UNAVAILABLE})
        worker.stop()

        again = start_site(mail_url=f"smtp://127.0.0.1:{port}", base_url=site.url)
        site.clock.move(hours=1)
        again.clock.move(hours=1)
        again.drain()

    settle(site, crowd.answers, copies=read_copies(inbox))


def list_links(site):
    with site.database.read() as session:
        found = select(ZoomRegistrant.join_url).where(ZoomRegistrant.join_url.is_not(None))
        return list(session.scalars(found))


@only_sqlite
@pytest.mark.usefixtures("impatient")
def test_f24_mail_server_that_hangs_after_the_text_gets_it_once_more(start_site):
    inbox = HangingInbox()
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register(TARO)
        for _ in range(4):
            site.drain()
            site.let_pass(hours=1)

    first, second = read_copies(inbox)
    assert first == second, "the same mail, which mail programs show once"
    settle(site, crowd.answers, copies=read_copies(inbox), in_doubt=[first.message_id])


@only_sqlite
def test_f24_mail_whose_purpose_is_over_is_dropped(start_site):
    inbox = Inbox(rcpt="451 4.3.2 busy")
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        site.add_event(slug="spring", starts_at=site.clock())
        Crowd(site.url).register(TARO)
        site.drain()

        inbox.replies.clear()
        site.let_pass(hours=3)
        site.drain()

    assert inbox.envelopes == [], "nobody needs the link of an event that is over"


def look(site):
    """Look once for what stands still, as each worker does."""
    AlarmWatch(
        site.settings,
        site.database,
        transport=make_transport(site.settings.mail_url, site.settings.mailbox),
        app_context=site.app.app_context,
        read_clock=site.clock,
    ).look(is_worker=True)


@only_sqlite
def test_f24_worker_without_the_mail_server_leaves_mails_to_others(start_site, caplog):
    inbox = Inbox()
    real = {"is_demo": False, "operator_email": "operator@example.com"}
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}", **real)
        zoom = {name: getattr(site.settings, name) for name in ("zoom_api_url", "zoom_oauth_url")}
        lacking = start_site(base_url=site.url, **real, **zoom)
        ask_for_test_mail(site, "owner@example.com")
        lacking.drain()
        assert len(lacking.mailbox.list_mails()) == 1, "perhaps there is no mail server"

        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register(TARO)
        ask_for_test_mail(site, "ann@example.com")
        lacking.clock.move(hours=1)
        lacking.drain()
        look(lacking)
        told = [r.reason for r in caplog.records if r.message == "mails are left to other workers"]
        assert told == ["not set here: UKETSUKE_MAIL_URL"]
        assert len(lacking.mailbox.list_mails()) == 1

        site.clock.move(hours=1)
        look(site)
        site.drain()

    people = ["operator@example.com", "taro@example.com", "ann@example.com"]
    assert sorted(e.rcpt_tos[0] for e in inbox.envelopes) == sorted(people)
    assert len(lacking.mailbox.list_mails()) == 1


def ask_for_test_mail(site, address):
    test = OrganizerMailName.TEST
    with site.database.write() as session:
        request_mail(session, test, address, locale="ja", now=site.clock())


def test_f25_answer_of_the_mail_server_is_lost(start_site):
    inbox = CuttingInbox()
    with serve(inbox) as port:
        site = start_site(mail_url=f"smtp://127.0.0.1:{port}")
        site.add_event(slug="spring")
        crowd = Crowd(site.url)
        crowd.register(TARO)
        for _ in range(4):
            site.drain()
            site.let_pass(hours=1)

    first, second = read_copies(inbox)
    assert first == second, "the same mail, which mail programs show once"
    settle(site, crowd.answers, copies=read_copies(inbox), in_doubt=[first.message_id])
