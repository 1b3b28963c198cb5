"""What changes a registration, who may, and what else changes with it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from services import moves
from services.answers import read_answers
from services.consents import PERSONAL_PAGE, change_consent, list_present_consents
from services.deliveries import Delivery
from services.events import LinkPolicy
from services.joining import prove_address
from services.moves import fill_free_seats
from services.questions import Answer, ConsentKind, Question, QuestionKind, question_to_dict
from services.receipts import MAX_CORRECTIONS, can_correct_address
from services.registration_changes import (
    MAX_RETURNS_A_DAY,
    approve,
    cancel,
    correct_address,
    deny,
    register_again,
)
from services.registration_edits import (
    edit_by_organizer,
    edit_details,
    use_submission,
    write_version,
)
from services.registrations import (
    ChangeRefused,
    Outcome,
    RegistrationNotOpen,
    Status,
    register,
)
from services.submissions import ConsentGiven
from storage import events, jobs, mails, registrations, submissions, zoom_registrants
from storage.models import Consent, Job, Mail
from tests import factories
from tests.factories import NOW

LATER = NOW + timedelta(hours=1)
NEWS = Question(
    "news",
    QuestionKind.CONSENT,
    {"ja": "案内を受け取る", "en": "Send me news"},
    consent=ConsentKind.MARKETING,
)
POLICIES = list(LinkPolicy)


class People:
    """An event and its people, known by the first part of their addresses."""

    def __init__(self, session, **members):
        self.session = session
        self.event = factories.make_event(session, **members)

    def send(self, name="taro", *, policy=LinkPolicy.SHOW, now=NOW, **members):
        submission = factories.make_submission(self.event, email=f"{name}@example.com", **members)
        return register(self.session, self.event, submission, policy=policy, now=now)

    def get(self, name="taro"):
        person = registrations.get_registration_by_email_key(
            self.session, self.event.id, f"{name}@example.com"
        )
        assert person is not None
        return person

    def add(self, name="taro"):
        self.send(name)
        return self.get(name)

    def status(self, name="taro"):
        self.session.flush()
        return self.get(name).status

    def correct(self, row, name, *, policy=LinkPolicy.SHOW):
        email = f"{name}@example.com"
        return correct_address(
            self.session,
            self.event,
            row,
            email=email,
            email_key=email,
            policy=policy,
            now=LATER,
        )

    def rename(self, name, family_name):
        """Have an organizer write another name and company, by a form of a new version."""
        form = [question_to_dict(question) for question in (*factories.SMALL_FORM, NEWS)]
        events.add_form_version(self.session, self.event, form, now=NOW)
        edit_by_organizer(
            self.session,
            self.event,
            self.get(name),
            seen_at=write_version(self.get(name)),
            family_name=family_name,
            given_name="太郎",
            answers={"company": Answer(("見本商店",))},
            form_version_id=self.event.form_version_id,
            now=NOW,
        )

    def counters(self):
        found = events.list_counters(self.session, self.event.id)
        return {name: value for name, value in found.items() if value}

    def list_mails(self, name="taro"):
        self.session.flush()
        key = f"{name}@example.com"
        return list(
            self.session.scalars(select(Mail.name).where(Mail.mailbox_key == key).order_by(Mail.id))
        )

    def get_generation(self, name="taro"):
        """Return how often Zoom was to be made to match, 0 for never."""
        self.session.flush()
        key = f"zoom:{self.get(name).id}"
        return self.session.scalar(select(Job.generation).where(Job.key == key)) or 0


def test_cancelling_gives_back_the_seat_and_tells_zoom(session):
    people = People(session, capacity=1)
    cancel(session, people.event, people.add(), actor="person", now=LATER)

    assert people.status() == Status.CANCELLED
    assert people.counters() == {"status:cancelled": 1}
    assert people.get_generation() == 2
    assert people.list_mails() == ["confirmation", "cancelled"]
    [change] = registrations.list_changes(session, people.get().id)
    assert (change.actor, change.before, change.after) == (
        "person",
        {"status": "approved"},
        {"status": "cancelled"},
    )


def test_cancelling_twice_changes_nothing_more(session):
    people = People(session)
    person = people.add()
    cancel(session, people.event, person, actor="person", now=LATER)
    cancel(session, people.event, person, actor="person", now=LATER)

    assert people.list_mails() == ["confirmation", "cancelled"]
    assert people.counters() == {"status:cancelled": 1}


@pytest.mark.parametrize(("actor", "waits"), [("organizer", False), ("person", True)])
def test_whom_an_organizer_cancels_is_told_however_many_mails_there_were(session, actor, waits):
    people = People(session)
    people.add()
    for number in range(2):
        people.send(answers={"company": Answer((f"会社{number}",))})
    cancel(session, people.event, people.get(), actor=actor, now=LATER)

    assert people.list_mails() == ["confirmation", "repeat", "repeat", "cancelled"]
    assert bool(mails.list_mails(session, people.get().id)[-1].due_at) is waits


def test_who_comes_back_waits_behind_those_who_stayed(session):
    people = People(session, capacity=1, has_waitlist=True)
    for name in ("taro", "hanako", "jiro"):
        people.add(name)
    cancel(session, people.event, people.get("taro"), actor="person", now=LATER)
    register_again(session, people.event, people.get("taro"), now=LATER)
    assert registrations.count_waitlisted_before(session, people.get("taro")) == 1

    cancel(session, people.event, people.get("hanako"), actor="person", now=LATER)

    assert [people.status(n) for n in ("jiro", "taro")] == [Status.APPROVED, Status.WAITLISTED]


def test_who_waits_moves_up_after_the_list_was_switched_off(session):
    people = People(session, capacity=1, has_waitlist=True)
    for name in ("taro", "hanako", "jiro"):
        people.add(name)
    people.event.has_waitlist = False

    cancel(session, people.event, people.get("taro"), actor="person", now=LATER)
    with pytest.raises(RegistrationNotOpen):
        people.send("newcomer", now=LATER)
    people.event.capacity = 2
    fill_free_seats(session, people.event, now=LATER)

    assert [people.status(name) for name in ("hanako", "jiro")] == [Status.APPROVED] * 2


def test_many_seats_set_free_are_given_some_at_a_time(session, monkeypatch):
    monkeypatch.setattr(moves, "MOST_MOVED_AT_ONCE", 2)
    people = People(session, capacity=1, has_waitlist=True)
    for name in ("taro", "hanako", "jiro", "saburo"):
        people.add(name)
    people.event.capacity = 4
    session.flush()

    assert fill_free_seats(session, people.event, now=LATER)
    assert people.counters().get("status:waitlisted", 0) == 1
    assert not fill_free_seats(session, people.event, now=LATER)
    assert people.counters().get("status:waitlisted", 0) == 0


def test_nobody_moves_up_at_a_cancelled_event(session):
    people = People(session, capacity=1, has_waitlist=True)
    for name in ("taro", "hanako"):
        people.add(name)
    people.event.status = "cancelled"
    cancel(session, people.event, people.get("taro"), actor="organizer", now=LATER)

    assert people.status("hanako") == Status.WAITLISTED


def test_name_that_zoom_refused_is_tried_again_when_it_is_mended(session):
    people = People(session)
    people.add()
    registrant = zoom_registrants.get_zoom_registrant(session, people.get().id)
    registrant.delivery = Delivery.REFUSED
    before = people.get_generation("taro")

    change = {"family_name": "山田", "given_name": "たろう", "answers": {}}
    version = people.get().form_version_id
    edit_details(session, people.event, people.get(), **change, form_version_id=version, now=LATER)

    assert people.get_generation("taro") == before + 1


def test_seat_set_free_goes_to_the_first_who_waits(session):
    people = People(session, capacity=1, has_waitlist=True)
    for name in ("taro", "hanako", "jiro"):
        people.add(name)
    cancel(session, people.event, people.get("taro"), actor="person", now=LATER)

    assert [people.status(n) for n in ("hanako", "jiro")] == [Status.APPROVED, Status.WAITLISTED]
    assert people.list_mails("hanako") == ["waitlisted", "approved"]
    assert people.list_mails("jiro") == ["waitlisted"]
    assert people.get_generation("hanako") == 1
    assert people.counters() == {
        "seats": 1,
        "status:approved": 1,
        "status:cancelled": 1,
        "status:waitlisted": 1,
    }


def test_who_moves_up_at_an_event_with_approval_still_waits_for_it(session):
    people = People(session, capacity=1, has_waitlist=True, approval="manual")
    people.add("taro")
    people.add("hanako")
    deny(session, people.event, people.get("taro"), actor="organizer", now=LATER)

    assert people.status("hanako") == Status.PENDING
    assert people.list_mails("hanako") == ["waitlisted", "pending"]
    assert people.get_generation("hanako") == 0


def test_more_seats_let_several_move_up(session):
    people = People(session, capacity=1, has_waitlist=True)
    for name in ("taro", "hanako", "jiro", "saburo"):
        people.add(name)
    people.event.capacity = 3
    fill_free_seats(session, people.event, now=LATER)

    names = ("hanako", "jiro", "saburo")
    assert [people.status(name) for name in names] == ["approved", "approved", "waitlisted"]


def test_nobody_moves_up_once_the_event_is_over(session):
    people = People(session, capacity=1, has_waitlist=True)
    people.add("taro")
    people.add("hanako")
    after = people.event.starts_at + timedelta(hours=2)
    cancel(session, people.event, people.get("taro"), actor="person", now=after)

    assert people.status("hanako") == Status.WAITLISTED


def test_approved_person_gets_place_mail_and_zoom(session):
    people = People(session, approval="manual")
    approve(session, people.event, people.add(), actor="organizer", now=LATER)

    assert people.status() == Status.APPROVED
    assert (people.list_mails(), people.get_generation()) == (["pending", "approved"], 1)
    assert people.counters() == {"seats": 1, "status:approved": 1}


def test_approving_beyond_the_last_seat_is_refused(session):
    people = People(session, capacity=1, has_waitlist=True)
    people.add("taro")
    people.add("hanako")

    with pytest.raises(RegistrationNotOpen):
        approve(session, people.event, people.get("hanako"), actor="organizer", now=LATER)


def test_person_who_cancelled_cannot_be_approved(session):
    people = People(session)
    cancel(session, people.event, people.add(), actor="person", now=LATER)

    with pytest.raises(ChangeRefused):
        approve(session, people.event, people.get(), actor="organizer", now=LATER)


def test_denied_person_loses_seat_and_place_at_zoom(session):
    people = People(session)
    deny(session, people.event, people.add(), actor="organizer", now=LATER)

    assert people.status() == Status.DENIED
    assert people.counters() == {"status:denied": 1}
    assert (people.list_mails(), people.get_generation()) == (["confirmation", "denied"], 2)


def test_denied_person_cannot_come_back_alone(session):
    people = People(session)
    deny(session, people.event, people.add(), actor="organizer", now=LATER)

    with pytest.raises(ChangeRefused):
        register_again(session, people.event, people.get(), now=LATER)


def test_cancelled_person_comes_back(session):
    people = People(session)
    cancel(session, people.event, people.add(), actor="person", now=LATER)
    register_again(session, people.event, people.get(), now=LATER)

    assert people.status() == Status.APPROVED
    assert people.counters() == {"seats": 1, "status:approved": 1}
    assert people.get_generation() == 3


def test_coming_back_twice_changes_nothing_more(session):
    people = People(session)
    cancel(session, people.event, people.add(), actor="person", now=LATER)
    for _ in range(2):
        register_again(session, people.event, people.get(), now=LATER)

    assert people.counters() == {"seats": 1, "status:approved": 1}
    assert people.list_mails() == ["confirmation", "cancelled", "confirmation"]


@pytest.mark.parametrize(
    ("members", "status"),
    [({"approval": "manual"}, Status.PENDING), ({"has_waitlist": True}, Status.WAITLISTED)],
)
def test_who_comes_back_comes_in_as_a_new_person_would(session, members, status):
    people = People(session, capacity=1, **members)
    cancel(session, people.event, people.add("taro"), actor="person", now=NOW)
    if status is Status.WAITLISTED:
        people.add("hanako")
    register_again(session, people.event, people.get("taro"), now=LATER)

    assert people.status("taro") == status


def test_coming_back_to_a_full_event_is_refused(session):
    people = People(session, capacity=1)
    cancel(session, people.event, people.add("taro"), actor="person", now=NOW)
    people.add("hanako")

    with pytest.raises(RegistrationNotOpen):
        register_again(session, people.event, people.get("taro"), now=LATER)
    assert people.status("taro") == Status.CANCELLED


def test_coming_back_works_a_few_times_a_day(session):
    people = People(session)
    person = people.add()
    for _ in range(MAX_RETURNS_A_DAY):
        cancel(session, people.event, person, actor="person", now=NOW)
        register_again(session, people.event, person, now=NOW)
    cancel(session, people.event, person, actor="person", now=NOW)

    with pytest.raises(ChangeRefused):
        register_again(session, people.event, person, now=NOW)
    register_again(session, people.event, person, now=NOW + timedelta(days=1, seconds=1))


def test_who_was_cancelled_by_the_organizer_does_not_come_back_alone(session):
    people = People(session)
    cancel(session, people.event, people.add(), actor="organizer", now=NOW)

    with pytest.raises(ChangeRefused):
        register_again(session, people.event, people.get(), now=LATER)


def test_repeated_answers_are_used_with_a_history(session):
    people = People(session)
    people.add()
    answers = {"company": Answer(("別の会社",))}
    repeat = people.send(family_name="佐藤", answers=answers, now=LATER)
    use_submission(session, people.event, people.get(), repeat, now=LATER)

    person = people.get()
    assert (person.family_name, read_answers(session, person)) == ("佐藤", answers)
    assert repeat.outcome == Outcome.USED
    [change] = registrations.list_changes(session, person.id)
    assert change.before["answers"] == {"company": {"values": ["例株式会社"]}}
    assert change.after["family_name"] == "佐藤"


def test_who_takes_over_a_form_in_another_language_is_written_to_in_it(session):
    people = People(session)
    people.add()
    repeat = people.send(locale="en", now=LATER)
    use_submission(session, people.event, people.get(), repeat, now=LATER)
    cancel(session, people.event, people.get(), actor="person", now=LATER)

    written = session.scalars(select(Mail.locale).order_by(Mail.id)).all()
    assert (people.get().locale, written[0], written[-1]) == ("en", "ja", "en")
    assert people.get().updated_at == LATER


def test_consents_of_a_repeat_are_not_taken_over(session):
    people = People(session)
    people.add()
    repeat = people.send(family_name="佐藤", now=LATER)
    use_submission(session, people.event, people.get(), repeat, now=LATER)

    assert len(registrations.list_consents(session, people.get().id)) == 1


def test_wrong_address_is_cancelled_revoked_and_emptied(session):
    people = People(session, capacity=1)
    mistaken = people.send("tarou")
    corrected = people.correct(mistaken, "taro")

    wrong = people.get("tarou")
    assert (wrong.status, wrong.link_version) == (Status.CANCELLED, 1)
    assert (wrong.family_name, read_answers(session, wrong)) == ("", {})
    assert (people.status("taro"), people.get("taro").family_name) == (Status.APPROVED, "山田")
    assert mistaken.corrected_by_id == corrected.id
    assert people.list_mails("tarou") == ["confirmation"]
    assert people.counters() == {"seats": 1, "status:approved": 1, "status:cancelled": 1}


@pytest.mark.parametrize("policy", POLICIES)
def test_right_address_has_what_was_changed_since_the_form_was_sent(session, policy):
    people = People(session)
    mistaken = people.send("a", policy=policy)
    people.rename("a", "佐藤")
    row = people.correct(people.correct(mistaken, "b", policy=policy), "c", policy=policy)

    person = people.get("c")
    assert (person.family_name, person.given_name) == ("佐藤", "太郎")
    assert read_answers(session, person) == {"company": Answer(("見本商店",))}
    assert person.form_version_id == people.event.form_version_id
    shown = "佐藤" if policy is LinkPolicy.SHOW else "山田"
    assert row.family_name == shown, "a receipt has what its sender may see"


@pytest.mark.parametrize("is_approved", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
def test_approval_by_hand_is_handed_on_where_the_screen_had_the_link(session, policy, is_approved):
    people = People(session, capacity=1, approval="manual")
    mistaken = people.send("tarou", policy=policy)
    if is_approved:
        approve(session, people.event, people.get("tarou"), actor="organizer", now=NOW)
    people.correct(mistaken, "taro", policy=policy)

    is_kept = is_approved and policy is LinkPolicy.SHOW
    status = Status.APPROVED if is_kept else Status.PENDING
    assert people.status("taro") == status
    assert people.counters() == {"seats": 1, f"status:{status}": 1, "status:cancelled": 1}
    assert people.list_mails("taro") == ["confirmation" if is_kept else "pending"]
    assert people.get_generation("taro") == int(is_kept)


@pytest.mark.parametrize("policy", POLICIES)
def test_who_is_known_is_told_what_was_sent(session, policy):
    people = People(session)
    people.send("taro", family_name="鈴木", policy=policy)
    mistaken = people.send("tarou", policy=policy)
    people.rename("tarou", "佐藤")
    row = people.correct(mistaken, "taro", policy=policy)

    assert (row.outcome, row.family_name) == (Outcome.REPEAT, "山田")
    assert people.get("taro").family_name == "鈴木"


@pytest.mark.parametrize("policy", POLICIES)
def test_form_sent_again_is_none_of_somebody_else_after_a_correction(session, policy):
    people = People(session)
    row = people.correct(people.send("tarou", policy=policy), "taro", policy=policy)
    people.send("taro", policy=policy, now=LATER)

    assert not submissions.has_rival(session, row)


@pytest.mark.parametrize("is_wanted", [False, True])
def test_boxes_of_the_right_address_are_those_that_hold_with_all_that_is_recorded(
    session, is_wanted
):
    people = People(session)
    privacy = ConsentGiven("privacy", ConsentKind.PRIVACY, "同意する", True)
    news = ConsentGiven("news", ConsentKind.MARKETING, "案内", not is_wanted)
    mistaken = people.send("tarou", consents=(privacy, news))
    version, said_at = people.event.form_version_id, NOW + timedelta(minutes=5)
    words = {"label": "News", "locale": "en", "form_version_id": version}
    change_consent(session, people.get("tarou"), NEWS, **words, is_given=is_wanted, now=said_at)
    people.rename("tarou", "佐藤")
    row = people.correct(mistaken, "taro")

    taro, tarou = people.get("taro"), people.get("tarou")
    assert list_evidence(session, taro) == list_evidence(session, tarou)
    assert [c.submission_id for c in registrations.list_consents(session, taro.id)] == [
        *(row.id, row.id, None)
    ]
    [held] = list_present_consents(session, taro, ConsentKind.MARKETING)
    assert (held.is_given, held.surface, held.recorded_at) == (is_wanted, PERSONAL_PAGE, said_at)


def list_evidence(session, person):
    """List what is recorded of somebody's boxes, but for whose and in what it was sent."""
    own = {"id", "registration_id", "submission_id"}
    columns = [c.name for c in Consent.__table__.columns if c.name not in own]
    evidence = registrations.list_consents(session, person.id)
    return [[getattr(consent, name) for name in columns] for consent in evidence]


