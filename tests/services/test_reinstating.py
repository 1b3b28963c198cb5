"""Bringing back whom an organizer, or the person, has cancelled."""

from datetime import timedelta

import pytest

from services.erasing import erase
from services.people_acts import Act, ActResult, act_on, find_word
from services.people_adding import AlreadyRegistered, KnownAs, add_by_hand
from services.registration_changes import cancel, deny
from services.registrations import Status
from services.reinstating import can_be_reinstated
from storage import registrations, zoom_registrants
from tests import factories
from tests.services.test_moves import AFTER_THE_FIRST, Course
from tests.services.test_registration_changes import LATER, NOW, People
from zoom_client import RegistrantStatus


def leave(people, name="taro", *, by="organizer"):
    cancel(people.session, people.event, people.get(name), actor=by, now=LATER)
    people.session.flush()


def reinstate(people, name="taro", *, now=LATER):
    """Do what the button on the person's page does, if it is there."""
    person = people.get(name)
    result = act_on(people.session, people.event, person, Act.REINSTATE, now=now)
    people.session.flush()
    return result


def is_offered(people, name="taro", *, now=LATER):
    return can_be_reinstated(people.session, people.event, people.get(name), now=now)


def let_zoom_have(session, person):
    registrant = zoom_registrants.get_zoom_registrant(session, person.id)
    registrant.zoom_status = RegistrantStatus.APPROVED


def begin_to_erase(people):
    let_zoom_have(people.session, people.get())
    erase(
        people.session,
        people.event,
        people.get(),
        actor="organizer",
        note=lambda _: None,
        now=LATER,
    )


@pytest.mark.parametrize("by", ["organizer", "person"])
def test_who_was_cancelled_is_brought_back_with_a_seat_and_a_mail(session, by):
    people = People(session, capacity=1, approval="manual", closes_at=LATER)
    people.add()
    leave(people, by=by)

    assert is_offered(people)
    assert reinstate(people) is ActResult.DONE
    assert reinstate(people) is ActResult.UNCHANGED
    assert people.counters() == {"seats": 1, "status:approved": 1}
    assert people.list_mails() == ["pending", "cancelled", "approved"]
    assert people.get_generation() == 1
    last = registrations.list_changes(session, people.get().id)[-1]
    assert (last.actor, last.after) == ("organizer", {"status": "approved"})


def test_who_is_brought_back_to_a_full_event_waits_and_is_told(session):
    people = People(session, capacity=1, has_waitlist=True)
    people.add()
    for number in range(2):
        people.send(given_name=f"二郎{number}")
    leave(people)
    people.add("hanako")

    assert reinstate(people) is ActResult.DONE
    assert (people.status("taro"), people.list_mails()[-1]) == (Status.WAITLISTED, "waitlisted")
    leave(people, "hanako")
    assert (people.status("taro"), people.list_mails()[-1]) == (Status.APPROVED, "approved")


def test_full_event_without_a_waiting_list_takes_nobody_back(session):
    people = People(session, capacity=1)
    people.add()
    leave(people)
    people.add("hanako")

    assert reinstate(people) is ActResult.FULL
    assert people.status() == Status.CANCELLED
    assert people.list_mails() == ["confirmation", "cancelled"]


def test_approving_all_brings_nobody_back(session):
    people = People(session)
    person = people.add()
    leave(people)

    result = act_on(session, people.event, person, Act.APPROVE, now=LATER)

    assert (result, people.status()) == (ActResult.CANCELLED, Status.CANCELLED)


def test_who_is_being_erased_is_not_brought_back(session):
    people = People(session)
    people.add()
    begin_to_erase(people)

    assert not is_offered(people)
    assert reinstate(people) is ActResult.ERASED
    assert people.status() == Status.CANCELLED


def test_who_is_being_erased_is_sent_nothing_again(session):
    people = People(session)
    people.add()
    begin_to_erase(people)
    person, told = people.get(), people.list_mails()

    assert find_word(session, people.event, person, now=LATER) is None, "nothing is offered"
    assert act_on(session, people.event, person, Act.RESEND, now=LATER) is ActResult.ERASED
    assert people.list_mails() == told


def test_address_that_was_corrected_has_nobody_to_bring_back(session):
    people = People(session)
    people.correct(people.send("tarou"), "taro")

    assert not is_offered(people, "tarou")
    assert reinstate(people, "tarou") is ActResult.ERASED
    assert people.list_mails("tarou") == ["confirmation"]


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_nobody_is_brought_back_to_an_event_that_is_over_or_cancelled(session, is_cancelled):
    people = People(session)
    people.add()
    leave(people)
    if is_cancelled:
        people.event.status = "cancelled"
    now = LATER if is_cancelled else people.event.starts_at + timedelta(days=1)

    assert not is_offered(people, now=now)
    assert reinstate(people, now=now) is ActResult.PAST
    assert people.list_mails() == ["confirmation", "cancelled"]


def test_who_is_brought_back_to_a_series_has_their_dates_that_are_ahead(session):
    course = Course(session, capacity=None)
    for name, dates in (("taro", ("d1", "d3")), ("late", ("d1",))):
        course.send(name, *dates)
        course.cancel(name, now=NOW)

    results = [reinstate(course, name, now=AFTER_THE_FIRST) for name in ("taro", "late")]

    assert results == [ActResult.DONE, ActResult.PAST]
    assert course.list_statuses("taro", "late") == ["approved", "cancelled"]
    assert course.count_places()[1:] == [1, 1]


def test_who_is_brought_back_to_a_full_date_waits_for_it(session):
    course = Course(session, capacity=None, seats_per_date=1)
    course.send("taro", "d3")
    course.cancel("taro")
    course.send("hanako", "d3")

    assert reinstate(course, now=AFTER_THE_FIRST) is ActResult.DONE
    assert course.list_statuses("taro", "hanako") == ["waitlisted", "approved"]
    course.cancel("hanako")
    assert course.list_statuses("taro") == ["approved"]


@pytest.mark.parametrize(
    ("become", "known_as"),
    [
        (lambda people: None, KnownAs.STANDING),
        (leave, KnownAs.CANCELLED),
        (
            lambda people: deny(
                people.session, people.event, people.get(), actor="organizer", now=LATER
            ),
            KnownAs.DENIED,
        ),
        (begin_to_erase, KnownAs.ERASING),
        (lambda people: people.correct(people.send(), "jiro"), KnownAs.CORRECTED),
    ],
)
def test_who_is_entered_once_more_is_told_from_others(session, become, known_as):
    people = People(session)
    if known_as is not KnownAs.CORRECTED:
        people.add()
    become(people)
    session.flush()
    typed = factories.make_submission(people.event, consents=())

    with pytest.raises(AlreadyRegistered) as refused:
        members = {"basis": "by phone", "policy": "show", "now": LATER}
        add_by_hand(session, people.event, typed, **members)

    found = (refused.value.public_id, refused.value.known_as)
    assert found == (people.get().public_id, known_as)
