"""One person, one registration; one POST, one submission; nothing by half."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from services.answers import read_answers
from services.consents import hash_notice
from services.events import EventState, LinkPolicy
from services.mails import CONFIRM_WITHIN, MailName
from services.questions import Answer, ConsentKind
from services.registrations import (
    NotHeld,
    Outcome,
    RegistrationNotOpen,
    Status,
    drop,
    register,
    release,
)
from services.submissions import ConsentGiven, Surface, read_submission
from storage import events, registrations, submissions
from storage.models import Job, Mail, Registration, SubmissionRow
from tests import factories
from tests.factories import NOW, PRIVACY

LATER = NOW + timedelta(hours=1)


def send(session, event, *, policy=LinkPolicy.SHOW, now=NOW, **members):
    return register(
        session, event, factories.make_submission(event, **members), policy=policy, now=now
    )


def get_person(session, row):
    return registrations.get_registration(session, row.registration_id)


def list_values(row):
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def list_jobs(session):
    session.flush()
    return list(session.execute(select(Job.kind, Job.key, Job.run_at).order_by(Job.id)).all())


def list_mails(session):
    session.flush()
    return list(session.scalars(select(Mail.name).order_by(Mail.id)))


def test_new_person_is_stored_with_all_that_follows(database):
    with database.write() as session:
        event = factories.make_event(session)
        row = send(session, event, source={"utm_source": "letter"})

        person = get_person(session, row)
        assert (person.status, row.outcome) == (Status.APPROVED, Outcome.CREATED)
        assert (person.email, person.source) == ("taro@example.com", {"utm_source": "letter"})
        assert read_answers(session, person) == {"company": Answer(("例株式会社",))}
        counters = events.list_counters(session, event.id)
        assert counters == {"seats": 1, "status:approved": 1}
        minute_later = NOW + timedelta(seconds=60)
        assert list_jobs(session) == [
            ("zoom.sync", f"zoom:{person.id}", NOW),
            ("mail", "mail:1", minute_later),
        ]


def test_what_is_at_hand_of_a_new_person_is_what_is_stored(database):
    with database.write() as session:
        event = factories.make_event(session, capacity=1, has_waitlist=True)
        send(session, event, email="first@example.com")
        row = send(session, event, source={"utm_source": "letter"})

    with database.read() as session:
        for at_hand in (row, row.registration):
            stored = session.get(type(at_hand), at_hand.id)
            assert list_values(at_hand) == list_values(stored)


def test_consent_is_evidence_with_its_wording(database):
    with database.write() as session:
        event = factories.make_event(session)
        boxes = (
            ConsentGiven("privacy", ConsentKind.PRIVACY, "同意する", True),
            ConsentGiven("news", ConsentKind.MARKETING, "案内", False),
        )
        row = send(session, event, consents=boxes)

        kept = registrations.list_consents(session, row.registration_id)
        assert [(c.question_id, c.label, c.is_given, c.recorded_at) for c in kept] == [
            ("privacy", "同意する", True, NOW),
            ("news", "案内", False, NOW),
        ]
        assert kept[0].notice_hash == hash_notice(PRIVACY)
        assert kept[0].form_version_id == event.form_version_id


def test_same_post_again_gives_the_same_row(database):
    with database.write() as session:
        event = factories.make_event(session)
        submission = factories.make_submission(event)
        first = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        again = register(session, event, submission, policy=LinkPolicy.SHOW, now=LATER)

        assert again.id == first.id
        assert (count(session, SubmissionRow), list_mails(session)) == (1, ["confirmation"])


def test_same_nonce_with_another_body_is_another_submission(database):
    with database.write() as session:
        event = factories.make_event(session)
        first = send(session, event, nonce="n")
        second = send(session, event, nonce="n", email="hanako@example.com")

        assert first.id != second.id
        assert second.outcome == Outcome.CREATED


def test_known_address_changes_nothing_but_is_kept(database):
    with database.write() as session:
        event = factories.make_event(session)
        first = send(session, event)
        answers = {"company": Answer(("別の会社",))}
        again = send(session, event, family_name="佐藤", answers=answers, now=LATER)

        person = get_person(session, first)
        assert (again.outcome, again.registration_id) == (Outcome.REPEAT, person.id)
        assert (person.family_name, person.updated_at) == ("山田", NOW)
        assert read_answers(session, person)["company"] == Answer(("例株式会社",))
        assert read_submission(again).answers == answers
        assert events.list_counters(session, event.id)["seats"] == 1
        assert list_mails(session) == ["confirmation", "repeat"]


def test_same_form_from_two_tabs_is_told_once(database):
    with database.write() as session:
        event = factories.make_event(session)
        send(session, event)
        send(session, event, now=NOW + timedelta(seconds=5))

        assert list_mails(session) == ["confirmation"]
        assert count(session, SubmissionRow) == 2


def test_each_receipt_under_code_has_a_mail_of_its_own(database):
    with database.write() as session:
        event = factories.make_event(session)
        rows = [send(session, event, policy=LinkPolicy.CODE) for _ in range(2)]

        assert list_mails(session) == ["confirmation", "repeat"]
        assert [row.code_version for row in rows] == [1, 1]


def test_code_is_issued_with_a_mail_alone(database):
    with database.write() as session:
        event = factories.make_event(session)
        rows = [send(session, event, policy=LinkPolicy.CODE) for _ in range(5)]

        assert [row.code_issued_at for row in rows] == [NOW] * 3 + [None] * 2


def test_whom_an_organizer_enters_is_issued_no_code_and_mailed_with_their_link(database):
    with database.write() as session:
        event = factories.make_event(session)
        row = send(session, event, policy=LinkPolicy.CODE, surface=Surface.BY_HAND)

        [mail_at] = session.scalars(select(Job.run_at).where(Job.kind == "mail"))
        assert (row.code_version, row.code_issued_at) == (0, None)
        assert mail_at == NOW + CONFIRM_WITHIN


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ({"status": "draft"}, EventState.DRAFT),
        ({"status": "closed"}, EventState.CLOSED),
        ({"status": "cancelled"}, EventState.CANCELLED),
        ({"opens_at": LATER}, EventState.SOON),
        ({"closes_at": NOW}, EventState.CLOSED),
        ({"starts_at": NOW - timedelta(minutes=60)}, EventState.ENDED),
        ({"capacity": 0}, EventState.FULL),
    ],
)
def test_event_that_takes_nobody_stores_nothing(database, members, state):
    with database.write() as session:
        event_id = factories.make_event(session, **members).id
    with pytest.raises(RegistrationNotOpen) as refusal, database.write() as session:
        send(session, events.need_event(session, event_id))

    assert refusal.value.state is state
    with database.read() as session:
        assert (count(session, SubmissionRow), count(session, Registration)) == (0, 0)
        assert (count(session, Job), count(session, Mail)) == (0, 0)


def test_known_address_is_answered_before_the_event_counts_as_full(database):
    with database.write() as session:
        event = factories.make_event(session, capacity=1)
        send(session, event)

        assert send(session, event).outcome == Outcome.REPEAT


def test_full_event_with_a_waiting_list_lets_people_wait(database):
    with database.write() as session:
        event = factories.make_event(session, capacity=1, has_waitlist=True)
        send(session, event)
        row = send(session, event, email="hanako@example.com")

        assert get_person(session, row).status == Status.WAITLISTED
        counters = events.list_counters(session, event.id)
        assert counters == {"seats": 1, "status:approved": 1, "status:waitlisted": 1}
        assert list_mails(session)[1] == MailName.WAITLISTED
        assert [kind for kind, *_ in list_jobs(session)].count("zoom.sync") == 1


def test_approval_by_hand_keeps_a_seat_and_tells_zoom_nothing(database):
    with database.write() as session:
        event = factories.make_event(session, approval="manual", capacity=1)
        row = send(session, event)

        assert get_person(session, row).status == Status.PENDING
        assert events.list_counters(session, event.id) == {"seats": 1, "status:pending": 1}
        assert list_mails(session) == [MailName.PENDING]
        assert [kind for kind, *_ in list_jobs(session)] == ["mail"]


def test_same_address_at_another_event_is_a_person_of_its_own(database):
    with database.write() as session:
        rows = [send(session, factories.make_event(session)) for _ in range(2)]

        assert [row.outcome for row in rows] == [Outcome.CREATED] * 2


def test_suspicious_submission_is_held_without_effects(database):
    with database.write() as session:
        event = factories.make_event(session, capacity=0)
        row = send(session, event, is_suspicious=True)

        assert (row.outcome, row.registration_id) == (Outcome.HELD, None)
        jobs = [(kind, key) for kind, key, _ in list_jobs(session)]
        assert (count(session, Registration), jobs) == (0, [("held", f"held:{event.id}")])
        assert [held.id for held in submissions.list_held(session, event.id)] == [row.id]


def test_released_person_is_registered_under_the_same_receipt(database):
    with database.write() as session:
        event = factories.make_event(session)
        held = send(session, event, is_suspicious=True)
        number = held.number
        row = release(session, event, held, policy=LinkPolicy.SHOW, now=LATER)

        assert (row.id, row.number, row.outcome) == (held.id, number, Outcome.CREATED)
        assert get_person(session, row).created_at == LATER
        assert list_mails(session) == ["confirmation"]
        [consent] = registrations.list_consents(session, row.registration_id)
        assert (consent.is_given, consent.submission_id) == (True, row.id)


def test_released_person_who_registered_meanwhile_is_told_as_a_repeat(database):
    with database.write() as session:
        event = factories.make_event(session)
        held = send(session, event, is_suspicious=True, family_name="偽")
        known = send(session, event)
        row = release(session, event, held, policy=LinkPolicy.SHOW, now=LATER)

        assert (row.outcome, row.registration_id) == (Outcome.REPEAT, known.registration_id)
        assert get_person(session, row).family_name == "山田"


@pytest.mark.parametrize("decide", ["release", "drop"])
def test_submission_is_decided_about_once(database, decide):
    with database.write() as session:
        event = factories.make_event(session)
        held = send(session, event, is_suspicious=True)
        drop(session, held)

        with pytest.raises(NotHeld):
            if decide == "drop":
                drop(session, held)
            else:
                release(session, event, held, policy=LinkPolicy.SHOW, now=LATER)


def test_release_at_a_full_event_is_refused(database):
    with database.write() as session:
        event = factories.make_event(session, capacity=0)
        held = send(session, event, is_suspicious=True)

        with pytest.raises(RegistrationNotOpen):
            release(session, event, held, policy=LinkPolicy.SHOW, now=LATER)


def test_stored_submission_reads_as_the_value_it_was(database):
    with database.write() as session:
        event = factories.make_event(session)
        submission = factories.make_submission(
            event, answers={"company": Answer(("a", "other"), "そのほか")}, source={"utm_term": "x"}
        )
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)

        assert read_submission(row) == submission