@pytest.mark.parametrize("is_proven", [False, True])
def test_place_on_the_waiting_list_goes_to_the_right_address_alone(session, is_proven):
    people = People(session, capacity=1, has_waitlist=True)
    people.add("holder")
    mistaken = people.send("tarro")
    people.send("hanako", now=NOW + timedelta(minutes=1))
    if is_proven:
        prove_address(people.get("tarro"), now=NOW)
    people.correct(mistaken, "taro", policy=LinkPolicy.MAIL)

    cancel(session, people.event, people.get("holder"), actor="person", now=LATER)

    assert people.status("tarro" if is_proven else "taro") == Status.APPROVED
    assert people.status("hanako") == Status.WAITLISTED


def test_same_correction_sent_twice_gives_the_same_receipt(session):
    people = People(session)
    mistaken = people.send("tarou")

    assert people.correct(mistaken, "taro").id == people.correct(mistaken, "taro").id
    assert people.list_mails("taro") == ["confirmation"]


def test_receipt_that_was_corrected_corrects_nothing_more(session):
    people = People(session)
    mistaken = people.send("tarou")
    corrected = people.correct(mistaken, "taro")

    assert people.correct(mistaken, "jiro").id == corrected.id
    assert people.status("taro") == Status.APPROVED


def test_right_address_typed_again_changes_nothing(session):
    people = People(session)
    row = people.send()

    assert people.correct(row, "taro").id == row.id
    assert (people.status(), people.list_mails()) == (Status.APPROVED, ["confirmation"])


