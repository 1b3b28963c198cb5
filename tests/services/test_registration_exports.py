"""Exports: every person once, with what they saw, and nothing that runs as a formula."""

from dataclasses import replace

import pytest

from services.answer_texts import NamePlace
from services.answers import change_answers
from services.consents import change_consent
from services.events import LinkPolicy
from services.questions import (
    Answer,
    Choice,
    ConsentKind,
    Question,
    QuestionKind,
    question_to_dict,
)
from services.registration_edits import use_submission
from services.registration_exports import Export, list_export_rows
from services.registration_index import may_be_mailed
from services.registrations import register
from services.submissions import ConsentGiven
from storage import events, registrations
from storage.registration_lists import CHUNK, read_full_rows
from tests.factories import NOW, PRIVACY, make_event, make_submission

ROLE = Question(
    "role",
    QuestionKind.CHECKBOXES,
    {"ja": "立場", "en": "Role"},
    choices=(Choice("host", {"ja": "主催", "en": "Host"}), Choice("guest", {"ja": "参加"})),
    has_other=True,
)
NEWS = Question("news", QuestionKind.CONSENT, {"en": "News"}, consent=ConsentKind.MARKETING)
COUNTRY = Question("country", QuestionKind.COUNTRY, {"ja": "国", "en": "Country"})


def name_place(kind, code, locale):
    return f"{kind} {code} in {locale}"


def add_person(session, event, email, **members):
    submission = make_submission(event, email=email, **members)
    return register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)


def export(session, event, locale="en", name: NamePlace = name_place, status=None):
    rows = list(list_export_rows(session, Export(event, locale, name, status)))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("others", [0, 3], ids=["range", "ids"])
def test_who_took_over_a_later_form_keeps_the_number_of_the_first(database, others):
    with database.write() as session:
        event, elsewhere = make_event(session), make_event(session)
        row = add_person(session, event, "taro@example.com")
        for number in range(others):
            add_person(session, elsewhere, f"{number}@example.com")
        last = add_person(session, event, "hanako@example.com")
        again = add_person(session, event, "taro@example.com", family_name="佐藤")
        person = registrations.get_registration(session, row.registration_id)
        use_submission(session, event, person, again, now=NOW)
        session.flush()

        exported = [
            (line["Family name"], line["Receipt number"]) for line in export(session, event)
        ]
        listed = read_full_rows(session, [person.id])

    assert exported == [("佐藤", row.number), ("山田", last.number)]
    assert [full.row.number for full in listed] == [row.number]


def test_row_says_what_the_person_chose_in_words(database):
    with database.write() as session:
        event = make_event(session, questions=(ROLE, COUNTRY, PRIVACY))
        answers = {"role": Answer(("host", "other"), "講師"), "country": Answer(("JP",))}
        row = add_person(
            session,
            event,
            "taro@example.com",
            answers=answers,
            source={"utm_source": "mail", "gclid": "Cj0K"},
        )
        [person] = export(session, event)
    assert person == {
        "Receipt number": row.number,
        "Registered at": "2030-04-01 10:00:00",
        "Status": "approved",
        "Delivery to Zoom": "waiting",
        "Family name": "山田",
        "Given name": "太郎",
        "Email": "taro@example.com",
        "Email proven at": "",
        "Language": "ja",
        "Clicks on the join button": "0",
        "May be mailed": "no",
        "Role": "Host, 講師",
        "Country": "country JP in en",
        "I agree to the privacy notice": "yes",
        "utm_source": "mail",
        "utm_medium": "",
        "utm_campaign": "",
        "utm_term": "",
        "utm_content": "",
        "page": "",
        "ref": "",
        "click_id": "gclid=Cj0K",
    }


def test_headings_and_words_are_in_the_language_asked_for(database):
    with database.write() as session:
        event = make_event(session, questions=(ROLE, PRIVACY), approval="manual")
        add_person(session, event, "taro@example.com", answers={"role": Answer(("host", "guest"))})
        [person] = export(session, event, "ja")
    assert (person["状態"], person["立場"], person["「個人情報の取扱い」に同意する"]) == (
        "承認待ち",
        "主催、参加",
        "はい",
    )


def test_only_one_status_is_written_if_asked_for(database):
    with database.write() as session:
        event = make_event(session, capacity=1, has_waitlist=True)
        add_person(session, event, "one@example.com")
        add_person(session, event, "two@example.com")
        [person] = export(session, event, status="waitlisted")
    assert person["Email"] == "two@example.com"


def test_question_that_is_gone_keeps_its_column(database):
    with database.write() as session:
        event = make_event(session, questions=(ROLE, PRIVACY))
        add_person(session, event, "one@example.com", answers={"role": Answer(("host",))})
        renamed = replace(PRIVACY, label={"en": "I agree"})
        rows = [question_to_dict(question) for question in (COUNTRY, renamed)]
        events.add_form_version(session, event, rows, now=NOW)
        add_person(session, event, "two@example.com", answers={"country": Answer(("FR",))})
        people = export(session, event)
    asked = [(p["Role"], p["Country"], p["I agree"]) for p in people]
    assert asked == [("Host", "", "yes"), ("", "country FR in en", "yes")]


def test_answer_whose_question_left_the_form_is_in_words_after_a_change_of_names(database):
    with database.write() as session:
        event = make_event(session, questions=(ROLE, PRIVACY))
        row = add_person(session, event, "one@example.com", answers={"role": Answer(("host",))})
        version = events.add_form_version(session, event, [question_to_dict(PRIVACY)], now=NOW)
        person = registrations.get_registration(session, row.registration_id)
        names = {"family_name": "鈴木", "given_name": "一郎"}
        change_answers(session, person, **names, answers={}, form_version_id=version.id, now=NOW)
        session.flush()
        [cells] = export(session, event)
    assert (cells["Family name"], cells["Role"]) == ("鈴木", "Host")


def test_box_that_was_not_ticked_is_told_from_one_that_was_not_shown(database):
    with database.write() as session:
        event = make_event(session, questions=(PRIVACY, NEWS))
        consents = (ConsentGiven("news", ConsentKind.MARKETING, "News", False),)
        add_person(session, event, "one@example.com", answers={}, consents=consents)
        add_person(session, event, "two@example.com", answers={}, consents=())
        assert [person["News"] for person in export(session, event)] == ["no", ""]


def test_box_that_became_another_one_takes_no_consent_away(database):
    """What was agreed to holds until it is withdrawn; list and export say the same."""
    with database.write() as session:
        event = make_event(session, questions=(PRIVACY, NEWS))
        consents = (ConsentGiven("news", ConsentKind.MARKETING, "News", True),)
        row = add_person(session, event, "one@example.com", answers={}, consents=consents)
        person = registrations.get_registration(session, row.registration_id)
        person.proven_at = NOW
        other = replace(NEWS, consent=ConsentKind.OTHER)
        change_consent(
            session,
            person,
            other,
            form_version_id=person.form_version_id,
            label="News",
            locale="en",
            is_given=False,
            now=NOW,
        )
        session.flush()
        [full] = read_full_rows(session, [person.id])

        assert may_be_mailed(full)
        assert export(session, event)[0]["May be mailed"] == "yes"


def test_every_person_of_a_large_event_comes_once_and_in_order(database):
    emails = [f"person{number}@example.com" for number in range(CHUNK + 3)]
    with database.write() as session:
        event = make_event(session)
        for email in emails:
            add_person(session, event, email)
        other = make_event(session)
        add_person(session, other, "other@example.com")
    with database.read() as session:
        assert [person["Email"] for person in export(session, event)] == emails
