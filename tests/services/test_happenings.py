"""What other systems are told is stored with what happens, once, and costs nobody else anything."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from services import registration_changes
from services.events import LinkPolicy
from services.happenings import Happening, tell
from services.joining import record_click
from services.people_adding import add_by_hand
from services.registrations import register, release
from services.webhooks import (
    OFFERED,
    Payload,
    Reason,
    Wish,
    add_endpoint,
    end,
    pause,
    remove_endpoint,
    resume,
)
from storage import events, organizations, registrations, statements, webhooks
from storage.events import EventHead
from storage.models import Event, WebhookMessage
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql

LATER = NOW + timedelta(hours=1)
URL = "https://hooks.example.com/uketsuke"


def listen(session, event, *, kinds=OFFERED, event_ids=None, url=URL):
    wish = Wish("CRM", url, Payload.THIN, tuple(kinds), event_ids)
    endpoint, _ = add_endpoint(session, event.organization_id, wish, now=NOW)
    session.refresh(event)
    return endpoint


def send(session, event, name="taro", **members):
    submission = factories.make_submission(event, email=f"{name}@example.com", **members)
    return register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)


def get_person(session, row):
    return registrations.get_registration(session, row.registration_id)


def list_told(session, endpoint=None):
    session.flush()
    rows = session.scalars(select(WebhookMessage).order_by(WebhookMessage.id))
    return [
        (row.type.removeprefix("registration."), row.status)
        for row in rows
        if endpoint is None or row.endpoint_id == endpoint.id
    ]


def test_whole_life_of_a_registration_is_told(session):
    event = factories.make_event(session, approval="manual")
    listen(session, event)
    row = send(session, event)
    person = get_person(session, row)
    registration_changes.approve(session, event, person, actor="organizer", now=LATER)
    registration_changes.deny(session, event, person, actor="organizer", now=LATER)
    registration_changes.deny(session, event, person, actor="organizer", now=LATER)
    registration_changes.approve(session, event, person, actor="organizer", now=LATER)
    registration_changes.cancel(session, event, person, actor="person", now=LATER)
    registration_changes.register_again(session, event, person, now=LATER)
    tell(session, event, person, Happening.ERASED, now=LATER)

    assert list_told(session) == [
        ("created", "pending"),
        ("approved", "approved"),
        ("denied", "denied"),
        ("approved", "approved"),
        ("cancelled", "cancelled"),
        ("created", "pending"),
        ("erased", "pending"),
    ]
    said = session.scalars(select(WebhookMessage)).first()
    assert (said.person, said.registration_id) == (person.public_id, person.id)
    assert (said.event_id, said.state, said.next_at) == (event.id, "waiting", NOW)


def test_everybody_who_comes_in_is_told_however_they_come(session):
    event = factories.make_event(session, capacity=1, has_waitlist=True)
    listen(session, event)
    held = send(session, event, "held", is_suspicious=True)
    first = send(session, event, "first")
    send(session, event, "first")
    release(session, event, held, policy=LinkPolicy.SHOW, now=NOW)
    by_hand = factories.make_submission(event, email="hand@example.com", consents=())
    add_by_hand(session, event, by_hand, basis="told us", policy=LinkPolicy.SHOW, now=NOW)
    registration_changes.cancel(session, event, get_person(session, first), actor="x", now=LATER)

    assert list_told(session) == [
        ("created", "approved"),
        ("created", "waitlisted"),
        ("created", "waitlisted"),
        ("cancelled", "cancelled"),
        ("approved", "approved"),
    ]


def test_corrected_address_is_a_cancelled_and_a_new_registration(session):
    event = factories.make_event(session)
    listen(session, event)
    row = send(session, event)
    right = {"email": "jiro@example.com", "email_key": "jiro@example.com"}
    registration_changes.correct_address(
        session, event, row, **right, policy=LinkPolicy.SHOW, now=LATER
    )

    assert [told for told, _ in list_told(session)] == ["created", "cancelled", "created"]


def test_pressing_join_is_told_once_in_twelve_hours(session):
    event = factories.make_event(session)
    listen(session, event, kinds=[Happening.JOINED])
    person = get_person(session, send(session, event))
    for hours in (0, 1, 11, 24, 25):
        at = NOW + timedelta(hours=hours)
        record_click(session, event, person, came_by_mail=False, now=at)

    rows = session.scalars(select(WebhookMessage.happened_at).order_by(WebhookMessage.id)).all()
    assert rows == [NOW, NOW + timedelta(hours=24)]


def test_each_endpoint_is_told_what_it_asked_for(session):
    event, other = factories.make_event(session), factories.make_event(session)
    everything = listen(session, event)
    cancelled = listen(session, event, kinds=[Happening.CANCELLED])
    elsewhere = listen(session, event, event_ids=(other.id,))
    gone, waiting = listen(session, event), listen(session, event)
    end(session, gone, now=NOW)
    pause(waiting, reason=Reason.BY_HAND, now=NOW)
    session.flush()
    send(session, event)

    told = [("created", "approved")]
    assert [list_told(session, e) for e in (everything, waiting)] == [told, told]
    assert [list_told(session, e) for e in (cancelled, elsewhere, gone)] == [[], [], []]
    happenings = session.scalars(select(WebhookMessage.happening)).all()
    assert len(happenings) == 2 and len(set(happenings)) == 1


def test_events_know_whether_anybody_is_to_be_told(session):
    event, other = factories.make_event(session), factories.make_event(session)
    endpoint = listen(session, event, event_ids=(event.id,))

    def read():
        session.flush()
        return [events.get_head(session, one.slug).has_webhooks for one in (event, other)]

    assert read() == [True, False]
    end(session, endpoint, now=NOW)
    assert read() == [False, False]
    resume(session, endpoint, now=NOW)
    assert read() == [True, False]
    remove_endpoint(session, endpoint)
    assert read() == [False, False]


def test_new_event_tells_whom_all_events_tell(session):
    event = factories.make_event(session)
    listen(session, event)

    assert add_like(session, event).has_webhooks


def add_like(session, event):
    members = {column.key: getattr(event, column.key) for column in event.__table__.columns}
    renamed = {"id": None, "public_id": "x" * 22, "slug": "another-one", "has_webhooks": False}
    return events.add_event(session, Event(**members | renamed))


@only_postgresql
@pytest.mark.parametrize("has_lock", [True, False])
def test_new_event_tells_an_endpoint_that_comes_at_the_same_moment(database, monkeypatch, has_lock):
    if not has_lock:
        monkeypatch.setattr(organizations, "lock_organization", lambda *_: None)
    with database.write() as session:
        event = factories.make_event(session)
    is_added, may_commit = threading.Event(), threading.Event()

    def add():
        with database.write() as session:
            slug = add_like(session, event).slug
            is_added.set()
            assert may_commit.wait(10)
            return slug

    def begin_to_listen():
        with database.write() as session:
            listen(session, session.merge(event))

    with ThreadPoolExecutor(2) as threads:
        adding = threads.submit(add)
        assert is_added.wait(10)
        listening = threads.submit(begin_to_listen)
        wait([listening], timeout=0.3 if has_lock else 10)
        assert listening.done() != has_lock
        may_commit.set()
        slug = adding.result()
        listening.result()
    with database.read() as session:
        assert events.get_head(session, slug).has_webhooks == has_lock


@contextmanager
def counting_statements(monkeypatch):
    ran = []
    real = statements._Compiled.bind

    def bind(compiled, values):
        ran.append(compiled.text)
        return real(compiled, values)

    monkeypatch.setattr(statements._Compiled, "bind", bind)
    yield ran


@pytest.mark.parametrize("has_endpoint", [False, True])
def test_registration_costs_a_statement_more_only_where_somebody_is_told(
    database, monkeypatch, has_endpoint
):
    with database.write() as session:
        event = factories.make_event(session)
        slug = event.slug
        if has_endpoint:
            listen(session, event)
    with counting_statements(monkeypatch) as ran, database.write() as session:
        head = events.get_head(session, slug)
        assert isinstance(head, EventHead)
        send(session, head)

    writing = [text for text in ran if "INSERT" in text]
    about_webhooks = [text for text in writing if "webhook_message" in text]
    # On PostgreSQL it is one statement however much there is to write.
    assert len(about_webhooks) == has_endpoint
    assert len(writing) - (has_endpoint and database.is_sqlite) == (9 if database.is_sqlite else 1)
    with database.read() as session:
        assert list_told(session) == [("created", "approved")] * has_endpoint


def test_nothing_is_told_of_what_was_undone(database):
    with database.write() as session:
        event = factories.make_event(session)
        listen(session, event)
    with pytest.raises(ZeroDivisionError), database.write() as session:
        send(session, event)
        raise ZeroDivisionError

    with database.read() as session:
        assert list_told(session) == []


@only_postgresql
def test_who_registers_while_an_endpoint_is_removed_is_registered(database):
    with database.write() as session:
        event = factories.make_event(session)
        endpoint = listen(session, event)
        slug = event.slug
    is_removed, may_commit = threading.Event(), threading.Event()

    def remove():
        with database.write() as session:
            remove_endpoint(session, webhooks.lock_endpoint(session, endpoint.id))
            is_removed.set()
            assert may_commit.wait(10)

    def come():
        with database.write() as session:
            return send(session, events.get_head(session, slug)).outcome

    with ThreadPoolExecutor(2) as threads:
        removing = threads.submit(remove)
        assert is_removed.wait(10)
        coming = threads.submit(come)
        with pytest.raises(TimeoutError):
            coming.result(timeout=0.3)
        may_commit.set()
        removing.result()
        assert coming.result() == "created"
    with database.read() as session:
        assert list_told(session) == []
