"""When mails go that strangers may cause, and which never go."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from services.events import LinkPolicy
from services.mail_limits import (
    DAY,
    MAILBOX_FULL,
    MOST_PUT_OFF,
    MOST_PUT_OFF_AT_EVENT,
    PER_ADDRESS_A_DAY,
    PUT_OFF_A_DAY,
)
from services.mails import MailName, hasten_mails_with_link, request_again, request_mail
from services.people_adding import add_by_hand
from services.registration_changes import cancel, prove_first, register_again
from services.registrations import register
from storage import mails, registrations
from storage.models import Job, Mail
from tests import factories
from tests.factories import NOW


@pytest.fixture
def session(database):
    with database.write() as session:
        yield session


def send(session, event, *, email="taro@example.com", policy=LinkPolicy.SHOW, now=NOW):
    """Register somebody; return their first mail."""
    submission = factories.make_submission(event, email=email)
    row = register(session, event, submission, policy=policy, now=now)
    return get_mail(session, row.registration_id)


def get_mail(session, registration_id):
    session.flush()
    return mails.list_mails(session, registration_id)[-1]


def fill_mailbox(session, *, event=None, mails=PER_ADDRESS_A_DAY, first=0, now=NOW):
    """Register other spellings of Taro's address at one event; return their mails."""
    event = event or factories.make_event(session)
    spellings = [f"taro+{number}@example.com" for number in range(first, first + mails)]
    return [send(session, event, email=email, now=now) for email in spellings]


def read_run_at(session, mail):
    return session.scalar(select(Job.run_at).where(Job.key == f"mail:{mail.id}"))


@pytest.mark.parametrize("policy", LinkPolicy)
def test_first_mail_that_is_too_many_goes_when_the_day_is_over(session, policy):
    events = [factories.make_event(session) for _ in range(PER_ADDRESS_A_DAY + 2)]

    sent = [send(session, event, policy=policy) for event in events]

    late = sent[PER_ADDRESS_A_DAY:]
    assert [mail.due_at for mail in sent] == [None] * PER_ADDRESS_A_DAY + [NOW + DAY] * len(late)
    assert [read_run_at(session, mail) for mail in late] == [NOW + DAY] * len(late)
    assert {mail.state for mail in sent} == {"queued"}


def test_first_mail_that_would_come_after_the_event_is_said_to_be_unsent(session):
    fill_mailbox(session)

    mail = send(session, factories.make_event(session, starts_at=NOW + timedelta(hours=12)))

    assert (mail.state, mail.error, read_run_at(session, mail)) == ("failed", MAILBOX_FULL, None)


def test_no_day_has_more_than_ten_and_no_heap_grows_without_end(session):
    event = factories.make_event(session)
    for number in range(80):
        fill_mailbox(session, event=event, mails=1, first=number, now=NOW + number * DAY / 40)

    left = session.scalars(select(Mail).order_by(Mail.id)).all()
    times = sorted(mail.goes_at for mail in left if mail.error != MAILBOX_FULL)
    assert max(sum(at - DAY < time <= at for time in times) for at in times) == PER_ADDRESS_A_DAY
    assert len(times) < 2 * PER_ADDRESS_A_DAY + MOST_PUT_OFF_AT_EVENT + 2 * PUT_OFF_A_DAY
    given_up = [mail for mail in left if mail.error == MAILBOX_FULL]
    assert {mail.state for mail in given_up} == {"failed"}
    assert [read_run_at(session, mail) for mail in given_up] == [None] * len(given_up)


def test_who_floods_many_events_leaves_a_week_of_mails_at_most(session):
    for number in range(5):
        fill_mailbox(session, mails=12, first=20 * number)

    waiting = session.scalars(select(Mail).where(Mail.due_at.is_not(None))).all()
    assert len(waiting) == MOST_PUT_OFF
    assert max(mail.due_at for mail in waiting) <= NOW + 7 * DAY


def test_who_registers_the_day_after_a_flood_is_told_at_once(session):
    event = factories.make_event(session)
    fill_mailbox(session, event=event, mails=PER_ADDRESS_A_DAY + MOST_PUT_OFF_AT_EVENT)
    assert send(session, event, email="taro+late@example.com").error == MAILBOX_FULL

    assert send(session, event, now=NOW + DAY + timedelta(minutes=1)).due_at is None


def test_whom_an_organizer_enters_is_told_at_once(session):
    fill_mailbox(session, mails=PER_ADDRESS_A_DAY + MOST_PUT_OFF_AT_EVENT + 1)
    event = factories.make_event(session)
    submission = factories.make_submission(event, email="taro@example.com", consents=())

    person = add_by_hand(
        session, event, submission, basis="said so", policy=LinkPolicy.MAIL, now=NOW
    )

    mail = get_mail(session, person.id)
    assert (mail.state, mail.due_at) == ("queued", None)


def test_organizer_sends_again_what_never_went(session):
    mail = fill_mailbox(session, mails=PER_ADDRESS_A_DAY + MOST_PUT_OFF_AT_EVENT + 1)[-1]
    person = registrations.get_registration(session, mail.registration_id)

    assert request_again(session, MailName.WAITLISTED, person, now=NOW)

    mail = get_mail(session, person.id)
    assert (mail.state, mail.due_at) == ("queued", None)


def test_answer_of_zoom_hastens_no_mail_that_was_put_off(session):
    *_, mail = fill_mailbox(session, mails=PER_ADDRESS_A_DAY + 1)

    assert hasten_mails_with_link(session, [mail.registration_id], now=NOW) == set()
    assert read_run_at(session, mail) == NOW + DAY


@pytest.mark.parametrize("names", ["pending pending", "confirmation approved"])
def test_word_that_is_put_off_takes_the_place_of_the_last(session, names):
    mail = fill_mailbox(session, mails=PER_ADDRESS_A_DAY + MOST_PUT_OFF_AT_EVENT - 1)[0]
    mail.state = "sent"
    person = registrations.get_registration(session, mail.registration_id)

    for name in names.split():
        assert request_mail(session, MailName(name), person, may_wait=True, now=NOW)
    assert not request_mail(session, MailName.REPEAT, person, now=NOW)

    session.expire_all()
    states = [(mail.state, bool(mail.due_at)) for mail in mails.list_mails(session, person.id)]
    assert states == [("sent", False), ("dropped", True), ("queued", True)]


def test_cancellation_that_is_told_at_once_is_not_told_again_a_day_later(session):
    event = factories.make_event(session)
    mail = fill_mailbox(session, event=event)[0]
    person = registrations.get_registration(session, mail.registration_id)

    cancel(session, event, person, actor="person", now=NOW)
    assert get_mail(session, person.id).due_at == NOW + DAY
    prove_first(session, event, person, now=NOW)
    register_again(session, event, person, now=NOW)
    cancel(session, event, person, actor="person", now=NOW)

    session.expire_all()
    words = [mail for mail in mails.list_mails(session, person.id) if mail.name == "cancelled"]
    states = [(mail.state, mail.due_at) for mail in words]
    assert states == [("dropped", NOW + DAY), ("queued", None)]
