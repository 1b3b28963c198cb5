"""Many people, or one with many fingers, at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import bindparam, select, update

from storage import events, newcomers, registrations
from storage.models import EventCounter, Registration
from storage.models.base import new_public_id
from storage.statements import Statement, table_of
from tests.people import TARO
from views import registration

AT_ONCE = 50


def post_at_once(site, people):
    """Open a form for each of many people, then send all of them together."""
    forms = [site.visitor().open("/e/spring").form().fill(**person) for person in people]
    with ThreadPoolExecutor(len(forms)) as hands:
        return list(hands.map(send, forms))


def send(form):
    response = form.page.visitor.try_post(form.action, form.fields)
    return response.status_code


def make_people(count):
    return [TARO | {"email": f"taro{number}@example.com"} for number in range(count)]


def list_statuses(site):
    with site.database.read() as session:
        return sorted(session.scalars(select(Registration.status)))


def let_all_look_first(monkeypatch, look):
    """Make every POST look before its transaction and go on only when all have looked.

    It is what a site without the condition or the constraint would do: read, then write.
    """
    store = registration._register
    everybody = threading.Barrier(AT_ONCE)

    def store_after_looking(page, form, submission, now):
        is_refused = look(page, submission)
        everybody.wait(20)
        if is_refused:
            return "", 409
        return store(page, form, submission, now)

    monkeypatch.setattr(registration, "_register", store_after_looking)


def test_last_seat_is_given_once(site):
    event = site.add_event(slug="spring", capacity=1)

    statuses = post_at_once(site, make_people(AT_ONCE))

    assert sorted(statuses) == [303, *[409] * (AT_ONCE - 1)]
    assert list_statuses(site) == ["approved"]
    with site.database.read() as session:
        assert events.get_counter(session, event.id, events.SEATS) == 1


def test_last_seat_would_be_given_often_if_it_were_only_looked_at(site, monkeypatch):
    site.add_event(slug="spring", capacity=1)
    monkeypatch.setattr(events, "take_a_seat", take_a_seat_at_any_price)
    monkeypatch.setattr(events, "_TAKE_SEAT", Statement(lambda _: take_a_seat_at_any_price()))
    monkeypatch.setattr(newcomers, "_write", newcomers._write.__wrapped__)
    let_all_look_first(monkeypatch, lambda page, _: page.seats.are_all_taken)

    post_at_once(site, make_people(AT_ONCE))

    assert len(list_statuses(site)) > 1


def take_a_seat_at_any_price(*_):
    return (
        update(table_of(EventCounter))
        .where(EventCounter.event_id == bindparam("taken_at"), EventCounter.name == events.SEATS)
        .values(value=EventCounter.value + 1)
    )


def test_last_seat_is_taken_and_the_others_wait(site):
    site.add_event(slug="spring", capacity=1, has_waitlist=True)

    statuses = post_at_once(site, make_people(AT_ONCE))

    assert statuses == [303] * AT_ONCE
    assert list_statuses(site) == ["approved", *["waitlisted"] * (AT_ONCE - 1)]


def test_one_address_sent_by_many_is_one_person(site):
    event = site.add_event(slug="spring")

    statuses = post_at_once(site, [TARO] * AT_ONCE)
    site.let_pass(minutes=2)
    site.drain()

    assert statuses == [303] * AT_ONCE
    assert list_statuses(site) == ["approved"]
    assert site.count_rows("submission") == AT_ONCE
    assert site.list_effects("taro@example.com") == ["add"]
    assert site.mailbox.list_subjects("taro@example.com") == ["受付完了"]
    with site.database.read() as session:
        assert events.get_counter(session, event.id, events.SEATS) == 1


def test_one_address_would_be_many_people_without_the_constraint(site, monkeypatch):
    site.add_event(slug="spring")
    add = newcomers.add

    def add_without_constraint(session, newcomer, **options):
        other_key = {"email_key": f"{newcomer.submission['email_key']}{new_public_id()}"}
        newcomer = replace(newcomer, submission=newcomer.submission | other_key)
        return add(session, newcomer, **options)

    def is_known(page, submission):
        with site.database.read() as session:
            return registrations.get_registration_by_email_key(
                session, page.event.id, submission.email_key
            )

    monkeypatch.setattr(newcomers, "add", add_without_constraint)
    let_all_look_first(monkeypatch, is_known)

    post_at_once(site, [TARO] * AT_ONCE)

    assert len(list_statuses(site)) == AT_ONCE


@pytest.mark.parametrize("policy", ["show", "code"])
def test_one_address_with_different_answers_at_once_waits_for_nobody(site, policy):
    site.add_event(slug="spring", link_policy=policy)
    post_at_once(site, [TARO])
    people = [TARO | {"given_name": f"太郎{number}"} for number in range(AT_ONCE)]

    assert post_at_once(site, people) == [303] * AT_ONCE
    assert len(list_statuses(site)) == 1
    assert site.count_rows("submission") == AT_ONCE + 1
