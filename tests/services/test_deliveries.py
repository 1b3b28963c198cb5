"""The next step towards Zoom, and what each answer of it means."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from services.deliveries import (
    Delivery,
    Step,
    WrongRegistrant,
    begin_add,
    end_add_unknown,
    end_add_without_effect,
    plan_step,
    record_added,
    record_done,
    record_gone,
    record_read,
    record_unsure,
)
from services.events import LinkPolicy
from services.keys import KeyRing
from services.new_registrants import make_new_registrant
from services.questions import Answer, Choice, Question, QuestionKind, questions_to_rows
from services.registrations import Status, register
from services.settling import index_by_address, settle_unknown
from storage import events, known_registrants, registrations, zoom_registrants
from storage.models import ZoomRegistrant
from tests import factories
from tests.factories import NOW, SMALL_FORM
from tests.fixtures.databases import SECRET
from zoom_client import AddedRegistrant, Registrant, RegistrantStatus

KEYS = KeyRing([SECRET * 2])
TARO = "taro@example.com"
LINK = "https://zoom.us/w/1?tk=x"
MINUTE = timedelta(minutes=1)


class Case:
    """One registration on its way to Zoom."""

    def __init__(self, session, *, answers=None, **members):
        self.session = session
        self.event = factories.make_event(session, **members)
        submission = factories.make_submission(self.event, answers=answers)
        row = register(session, self.event, submission, policy=LinkPolicy.SHOW, now=NOW)
        self.registration = registrations.get_registration(session, row.registration_id)
        self.registrant = zoom_registrants.get_zoom_registrant(session, self.registration.id)

    def plan(self):
        return plan_step(self.registration, self.registrant)

    def read(self, **members):
        record_read(
            self.session,
            self.registration,
            self.registrant,
            make_read(**members),
            keys=KEYS,
            now=NOW,
        )

    def settle(self, *people, at):
        return settle_unknown(
            self.session,
            self.event,
            index_by_address(people),
            looked_from=at,
            keys=KEYS,
            now=at,
        ).needs_look

    def lose(self, *, at=NOW):
        begin_add(self.registrant, now=at)
        end_add_unknown(self.session, self.registrant, run_at=at, now=at)
        self.session.flush()

    @property
    def link(self):
        return zoom_registrants.read_join_url(self.session, self.registrant)


def make_read(**members):
    return Registrant(
        **{
            "id": "r1",
            "email": TARO,
            "first_name": "太郎",
            "status": RegistrantStatus.APPROVED,
            "join_url": LINK,
            "create_time": NOW,
        }
        | members
    )


@pytest.mark.parametrize(
    ("wanted", "at_zoom", "step"),
    [
        (Status.APPROVED, None, Step.ADD),
        (Status.APPROVED, "pending", Step.APPROVE),
        (Status.APPROVED, "denied", Step.APPROVE),
        (Status.APPROVED, "approved", Step.READ),
        (Status.CANCELLED, None, Step.DONE),
        (Status.CANCELLED, "denied", Step.DONE),
        (Status.CANCELLED, "approved", Step.CANCEL),
        (Status.CANCELLED, "pending", Step.DENY),
        (Status.DENIED, "approved", Step.CANCEL),
        (Status.WAITLISTED, "approved", Step.CANCEL),
        (Status.PENDING, None, Step.DONE),
        (Status.APPROVED, "changing", Step.READ),
        (Status.CANCELLED, "changing", Step.READ),
    ],
)
def test_step_follows_from_what_is_wanted_and_what_zoom_has(wanted, at_zoom, step):
    registration = type("Row", (), {"status": wanted})()
    registrant = ZoomRegistrant(zoom_status=at_zoom)

    assert plan_step(registration, registrant) is step


def test_doubt_is_settled_before_anything_else(session):
    case = Case(session)
    begin_add(case.registrant, now=NOW)
    assert case.plan() is Step.SETTLE
    case.registration.status = Status.CANCELLED
    assert case.plan() is Step.SETTLE

    end_add_without_effect(case.registrant, now=NOW)
    assert case.plan() is Step.DONE


def test_first_attempt_is_remembered_through_later_ones(session):
    case = Case(session)
    begin_add(case.registrant, now=NOW)
    end_add_without_effect(case.registrant, now=NOW)
    begin_add(case.registrant, now=NOW + MINUTE)

    assert case.registrant.first_attempt_at == NOW
    assert case.registrant.attempt_started_at == NOW + MINUTE


def test_link_of_an_add_is_not_kept_before_it_is_read(session):
    case = Case(session)
    added = AddedRegistrant(registrant_id="r1", meeting_id=case.event.zoom_id, join_url=LINK)
    record_added(case.event, case.registration, case.registrant, added, now=NOW)

    assert (case.registrant.registrant_id, case.link) == ("r1", None)
    assert case.plan() is Step.READ
    case.read()
    assert (case.link, case.plan()) == (LINK, Step.DONE)


@pytest.mark.parametrize("link", [LINK, None])
def test_whose_id_an_add_answers_with_is_read_before_they_are_let_go(session, link):
    case = Case(session)
    case.registration.status = Status.CANCELLED
    added = AddedRegistrant(registrant_id="r1", meeting_id=case.event.zoom_id, join_url=link)
    record_added(case.event, case.registration, case.registrant, added, now=NOW)

    assert case.plan() is Step.READ
    case.read()
    assert case.plan() is Step.CANCEL


def test_who_waits_in_a_webinar_is_approved_without_a_call_before(session):
    case = Case(session)
    added = AddedRegistrant(registrant_id="r1", meeting_id=case.event.zoom_id, join_url=None)
    record_added(case.event, case.registration, case.registrant, added, now=NOW)

    assert case.plan() is Step.APPROVE


def test_answer_about_another_meeting_is_refused(session):
    case = Case(session)

    with pytest.raises(WrongRegistrant):
        record_added(
            case.event,
            case.registration,
            case.registrant,
            AddedRegistrant(registrant_id="r1", meeting_id=1, join_url=LINK),
            now=NOW,
        )
    assert case.registrant.registrant_id is None


def test_answer_about_another_address_is_refused(session):
    case = Case(session)

    with pytest.raises(WrongRegistrant):
        case.read(email="someone.else@example.com")
    assert (case.registrant.registrant_id, case.link) == (None, None)


def test_after_an_answer_about_somebody_else_zoom_is_asked(session):
    case = Case(session)
    case.read()
    record_unsure(case.registrant, now=NOW)

    assert (case.registrant.registrant_id, case.link) == (None, None)
    assert case.plan() is Step.SETTLE


def test_address_is_compared_without_case(session):
    case = Case(session)
    case.read(email="Taro@Example.com")

    assert case.link == LINK


def test_person_who_is_not_approved_has_no_link(session):
    case = Case(session)
    case.read()
    case.read(status=RegistrantStatus.DENIED, join_url=None)
    assert case.link is None


def test_link_stays_when_zoom_leaves_it_out(session):
    case = Case(session)
    case.read()
    case.read(join_url=None)

    assert case.link == LINK


@pytest.mark.parametrize(
    ("created", "is_new"),
    [
        (NOW, True),
        (NOW - timedelta(seconds=2), True),
        (NOW - timedelta(seconds=3), False),
        (None, False),
    ],
)
def test_who_came_with_our_first_attempt_is_new_to_zoom(session, created, is_new):
    case = Case(session)
    begin_add(case.registrant, now=NOW)
    case.read(create_time=created)

    assert case.registrant.is_new_to_zoom is is_new


def test_who_was_read_at_publishing_is_not_new(session):
    case = Case(session)
    known_registrants.replace_hashes(session, case.event.id, [KEYS.hash_email(TARO)])
    begin_add(case.registrant, now=NOW)
    case.read()

    assert case.registrant.is_new_to_zoom is False


def test_being_new_is_decided_once(session):
    case = Case(session)
    begin_add(case.registrant, now=NOW)
    case.read()
    known_registrants.replace_hashes(session, case.event.id, [KEYS.hash_email(TARO)])
    case.read(create_time=None)

    assert case.registrant.is_new_to_zoom is True


def test_done_is_said_in_the_dashboards_words(session):
    case = Case(session)
    case.registrant.problem = "ScopeMissing"
    record_done(case.registration, case.registrant, now=NOW)
    assert (case.registrant.delivery, case.registrant.problem) == (Delivery.REGISTERED, "")

    case.registration.status = Status.CANCELLED
    record_done(case.registration, case.registrant, now=NOW)
    assert case.registrant.delivery == Delivery.WITHDRAWN


def test_who_is_gone_is_added_again(session):
    case = Case(session)
    case.read()
    record_gone(case.registrant, now=NOW)

    assert case.plan() is Step.ADD


def test_person_whom_zoom_does_not_show_is_looked_for_twice(session):
    case = Case(session)
    case.read()
    record_unsure(case.registrant, now=NOW)
    assert (case.plan(), case.link) == (Step.SETTLE, None)

    assert case.settle(at=NOW + MINUTE) is True
    assert case.settle(at=NOW + 2 * MINUTE) is False
    assert case.plan() is Step.ADD


def test_person_whom_nobody_wants_is_looked_for_too(session):
    case = Case(session)
    case.read()
    case.registration.status = Status.CANCELLED
    record_unsure(case.registrant, now=NOW)
    assert case.plan() is Step.SETTLE

    case.settle(make_read(), at=NOW + MINUTE)
    assert case.plan() is Step.CANCEL


def test_every_doubt_begins_its_looks_anew(session):
    case = Case(session)
    case.lose()
    case.settle(at=NOW + MINUTE)
    record_unsure(case.registrant, now=NOW + MINUTE)

    assert case.settle(at=NOW + 3 * MINUTE) is True
    assert case.registrant.missed_looks == 1


def test_walk_finds_whom_zoom_took(session):
    case = Case(session)
    case.lose()

    assert case.settle(make_read(email="TARO@example.com"), at=NOW + MINUTE) is False
    assert (case.link, case.plan()) == (LINK, Step.DONE)


def test_walk_judges_no_attempt_that_ended_after_it_began(session):
    case = Case(session)
    case.lose(at=NOW + MINUTE)

    assert case.settle(at=NOW) is True
    assert (case.registrant.missed_looks, case.plan()) == (0, Step.SETTLE)


def test_two_looks_a_minute_apart_say_that_nobody_is_there(session):
    case = Case(session)
    case.lose()

    assert case.settle(at=NOW + MINUTE) is True
    assert case.settle(at=NOW + MINUTE + timedelta(seconds=59)) is True
    assert case.plan() is Step.SETTLE
    assert case.settle(at=NOW + 2 * MINUTE) is False
    assert case.plan() is Step.ADD


def test_clock_that_is_set_back_leaves_nobody_in_doubt(session):
    case = Case(session)
    case.lose(at=NOW + timedelta(days=2))
    case.settle(at=NOW + timedelta(days=2, minutes=1))

    assert case.settle(at=NOW) is False
    assert case.plan() is Step.ADD


def test_new_attempt_begins_its_looks_anew(session):
    case = Case(session)
    case.lose()
    case.settle(at=NOW + MINUTE)
    case.lose(at=NOW + 2 * MINUTE)

    assert case.settle(at=NOW + 3 * MINUTE) is True
    assert case.registrant.missed_looks == 1


def test_approved_registrant_wins_over_an_old_one_of_the_address():
    denied = make_read(id="old", status=RegistrantStatus.DENIED)
    approved = make_read(id="new")

    for people in ([denied, approved], [approved, denied]):
        assert index_by_address(people) == {TARO: approved}


@pytest.mark.parametrize(
    ("order", "first", "last"), [("given_first", "太郎", "山田"), ("family_first", "山田", "太郎")]
)
def test_name_is_sent_in_the_events_order(session, order, first, last):
    case = Case(session, zoom_name_order=order)
    person = make_new_registrant(session, case.event, case.registration)

    assert (person.first_name, person.last_name, person.email) == (first, last, TARO)


def test_only_marked_answers_go_to_zoom(session):
    questions = (
        Question("org", QuestionKind.TEXT, {"ja": "会社"}, zoom_field="org"),
        Question(
            "why",
            QuestionKind.CHECKBOXES,
            {"ja": "理由"},
            choices=(Choice("learn", {"ja": "学ぶ"}), Choice("other", {"ja": "その他"})),
            has_other=True,
            zoom_title="Why",
        ),
        Question("gone", QuestionKind.TEXT, {"ja": "なし"}, zoom_title="Not at Zoom"),
        *SMALL_FORM,
    )
    answers = {
        "org": Answer(("例株式会社",)),
        "why": Answer(("learn", "other"), "散歩" * 100),
        "gone": Answer(("x",)),
        "company": Answer(("ひみつ",)),
    }
    case = Case(session, questions=questions, answers=answers, zoom_titles=["Why"])
    person = make_new_registrant(session, case.event, case.registration)

    assert person.org == "例株式会社"
    assert set(person.custom_questions) == {"Why"}
    assert person.custom_questions["Why"].startswith("学ぶ、散歩")
    assert len(person.custom_questions["Why"]) == 128
    assert "ひみつ" not in str(asdict(person))

    org, *others = questions
    rows = questions_to_rows([replace(org, zoom_field=None, is_sensitive=True), *others])
    events.add_form_version(session, case.event, rows, now=NOW)
    person = make_new_registrant(session, case.event, case.registration)

    assert (person.org, set(person.custom_questions)) == ("", {"Why"})
