"""When mails go that strangers may cause, and which never go."""

from datetime import timedelta
from types import MappingProxyType

import pytest
from sqlalchemy import select

from services.event_dates import EventDate, write_dates
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
from services.moves import fill_free_seats
from services.people_adding import add_by_hand
from services.questions import DATES, Answer
from services.registration_changes import cancel, prove_first, register_again
from services.registration_edits import edit_details, lock_to_edit
from services.registrations import register
from storage import mails, registrations
from storage.models import Job, Mail
from tests import factories
from tests.factories import NOW


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


def make_full_event(session, *, hours):
    """Make an event with one seat, which Hanako has, and a waiting list."""
    begins_at = NOW + timedelta(hours=hours)
    event = factories.make_event(session, starts_at=begins_at, capacity=1, has_waitlist=True)
    send(session, event, email="hanako@example.com")
    return event


def give_seat_back(session, event):
    key = "hanako@example.com"
    seated = registrations.get_registration_by_email_key(session, event.id, key)
    cancel(session, event, seated, actor="person", now=NOW)


@pytest.mark.parametrize(("hours", "due_at"), [(25, NOW + DAY), (24, None), (6, None)])
def test_who_moves_up_is_told_at_once_where_the_day_would_end_after_the_start(
    session, hours, due_at
):
    event = make_full_event(session, hours=hours)
    waiting = send(session, event)
    fill_mailbox(session, mails=PER_ADDRESS_A_DAY - 1)

    give_seat_back(session, event)

    mail = get_mail(session, waiting.registration_id)
    assert (mail.name, mail.state, mail.due_at) == ("approved", "queued", due_at)


def test_who_comes_to_a_date_of_today_is_told_at_once_of_moving_up(session):
    times = {"d1": NOW + timedelta(hours=6), "d2": NOW + 8 * DAY}
    dates = write_dates([EventDate(name, at, 60) for name, at in times.items()])
    event = make_full_event(session, hours=6)
    event.dates, event.date_choice = dates, "choose"
    fill_mailbox(session)
    waiting = []
    for email, date in [("taro+a@example.com", "d1"), ("taro+b@example.com", "d2")]:
        answers = {DATES: Answer((date,))}
        submission = factories.make_submission(event, email=email, answers=answers)
        waiting.append(register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW))
    event.capacity = 3

    fill_free_seats(session, event, now=NOW)

    assert [get_mail(session, row.registration_id).due_at for row in waiting] == [None, NOW + DAY]


def test_what_cannot_wait_goes_to_a_mailbox_twice_as_often_and_is_marked_then(session):
    event = make_full_event(session, hours=6)
    sent = fill_mailbox(session, event=event, mails=PER_ADDRESS_A_DAY + 12)
    event.capacity = 30

    fill_free_seats(session, event, now=NOW)

    left = [get_mail(session, mail.registration_id) for mail in sent]
    assert [mail.name for mail in left] == ["approved"] * len(left)
    states = [(mail.state, mail.error) for mail in left]
    assert states == [("queued", "")] * PER_ADDRESS_A_DAY + [("failed", MAILBOX_FULL)] * 12


def test_word_that_never_goes_leaves_the_one_that_failed_to_who_tries_it_again(session):
    event = make_full_event(session, hours=6)
    about = fill_mailbox(session, event=event, mails=PER_ADDRESS_A_DAY + 12)[-1].registration_id
    person = registrations.get_registration(session, about)
    request_mail(session, MailName.APPROVED, person, is_by_organizer=True, now=NOW - 2 * DAY)
    former = get_mail(session, about)
    former.state, former.error = "failed", "MailRefused: 552"
    event.capacity = 30

    fill_free_seats(session, event, now=NOW)

    session.refresh(former)
    assert (get_mail(session, about).error, former.state) == (MAILBOX_FULL, "failed")


def choose(session, event, email, date):
    """Do what the page of a receipt does for whoever changes their dates there."""
    found = registrations.get_registration_by_email_key(session, event.id, email)
    person = lock_to_edit(session, event, found.id)
    edit_details(
        session,
        event,
        person,
        family_name=person.family_name,
        given_name=person.given_name,
        answers={DATES: Answer((date,))},
        form_version_id=person.form_version_id,
        now=NOW,
    )
    return person


def make_chosen(session, days=MappingProxyType({"d1": 7, "d2": 8})):
    dates = write_dates([EventDate(name, NOW + day * DAY, 60) for name, day in days.items()])
    event = factories.make_event(session, starts_at=NOW + days["d1"] * DAY)
    event.dates, event.date_choice = dates, "choose"
    return event


def test_who_changes_dates_of_many_spellings_fills_no_mailbox(session):
    event = make_chosen(session)
    spellings = [f"taro+{number}@example.com" for number in range(PER_ADDRESS_A_DAY - 2)]
    for email in spellings:
        answers = {DATES: Answer(("d1",))}
        submission = factories.make_submission(event, email=email, answers=answers)
        register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
    for date in ("d2", "d1"):
        for email in spellings:
            choose(session, event, email, date)
    session.flush()

    told = session.scalars(select(Mail).where(Mail.state == "queued")).all()
    at_once = [mail.name for mail in told if mail.due_at is None]
    assert len(at_once) <= PER_ADDRESS_A_DAY
    put_off = {mail.registration_id: mail.name for mail in told if mail.due_at is not None}
    assert set(put_off.values()) == {"dates"} and len(put_off) > PUT_OFF_A_DAY


def test_who_has_shown_that_the_address_is_theirs_is_told_of_new_dates_at_once(session):
    event = make_chosen(session)
    fill_mailbox(session)
    submission = factories.make_submission(event, answers={DATES: Answer(("d1",))})
    row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
    registrations.get_registration(session, row.registration_id).proven_at = NOW

    choose(session, event, submission.email, "d2")

    mail = get_mail(session, row.registration_id)
    assert (mail.name, mail.due_at) == ("dates", None)


def test_who_changes_to_a_date_of_today_is_told_of_it_before_it_begins(session):
    event = make_chosen(session, days={"d1": 1 / 4, "d2": 8})
    for number in range(PER_ADDRESS_A_DAY):
        answers = {DATES: Answer(("d2",))}
        submission = factories.make_submission(
            event, email=f"taro+{number}@example.com", answers=answers
        )
        register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)

    today = choose(session, event, "taro+0@example.com", "d1")

    mail = get_mail(session, today.id)
    assert (mail.name, mail.state, mail.due_at) == ("dates", "queued", None)
