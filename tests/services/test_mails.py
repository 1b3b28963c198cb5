from datetime import timedelta

import pytest

from services.events import LinkPolicy
from services.mail_limits import PER_ADDRESS_A_DAY, PER_EVENT_A_DAY
from services.mails import (
    MailName,
    knows_of_refusal,
    list_left_refused,
    request_again,
    request_mail,
)
from services.registrations import register
from storage import mails, registrations
from storage.models import Registration
from storage.session import Database
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import only_sqlite


def add_registration(session, event, **members) -> Registration:
    row = register(
        session,
        event,
        factories.make_submission(event, **members),
        policy=LinkPolicy.SHOW,
        now=NOW,
    )
    return registrations.get_registration(session, row.registration_id)


def ask(session, registration, *, name=MailName.REPEAT, now=NOW) -> bool:
    return request_mail(session, name, registration, now=now)


def test_strangers_cause_three_mails_a_day_at_most(database: Database):
    with database.write() as session:
        registration = add_registration(session, factories.make_event(session))

        answers = [ask(session, registration) for _ in range(5)]

        # The confirmation of the registration itself was the first.
        assert answers == [True] * (PER_EVENT_A_DAY - 1) + [False] * (6 - PER_EVENT_A_DAY)


def test_next_day_brings_new_mails(database: Database):
    with database.write() as session:
        registration = add_registration(session, factories.make_event(session))
        while ask(session, registration):
            pass

        assert ask(session, registration, now=NOW + timedelta(days=1, seconds=1))


def test_one_address_gets_ten_mails_over_all_events(database: Database):
    with database.write() as session:
        people = [add_registration(session, factories.make_event(session)) for _ in range(5)]

        sent = sum(ask(session, person) for person in people for _ in range(3))

        assert sent + len(people) == PER_ADDRESS_A_DAY


def test_organizers_decision_is_always_told(database: Database):
    with database.write() as session:
        registration = add_registration(session, factories.make_event(session))
        while ask(session, registration):
            pass

        assert ask(session, registration, name=MailName.DENIED)


def test_what_organizers_send_again_has_a_limit_too(database: Database):
    with database.write() as session:
        registration = add_registration(session, factories.make_event(session))

        def send_again(now):
            return request_again(session, MailName.DENIED, registration, now=now)

        assert [send_again(NOW) for _ in range(6)] == [True] * 4 + [False] * 2
        assert ask(session, registration, name=MailName.DENIED)
        assert send_again(NOW + timedelta(days=1, seconds=1))


@pytest.mark.parametrize(
    "name",
    [
        *(MailName.MOVED, MailName.DATES, MailName.APPROVED, MailName.DENIED, MailName.CANCELLED),
        *(MailName.PENDING, MailName.WAITLISTED),
    ],
)
def test_mail_that_waits_is_replaced_by_the_next_that_says_the_same(database, name):
    with database.write() as session:
        registration = add_registration(session, factories.make_event(session))
        for _ in range(2):
            ask(session, registration, name=name)
        session.expire_all()

        states = [mail.state for mail in mails.list_mails(session, registration.id)[1:]]
        assert states == ["dropped", "queued"]


@pytest.mark.parametrize(
    ("words", "is_left"),
    [
        ("confirmation:dropped refused:sent", True),
        ("confirmation:sent refused:sent", True),
        ("confirmation:sent refused:unknown", True),
        ("confirmation:dropped refused:dropped", True),
        ("confirmation:dropped refused:sent approved:dropped", True),
        ("confirmation:queued refused:sent", True),
        ("confirmation:queued refused:queued", True),
        ("refused:sent confirmation:queued", True),
        ("confirmation:queued refused:dropped", False),
        ("confirmation:dropped refused:sent approved:sent", False),
        ("confirmation:sent refused:dropped", False),
        ("confirmation:sent refused:queued", False),
        ("confirmation:sent", False),
        ("confirmation:dropped", False),
        ("", False),
    ],
)
def test_who_was_told_of_a_refusal_is_left_so_until_a_link_goes(database, words, is_left):
    with database.write() as session:
        person_id = add_words(session, words.split())

        assert list_left_refused(session, [person_id]) == ([person_id] if is_left else [])


def test_link_that_goes_after_the_refusal_counts_whichever_was_asked_for_first(database):
    with database.write() as session:
        person_id = add_words(session, ["confirmation:sent", "refused:sent"])
        confirmation, _ = mails.list_mails(session, person_id)
        confirmation.sent_at += timedelta(hours=1)

        assert list_left_refused(session, [person_id]) == []


@pytest.mark.parametrize(
    ("words", "knows"),
    [
        ("", False),
        ("confirmation:queued refused:queued", True),
        ("refused:sent confirmation:dropped", True),
        ("confirmation:sent refused:dropped", False),
        ("refused:failed", False),
        ("refused:sent cancelled:sent confirmation:dropped", False),
    ],
)
@only_sqlite
def test_refusal_is_news_unless_it_was_the_last_word(database, words, knows):
    with database.write() as session:
        person = session.get(Registration, add_words(session, words.split()))

        assert knows_of_refusal(session, person) is knows


def add_words(session, words):
    """Leave somebody with these mails alone, each in a state; return their id."""
    registration = add_registration(session, factories.make_event(session))
    for mail in mails.list_mails(session, registration.id):
        session.delete(mail)
    for word in words:
        name, state = word.split(":")
        ask(session, registration, name=MailName(name))
        mail = mails.list_mails(session, registration.id)[-1]
        mail.state, mail.sent_at = state, NOW if state == "sent" else None
    session.flush()
    return registration.id


def test_mail_keeps_its_message_id_and_names_nobody(database: Database):
    with database.write() as session:
        registration = add_registration(session, factories.make_event(session))

        (mail,) = mails.list_mails(session, registration.id)

        assert len(mail.message_id) == 32
        assert registration.email not in mail.message_id