def test_address_that_is_proven_is_not_corrected(session):
    people = People(session)
    row = people.send()
    people.get().proven_at = LATER

    with pytest.raises(ChangeRefused):
        people.correct(row, "jiro")


def test_known_address_is_not_taken_from_its_owner_by_a_correction(session):
    people = People(session)
    people.send(policy=LinkPolicy.MAIL)
    repeat = people.send(family_name="偽", policy=LinkPolicy.MAIL, now=LATER)
    corrected = people.correct(repeat, "jiro", policy=LinkPolicy.MAIL)

    assert (people.status("taro"), people.get("taro").link_version) == (Status.APPROVED, 0)
    assert (people.status("jiro"), corrected.outcome) == (Status.APPROVED, Outcome.CREATED)
    with pytest.raises(ChangeRefused):
        people.correct(people.send(given_name="偽"), "saburo", policy=LinkPolicy.SHOW)


def test_address_is_corrected_a_few_times_at_most(session):
    people = People(session)
    row = people.send("a")
    for name in "bcd"[:MAX_CORRECTIONS]:
        row = people.correct(row, name)

    assert not can_correct_address(session, people.event, row, policy=LinkPolicy.SHOW, now=LATER)
    with pytest.raises(ChangeRefused):
        people.correct(row, "e")


