"""Other systems are told everything, in order for each registration, whatever they do to us."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from standardwebhooks import Webhook, WebhookVerificationError

from outbound import HostRules, HttpPool
from services import registration_changes
from services.erasing import erase
from services.events import LinkPolicy
from services.fault_points import FAULT_VARIABLE
from services.happenings import Happening
from services.members import Role
from services.questions import Answer, Question, QuestionKind
from services.registrations import register
from services.webhooks import (
    JOB_KIND,
    OFFERED,
    Payload,
    Wish,
    add_endpoint,
    change_endpoint,
    read_secrets,
    remove_endpoint,
    replay,
    replay_failed,
    resume,
    rotate_secret,
    send_test,
)
from storage import registrations, webhook_messages, webhooks
from storage.models import Event, Job, OrganizerMail, Registration, WebhookEndpoint, WebhookMessage
from storage.webhook_messages import WebhookQueue
from tests import factories, people
from tests.clock import Clock
from tests.dashboard import make_membership
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.receiver import Receiver
from worker.loop import Lane, Worker
from worker.webhooks import DEADLINE_SECONDS, GIVEN_UP_AFTER, WebhookSending, tidy_up

TARO, HANAKO = "taro@example.com", "hanako@example.com"


class Office:
    """One event whose happenings are told; `work` does what a worker would do now."""

    def __init__(self, database, pool):
        self.database = database
        self.clock = Clock()
        self.pool = pool
        with database.write() as session:
            self.event = factories.make_event(session, now=self.clock())

    def listen(self, url, *, payload=Payload.THIN, name="CRM"):
        with self.database.write() as session:
            wish = Wish(name, url, payload, OFFERED, None)
            endpoint, secret = add_endpoint(
                session, self.event.organization_id, wish, now=self.clock()
            )
            self.event = session.get(Event, self.event.id, populate_existing=True)
        return endpoint, secret

    def tell(self, receiver, **members):
        """Have a receiver be told of everything."""
        endpoint, receiver.secret = self.listen(receiver.url, **members)
        return endpoint

    def change(self, act, endpoint, *arguments, **named):
        with self.database.write() as session:
            fresh = webhooks.lock_endpoint(session, endpoint.id)
            return act(session, fresh, *arguments, now=self.clock(), **named)

    def register(self, email=TARO, **members):
        with self.database.write() as session:
            submission = factories.make_submission(self.event, email=email, **members)
            row = register(
                session, self.event, submission, policy=LinkPolicy.SHOW, now=self.clock()
            )
            return registrations.get_registration(session, row.registration_id).public_id

    def cancel(self, email=TARO):
        with self.database.write() as session:
            person = registrations.get_registration_by_email_key(session, self.event.id, email)
            registration_changes.cancel(
                session, self.event, person, actor="person", now=self.clock()
            )

    def make_worker(self):
        sending = WebhookSending(self.database, pool=self.pool, read_clock=self.clock)
        lanes = [
            Lane(name, {JOB_KIND: sending.handle}, 2, queue=WebhookQueue(of_trouble=of_trouble))
            for name, of_trouble in (("fast", False), ("slow", True))
        ]
        return Worker(self.database, lanes, read_clock=self.clock)

    def work(self):
        self.make_worker().drain()

    def let_pass(self, **by):
        """Work as a worker does that looks at each minute or so."""
        wanted = self.clock() + timedelta(**by)
        while self.clock() < wanted:
            self.work()
            due = self.read(
                select(func.min(WebhookEndpoint.try_at)).where(
                    WebhookEndpoint.try_at > self.clock()
                )
            )
            later = self.read(
                select(func.min(WebhookMessage.next_at)).where(
                    WebhookMessage.state == "waiting", WebhookMessage.next_at > self.clock()
                )
            )
            moments = [moment for moment in (due, later, wanted) if moment is not None]
            self.clock.move(seconds=(min(moments) - self.clock()).total_seconds() + 0.01)
        self.work()

    def read(self, statement):
        with self.database.read() as session:
            return session.scalar(statement)

    def read_endpoint(self, endpoint):
        with self.database.read() as session:
            return session.get(WebhookEndpoint, endpoint.id)

    def list_log(self):
        """List (type, state, attempts, status or error) of every message."""
        with self.database.read() as session:
            rows = session.scalars(select(WebhookMessage).order_by(WebhookMessage.id)).all()
        return [
            (row.type.split(".")[1], row.state, row.attempts, row.error or row.answer)
            for row in rows
        ]


@pytest.fixture(scope="module")
def pool():
    with HttpPool(rules=HostRules(("127.0.0.1",), takes_http=True)) as pool:
        yield pool


@pytest.fixture
def office(database, pool):
    return Office(database, pool)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def test_published_library_verifies_what_is_sent(office, receiver):
    endpoint = office.tell(receiver)
    person = office.register()
    office.work()

    [taken] = receiver.asked
    content = Webhook(receiver.secret).verify(taken.body, dict(taken.headers))
    event = {"id": office.event.public_id, "slug": office.event.slug}
    assert content["type"] == "registration.created"
    assert content["data"] == {"registration": {"id": person, "status": "approved"}, "event": event}
    assert taken.number.startswith("msg_")
    assert taken.headers["Content-Type"] == "application/json"
    assert office.list_log() == [("created", "delivered", 1, 204)]
    with pytest.raises(WebhookVerificationError):
        Webhook(receiver.secret).verify(taken.body + b" ", dict(taken.headers))
    sealed = office.read_endpoint(endpoint).secret
    assert receiver.secret.removeprefix("whsec_").encode() not in sealed


@only_sqlite
def test_both_secrets_verify_for_a_day_after_a_change(office, receiver):
    endpoint = office.tell(receiver)
    former = receiver.secret
    newer = office.change(rotate_secret, endpoint)
    office.register()
    office.work()
    office.clock.move(hours=25)
    receiver.secret = newer
    office.register(HANAKO)
    office.work()

    assert former != newer
    first, second = receiver.asked
    for secret in (former, newer):
        assert Webhook(secret).verify(first.body, dict(first.headers))
    assert len(first.headers["webhook-signature"].split()) == 2
    assert len(second.headers["webhook-signature"].split()) == 1
    assert second.content is not None


@only_sqlite
def test_each_secret_signs_for_a_day_however_many_follow(office, receiver):
    endpoint = office.tell(receiver)
    made, signing = [receiver.secret], []
    for _ in range(2):
        made.append(office.change(rotate_secret, endpoint))
        office.clock.move(hours=10)
    for _ in range(3):
        with office.database.read() as session:
            now = session.get(WebhookEndpoint, endpoint.id)
            signing.append(read_secrets(session.info["cipher"], now, now=office.clock()))
        office.clock.move(hours=10)

    first, second, third = made
    assert signing == [[third, second, first], [third, second], [third]]


@only_sqlite
def test_another_address_gets_another_secret(office, receiver):
    endpoint = office.tell(receiver)
    former = receiver.secret
    with Receiver() as other:
        wish = Wish("CRM", other.url, Payload.THIN, OFFERED, None)
        other.secret = office.change(change_endpoint, endpoint, wish)
        same = office.change(change_endpoint, endpoint, wish)
        office.register()
        office.work()

        assert (former == other.secret, same) == (False, None)
        assert [one.kind for one in other.asked] == ["created"]
        assert len(other.asked[0].headers["webhook-signature"].split()) == 1
    assert receiver.asked == []


@only_sqlite
def test_address_changed_in_the_database_is_signed_with_nothing(office, receiver):
    endpoint = office.tell(receiver)
    with Receiver() as other, office.database.write() as session:
        session.execute(update(WebhookEndpoint).values(url=other.url))
    office.register()
    office.work()

    assert (other.asked, receiver.asked) == ([], [])
    assert office.list_log() == [("created", "waiting", 1, "unsigned")]
    assert office.read_endpoint(endpoint).failures == 1


@only_sqlite
def test_full_payload_says_who_it_is_until_they_are_erased(office, receiver):
    secret = Question("health", QuestionKind.TEXT, {"ja": "健康"}, is_sensitive=True)
    with office.database.write() as session:
        office.event = factories.make_event(
            session, questions=(*factories.SMALL_FORM, secret), now=office.clock()
        )
    office.tell(receiver, payload=Payload.FULL)
    answers = {"company": Answer(("例株式会社",)), "health": Answer(("秘密",))}
    office.register(answers=answers)
    office.work()
    receiver.be(500)
    office.cancel()
    office.work()
    with office.database.write() as session:
        person = session.scalars(select(Registration)).one()
        event = session.get(Event, office.event.id)
        erase(session, event, person, actor="x", note=str, now=office.clock())
    receiver.be(200)
    office.let_pass(minutes=10)

    known = receiver.asked[0].content["data"]["registration"]
    assert (known["email"], known["family_name"]) == (TARO, "山田")
    assert known["answers"] == {"company": "例株式会社"}
    assert known["hidden_answers"] == ["health"]
    assert [one.kind for one in receiver.asked[-2:]] == ["cancelled", "erased"]
    for one in receiver.asked[-2:]:
        assert set(one.content["data"]["registration"]) == {"id", "status"}


def test_receiver_that_was_down_for_an_hour_gets_everything_once_and_in_order(office, receiver):
    office.tell(receiver)
    receiver.be(503)
    expected = {}
    for number in range(6):
        email = f"person-{number}@example.com"
        expected[office.register(email)] = ["created", "cancelled"]
        office.let_pass(minutes=5)
        office.cancel(email)
        office.let_pass(minutes=5)
    assert receiver.taken == []
    tries = len(receiver.asked)
    receiver.be(200)
    office.let_pass(hours=3)

    told = {}
    for one in receiver.asked[tries:]:
        told.setdefault(one.person, []).append(one.kind)
    assert told == expected
    numbers = [one.number for one in receiver.asked[tries:]]
    assert len(numbers) == len(set(numbers)) == 12
    # What was tried before comes under the id that it had then.
    assert {one.number for one in receiver.asked[:tries]} <= set(numbers)
    assert {row[1] for row in office.list_log()} == {"delivered"}
    assert tries < 30


@only_sqlite
def test_message_that_is_refused_holds_up_its_own_registration_alone(office, receiver):
    office.tell(receiver)
    bad = office.register()
    receiver.answer = lambda one: (500 if one.person == bad else 200, {})
    office.cancel()
    for day in range(6):
        office.register(f"person-{day}@example.com")
        office.let_pass(days=1)

    refused, behind, *others = office.list_log()
    assert (refused[0], refused[1], refused[3]) == ("created", "failed", 500)
    assert 10 <= refused[2] <= 25
    assert behind[:2] == ("cancelled", "waiting")
    assert others == [("created", "delivered", 1, 200)] * 6
    receiver.be(200)
    with office.database.write() as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        assert replay_failed(session, endpoint, now=office.clock()) == 1
    office.let_pass(days=1)
    assert {row[1] for row in office.list_log()} == {"delivered"}
    assert [one.kind for one in receiver.asked if one.person == bad][-2:] == [
        "created",
        "cancelled",
    ]


@only_sqlite
def test_endpoint_that_fails_for_five_days_is_paused_and_its_owners_are_told(office, receiver):
    endpoint = office.tell(receiver)
    with office.database.write() as session:
        for name, role in (("owner", Role.OWNER), ("editor", Role.EDITOR)):
            make_membership(session, role, now=office.clock(), email=f"{name}@example.com")
    receiver.be(500)
    office.register()
    office.let_pass(days=5, hours=13)
    office.cancel()
    office.let_pass(days=2)

    stored = office.read_endpoint(endpoint)
    assert (stored.state, stored.reason) == ("paused", "failing")
    with office.database.read() as session:
        [mail] = session.scalars(select(OrganizerMail)).all()
    assert (mail.email, mail.name, mail.endpoint_id) == (
        "owner@example.com",
        "webhook_paused",
        endpoint.id,
    )
    assert [row[1] for row in office.list_log()] == ["waiting", "waiting"]
    # Resumed too early, it has five days again.
    office.change(resume, endpoint)
    office.let_pass(hours=1)
    assert [row[1] for row in office.list_log()] == ["waiting", "waiting"]
    tries = len(receiver.asked)
    receiver.be(200)
    office.change(resume, endpoint)
    office.work()
    assert [one.kind for one in receiver.asked[tries:]] == ["created", "cancelled"]
    assert timedelta(days=5) == GIVEN_UP_AFTER


@only_sqlite
def test_410_ends_an_endpoint(office, receiver):
    endpoint = office.tell(receiver)
    receiver.be(410)
    office.register()
    office.register(HANAKO)
    office.work()
    with office.database.read() as session:
        office.event = session.get(Event, office.event.id)
    office.cancel()
    office.let_pass(days=1)

    assert (office.read_endpoint(endpoint).state, office.event.has_webhooks) == ("ended", False)
    assert {row[1] for row in office.list_log()} == {"dropped"}
    assert len(receiver.asked) <= 2


@only_sqlite
@pytest.mark.parametrize(
    ("status", "headers"), [(301, {"Location": "/elsewhere"}), (404, {}), (429, {})]
)
def test_nothing_but_2xx_is_a_delivery(office, receiver, status, headers):
    office.tell(receiver)
    receiver.be(status, **headers)
    office.register()
    office.work()

    assert [row[1] for row in office.list_log()] == ["waiting"]
    assert len(receiver.asked) == 1


@only_sqlite
def test_retry_after_is_heeded(office, receiver):
    office.tell(receiver)
    receiver.be(429, Retry_After="7200")
    office.register()
    office.let_pass(minutes=119)
    asked = len(receiver.asked)
    receiver.be(200)
    office.let_pass(minutes=2)

    assert asked == 1
    assert len(receiver.asked) == 2


@only_sqlite
def test_hanging_receiver_delays_nobody_else(office, receiver):
    released = threading.Event()

    def hang(_):
        released.wait(60)
        return 503, {}

    with Receiver() as new, Receiver() as known:
        new.answer = known.answer = hang
        office.tell(new)
        endpoint = office.tell(known)
        with office.database.write() as session:
            webhooks.lock_endpoint(session, endpoint.id).failures = 1
        office.tell(receiver)
        worker = office.make_worker()
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            office.register("first@example.com")
            wait_until(lambda: new.asked and known.asked)
            for number in range(20):
                office.register(f"person-{number}@example.com")
            # Sooner than the deadline after which whoever hangs is left.
            wait_until(lambda: len(receiver.asked) == 21, seconds=DEADLINE_SECONDS - 3)
            assert (len(new.asked), len(known.asked)) == (1, 1)
        finally:
            released.set()
            worker.stop()
            thread.join()


def wait_until(is_so, *, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.real_time
@only_sqlite
def test_worker_that_is_killed_while_it_sends_is_followed_by_one_that_sends_again(
    start_site, receiver
):
    site = start_site(private_webhook_hosts="127.0.0.1:*")
    event = site.add_event(slug="spring")
    with site.database.write() as session:
        wish = Wish("CRM", receiver.url, Payload.THIN, (Happening.CREATED,), None)
        _, receiver.secret = add_endpoint(session, event.organization_id, wish, now=site.clock())
    site.visitor().open("/e/spring").form().fill(**people.TARO).submit()
    process = site.start_worker_process(
        UKETSUKE_PRIVATE_WEBHOOK_HOSTS="127.0.0.1:*", **{FAULT_VARIABLE: "after_webhook:kill"}
    )
    process.wait(60)
    assert len(receiver.asked) == 1
    site.end_leases()
    site.drain()

    first, second = receiver.asked
    assert (first.number, first.kind) == (second.number, "created")
    with site.database.read() as session:
        message = session.scalars(select(WebhookMessage)).one()
    assert (message.state, message.attempts) == ("delivered", 2)


@only_sqlite
def test_clock_of_the_future_holds_no_message_up(office, receiver):
    endpoint = office.tell(receiver)
    office.clock.move(days=3)
    receiver.be(500)
    office.register()
    office.work()
    office.register(HANAKO)
    with office.database.write() as session:
        held = {"state": "running", "lease_until": office.clock() + timedelta(minutes=1)}
        session.execute(update(Job).where(Job.kind == JOB_KIND).values(**held))
    office.clock.move(days=-3)
    receiver.be(200)
    office.work()
    assert len(receiver.asked) == 1
    tidy_up(office.database, now=office.clock())
    office.work()

    assert [row[1] for row in office.list_log()] == ["delivered", "delivered"]
    assert office.read_endpoint(endpoint).failing_since is None


@only_sqlite
def test_endpoint_that_is_removed_while_it_is_told_leaves_nothing(office, receiver):
    endpoint = office.tell(receiver)

    def remove(_):
        office.change(lambda session, found, now: remove_endpoint(session, found), endpoint)
        return 204, {}

    receiver.answer = remove
    office.register()
    office.work()
    office.work()

    assert len(receiver.asked) == 1
    assert office.list_log() == []
    assert office.read(select(Job.state).where(Job.kind == JOB_KIND)) == "done"


@only_sqlite
def test_test_message_and_replay_by_hand(office, receiver):
    endpoint = office.tell(receiver)
    office.work()
    assert office.read(select(Job.state).where(Job.kind == JOB_KIND)) == "done"
    office.change(send_test, endpoint)
    office.register()
    office.work()
    with office.database.write() as session:
        message = session.scalars(select(WebhookMessage).where(WebhookMessage.person != "")).one()
        replay(session, message, now=office.clock())
    office.work()

    # Both went out at once, as they are about nothing in common.
    test, first, again = sorted(receiver.asked, key=lambda one: one.content["type"], reverse=True)
    kinds = [one.content["type"] for one in (test, first, again)]
    assert kinds == ["webhook.test", "registration.created", "registration.created"]
    assert first.number == again.number
    assert test.content["data"]["endpoint"]["id"] == endpoint.public_id


@only_sqlite
def test_test_messages_go_one_at_a_time_and_once(office, receiver):
    endpoint = office.tell(receiver)
    receiver.be(500)
    for _ in range(3):
        office.change(send_test, endpoint)
    office.let_pass(days=1)
    assert len(receiver.asked) == 1
    assert office.list_log() == [("test", "failed", 1, 500)]

    office.change(send_test, endpoint)
    office.work()
    assert len(receiver.asked) == 2


@only_sqlite
def test_log_forgets_what_is_over(office, receiver):
    office.tell(receiver)
    office.register()
    office.work()
    receiver.be(500)
    office.register(HANAKO)
    office.work()
    with office.database.write() as session:
        soon = office.clock() + timedelta(minutes=1)
        long_ago = office.clock() - timedelta(days=90)
        assert webhooks.forget_old_messages(session, before=soon, waiting_before=long_ago) == 1
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        assert webhook_messages.count_by_state(session, endpoint.id) == {"waiting": 1}
        assert webhooks.forget_old_messages(session, before=soon, waiting_before=soon) == 1


@only_postgresql
def test_endpoint_in_trouble_is_served_by_a_thread_as_in_operation(start_site, receiver):
    site = start_site(private_webhook_hosts="127.0.0.1:*")
    event = site.add_event(slug="spring")
    with site.database.write() as session:
        wish = Wish("CRM", receiver.url, Payload.THIN, (Happening.CREATED,), None)
        endpoint, receiver.secret = add_endpoint(
            session, event.organization_id, wish, now=site.clock()
        )
        endpoint.failures = 1
    site.visitor().open("/e/spring").form().fill(**people.TARO).submit()

    site.start_worker()

    site.wait_until(lambda: receiver.asked)
