"""What an organizer does about one person."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.deliveries import Delivery
from services.event_dates import read_dates, write_dates
from services.event_editing import cancel_event
from services.event_tasks import tell_cancelled
from services.events import LinkPolicy
from services.people_acts import Act, ActResult, act_on, find_word, list_acts
from services.registration_changes import deny
from services.registrations import Status, register
from storage import mails, registrations, zoom_registrants
from storage.models import Job
from tests import factories
from tests.factories import NOW
from tests.services.test_moves import AFTER_THE_FIRST, Course


@pytest.mark.parametrize(
    ("delivery", "word"), [(Delivery.REGISTERED, "approved"), (Delivery.REFUSED, "refused")]
)
def test_mail_that_is_sent_again_is_the_one_that_holds(database, delivery, word):
    with database.write() as session:
        event = factories.make_event(session)
        submission = factories.make_submission(event)
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        person = registrations.get_registration(session, row.registration_id)
        zoom_registrants.get_zoom_registrant(session, person.id).delivery = delivery

        assert act_on(session, event, person, Act.RESEND, now=NOW) is ActResult.DONE

        assert mails.list_mails(session, person.id)[-1].name == word


def add_person(session, **members):
    event = factories.make_event(session, **members)
    submission = factories.make_submission(event)
    row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
    return event, registrations.get_registration(session, row.registration_id)


@pytest.mark.parametrize("is_told", [False, True])
def test_mail_that_is_sent_again_after_a_cancellation_tells_of_it(database, is_told):
    with database.write() as session:
        event, person = add_person(session)
        cancel_event(session, event, now=NOW)
        if is_told:
            tell_cancelled(session, event, limit=None, now=NOW)

        assert act_on(session, event, person, Act.RESEND, now=NOW) is ActResult.DONE

        words = [m for m in mails.list_mails(session, person.id) if m.name == "event_cancelled"]
        assert [mail.state for mail in words] == ["dropped"] * is_told + ["queued"], "once"
        assert tell_cancelled(session, event, limit=None, now=NOW) == 0


@pytest.mark.parametrize(("is_cancelled", "word"), [(False, "approved"), (True, "event_cancelled")])
def test_mail_that_is_sent_again_takes_the_place_of_the_one_that_failed(
    database, is_cancelled, word
):
    with database.write() as session:
        event, person = add_person(session)
        if is_cancelled:
            cancel_event(session, event, now=NOW)
            tell_cancelled(session, event, limit=None, now=NOW)
        failed = mails.list_mails(session, person.id)[-1]
        failed.state = "failed"
        session.flush()
        session.execute(update(Job).where(Job.key == f"mail:{failed.id}").values(state="parked"))

        assert act_on(session, event, person, Act.RESEND, now=NOW) is ActResult.DONE

        last = mails.list_mails(session, person.id)[-1]
        assert (failed.state, last.name, last.state) == ("dropped", word, "queued")
        assert not session.scalars(select(Job.key).where(Job.state == "parked")).all()


def test_who_was_turned_down_is_told_so_again_though_the_event_is_cancelled(database):
    with database.write() as session:
        event, person = add_person(session)
        person.status = Status.DENIED
        cancel_event(session, event, now=NOW)
        assert find_word(session, event, person, now=NOW) == "denied"


@pytest.mark.parametrize(("status", "word"), [("approved", None), ("cancelled", "cancelled")])
def test_after_the_end_no_mail_about_coming_is_sent_again(database, status, word):
    with database.write() as session:
        event, person = add_person(session)
        person.status = status
        after = event.starts_at + timedelta(days=1)
        count = len(mails.list_mails(session, person.id))

        result = act_on(session, event, person, Act.RESEND, now=after)

        assert result is (ActResult.DONE if word else ActResult.OVER)
        assert len(mails.list_mails(session, person.id)) == count + (word is not None)
        acts = list_acts(Status(status), is_parked=False, has_word=word is not None)
        assert (Act.RESEND in acts) == (word is not None)


NO_DATE_LEFT = pytest.mark.parametrize("happens", ["over", "cancelled"])


def lose_first_date(course, happens):
    """Have the first date of three be over, or cancelled by the host; return what time it is."""
    if happens == "cancelled":
        first, *others = read_dates(course.event)
        course.event.dates = write_dates([replace(first, is_gone=True), *others])
    return AFTER_THE_FIRST if happens == "over" else NOW


@NO_DATE_LEFT
@pytest.mark.parametrize("status", ["pending", "denied"])
def test_nobody_is_approved_for_dates_of_which_none_is_ahead(session, happens, status):
    course = Course(session, capacity=None, approval="manual")
    for name, dates in (("late", ("d1",)), ("taro", ("d1", "d3"))):
        course.send(name, *dates)
        if status == "denied":
            deny(session, course.event, course.get(name), actor="organizer", now=NOW)
    now = lose_first_date(course, happens)
    late, taro = course.get("late"), course.get("taro")
    told = len(mails.list_mails(session, late.id))

    results = [act_on(session, course.event, who, Act.APPROVE, now=now) for who in (late, taro)]

    assert results == [ActResult.PAST, ActResult.DONE]
    assert course.list_statuses("late", "taro") == [status, "approved"]
    assert len(mails.list_mails(session, late.id)) == told


@NO_DATE_LEFT
@pytest.mark.parametrize("members", [{}, {"approval": "manual"}, {"capacity": 0}])
def test_who_has_no_date_ahead_is_sent_no_word_of_coming_again(session, happens, members):
    course = Course(session, **{"capacity": None} | members)
    course.send("taro", "d1")
    now = lose_first_date(course, happens)
    person = course.get("taro")
    before = [mail.name for mail in mails.list_mails(session, person.id)]
    is_over = happens == "over"

    assert find_word(session, course.event, person, now=now) == (None if is_over else "dates")
    result = act_on(session, course.event, person, Act.RESEND, now=now)

    assert result is (ActResult.PAST if is_over else ActResult.DONE)
    after = [mail.name for mail in mails.list_mails(session, person.id)]
    assert after == before + ["dates"] * (not is_over)


def test_who_comes_to_all_dates_is_not_approved_once_all_are_cancelled(session):
    course = Course(session, capacity=None, approval="manual", date_choice="all")
    course.send("taro")
    course.event.dates = write_dates([replace(d, is_gone=True) for d in read_dates(course.event)])
    person = course.get("taro")

    assert act_on(session, course.event, person, Act.APPROVE, now=NOW) is ActResult.PAST
    assert find_word(session, course.event, person, now=NOW) == "dates"