def test_heir_of_a_wrong_address_stays_one_by_taking_over_a_later_form(session):
    people = People(session)
    twice = people.correct(people.correct(people.send("a"), "b"), "c")
    wrong = [people.get("a").id, people.get("b").id]
    assert submissions.map_corrected(session, wrong) == {wrong[1]: twice.registration_id}

    repeat = people.send("c", family_name="佐藤", now=LATER)
    use_submission(session, people.event, people.get("c"), repeat, now=LATER)

    assert twice.outcome == Outcome.SUPERSEDED
    assert submissions.map_corrected(session, wrong) == {wrong[1]: twice.registration_id}


def test_address_is_corrected_also_once_registration_is_closed(session):
    people = People(session)
    mistaken = people.send("tarou")
    people.event.closes_at = LATER
    twice = people.correct(people.correct(mistaken, "taro"), "jiro")

    assert can_correct_address(session, people.event, twice, policy=LinkPolicy.SHOW, now=LATER)
    assert (people.status("taro"), people.status("jiro")) == (Status.CANCELLED, Status.APPROVED)
    with pytest.raises(RegistrationNotOpen):
        people.send("hanako", now=LATER)


def test_seat_of_a_wrong_address_goes_to_the_right_one_not_to_the_queue(session):
    people = People(session, capacity=1, has_waitlist=True)
    mistaken = people.send("tarou")
    people.add("hanako")
    people.correct(mistaken, "taro")

    assert people.status("taro") == Status.APPROVED
    assert people.status("hanako") == Status.WAITLISTED


@pytest.mark.parametrize("members", [{"closed_by_zoom": "AtCapacity"}, {"capacity": 1}])
@pytest.mark.parametrize("has_waitlist", [False, True])
def test_seat_is_the_right_address_s_where_nobody_else_would_get_one(
    session, members, has_waitlist
):
    people = People(session, capacity=2, has_waitlist=has_waitlist)
    mistaken = people.send("tarou")
    people.add("hanako")
    for name, value in members.items():
        setattr(people.event, name, value)
    session.flush()

    people.correct(mistaken, "taro")

    assert people.status("taro") == Status.APPROVED
    assert people.counters() == {"seats": 2, "status:approved": 2, "status:cancelled": 1}


def test_change_while_a_worker_runs_raises_the_generation(session):
    people = People(session)
    person = people.add()
    job = jobs.claim(session, kinds=["zoom.sync"], owner="one", lease_seconds=60, now=NOW)
    assert job is not None
    cancel(session, people.event, person, actor="person", now=LATER)

    row = session.get(Job, job.id)
    session.refresh(row)
    assert (row.state, row.owner, row.generation) == ("running", "one", job.generation + 1)
