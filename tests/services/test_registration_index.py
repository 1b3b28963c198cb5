"""The index of registrations: it finds and counts exactly what the rows themselves say."""

import random

import pytest

from services.deliveries import record_done
from services.events import LinkPolicy
from services.joining import prove_address
from services.questions import (
    Answer,
    Choice,
    ConsentKind,
    Question,
    QuestionKind,
    question_to_dict,
)
from services.registration_changes import approve, cancel, deny
from services.registration_edits import edit_details
from services.registration_index import (
    MOST_SOURCES,
    OTHER_SOURCES,
    fold,
    list_events_behind,
    read_changes,
)
from services.registrations import ORGANIZER, register
from services.sources import BY_HAND, BY_PROGRAM, DIRECT, name_origin
from services.submissions import ConsentGiven, Surface
from storage import events, index_writing, registration_index, registrations, zoom_registrants
from storage.index_writing import forget, store_intake
from storage.registration_index import Wanted, count_matches, list_ids, list_totals, read_page
from tests.factories import COMPANY, NOW, PRIVACY, make_event, make_submission

AGE = Question(
    "age",
    QuestionKind.RADIO,
    {"ja": "年代"},
    choices=(Choice("20s", {"ja": "20代"}), Choice("30s", {"ja": "30代"})),
)
NEWS = Question(
    "news", QuestionKind.CONSENT, {"ja": "ご案内を受け取る"}, consent=ConsentKind.MARKETING
)


@pytest.fixture
def small_blocks(monkeypatch):
    for module in (registration_index, index_writing):
        monkeypatch.setattr(module, "BLOCK", 8)
        monkeypatch.setattr(module, "CHUNK", 4)


def make_open_event(session, **members):
    return make_event(session, questions=(COMPANY, AGE, PRIVACY, NEWS), **members)


def add_person(session, event, number, *, age="20s", news=True, **members):
    answers = {"company": Answer((f"例{number}株式会社",)), "age": Answer((age,))}
    consents = (
        ConsentGiven("privacy", ConsentKind.PRIVACY, "同意する", True),
        ConsentGiven("news", ConsentKind.MARKETING, "受け取る", news),
    )
    submission = make_submission(
        event, email=f"p{number}@example.com", answers=answers, consents=consents, **members
    )
    row = register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
    session.flush()
    return registrations.get_registration(session, row.registration_id)


def catch_up(session, event_id):
    """Take in who is new and what was changed; return whether there may be more to do."""
    return store_intake(session, read_changes(session, event_id))


def catch_up_wholly(session, event):
    while catch_up(session, event.id):
        pass


def find(session, event, text="", **facets):
    wanted = Wanted({name: frozenset(values) for name, values in facets.items()}, fold(text))
    found = [key for ids in list_ids(session, event.id, wanted) for key in ids]
    assert count_matches(session, event.id, wanted) == len(found)
    return found


def test_everything_that_changes_is_found_as_it_is(database, small_blocks):
    chance = random.Random(1)
    with database.write() as session:
        event = make_open_event(session)
        other = make_open_event(session)
        people = []
        for number in range(60):
            add_person(session, other, number)
            person = add_person(session, event, number, age=chance.choice(("20s", "30s")))
            people.append(person)
            changed = chance.choice(people)
            match chance.randrange(5):
                case 0:
                    cancel(session, event, changed, actor=ORGANIZER, now=NOW)
                case 1:
                    deny(session, event, changed, actor=ORGANIZER, now=NOW)
                case 2:
                    prove_address(changed, now=NOW)
                case 3:
                    registrant = zoom_registrants.get_zoom_registrant(session, changed.id)
                    record_done(changed, registrant, now=NOW)
            if chance.randrange(4) == 0:
                catch_up(session, event.id)
        catch_up_wholly(session, event)
        session.flush()
        for status in ("approved", "cancelled", "denied"):
            expected = [person.id for person in people if person.status == status]
            assert find(session, event, status=[status]) == expected
            assert list_totals(session, event.id)["status"].get(status, 0) == len(expected)
            proven = [p.id for p in people if p.status == status and p.proven_at is not None]
            assert find(session, event, status=[status], proof=["yes"]) == proven
        assert find(session, event, status=["approved", "cancelled", "denied"]) == [
            person.id for person in people
        ]
        assert not registration_index.is_behind(session, event.id)
        assert list_events_behind(session) == [other.id]


def test_index_that_was_forgotten_is_made_again_as_it_was(database, small_blocks):
    with database.write() as session:
        event = make_open_event(session)
        for number in range(20):
            add_person(session, event, number, age="20s" if number % 3 else "30s")
        catch_up_wholly(session, event)
        before = list_totals(session, event.id)
        forget(session, event.id)
        session.flush()
        session.expire_all()
        catch_up_wholly(session, event)
        assert list_totals(session, event.id) == before
        assert before["answer:age"] == {"20s": 13, "30s": 7}


def test_pages_hold_everybody_once_in_both_directions(database, small_blocks):
    with database.write() as session:
        event = make_open_event(session)
        ids = [add_person(session, event, number).id for number in range(30)]
        catch_up_wholly(session, event)
        for oldest_first in (True, False):
            seen, begin = [], None
            while True:
                page = read_page(
                    session, event.id, Wanted(), limit=7, begin=begin, oldest_first=oldest_first
                )
                seen += page.ids
                begin = page.next
                if begin is None:
                    break
            assert seen == sorted(ids, reverse=not oldest_first)


def test_counting_ends_once_there_are_more_than_asked_for(database, small_blocks):
    with database.write() as session:
        event = make_open_event(session)
        for number in range(60):
            add_person(session, event, number)
        catch_up_wholly(session, event)
        wanted = Wanted(text=fold("山田"))
        assert count_matches(session, event.id, wanted) == 60
        assert 10 < count_matches(session, event.id, wanted, most=10) < 60


def test_registering_in_between_moves_nobody_to_another_page(database, small_blocks):
    with database.write() as session:
        event = make_open_event(session)
        ids = [add_person(session, event, number).id for number in range(20)]
        catch_up_wholly(session, event)
        first = read_page(session, event.id, Wanted(), limit=5)
        add_person(session, event, 99)
        catch_up_wholly(session, event)
        second = read_page(session, event.id, Wanted(), limit=5, begin=first.next)
    assert first.ids + second.ids == ids[:9:-1]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("山田", True),
        ("山田太郎", True),
        ("太郎 山田", True),
        ("YAMADA", False),
        ("P1@EXAMPLE", True),
        ("@example.com", True),
        ("株式会社 例1", True),
        ("㈱例1", True),
        ("例２", False),
        ("%", False),
        ("_", False),
        ("p_@", False),
        ("'; DROP TABLE event", False),
    ],
)
def test_search_takes_what_is_typed_literally(database, typed, found):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1)
        catch_up(session, event.id)
        assert find(session, event, typed) == ([person.id] if found else [])


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("髙﨑", "髙﨑"),
        ("\U00020bb7田", "\U00020bb7田"),
        ("葛\U000e0100城", "葛城"),
        ("ﾔﾏﾀﾞ", "やまだ"),
        ("O'Brien", "o'brien"),
        ("a\nb\x1fc\\%", "abc\\%"),
    ],
)
def test_names_of_all_kinds_are_found(database, name, typed):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1, family_name=name)
        add_person(session, event, 2)
        catch_up(session, event.id)
        assert find(session, event, typed) == [person.id]


def test_edited_person_is_found_by_the_new_name_alone(database):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1)
        catch_up(session, event.id)
        edit_details(
            session,
            event,
            person,
            family_name="鈴木",
            given_name="一郎",
            answers={"age": Answer(("30s",))},
            form_version_id=person.form_version_id,
            now=NOW,
        )
        catch_up(session, event.id)
        assert find(session, event, "鈴木") == [person.id]
        assert find(session, event, "山田") == []
        assert list_totals(session, event.id)["answer:age"] == {"30s": 1}


def test_answers_whose_questions_left_the_form_are_still_counted_and_found(database):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1)
        rows = [question_to_dict(question) for question in (PRIVACY, NEWS)]
        version = events.add_form_version(session, event, rows, now=NOW)
        names = {"family_name": "鈴木", "given_name": "一郎"}
        edit_details(
            session, event, person, **names, answers={}, form_version_id=version.id, now=NOW
        )
        catch_up(session, event.id)
        assert list_totals(session, event.id)["answer:age"] == {"20s": 1}
        assert find(session, event, "例1") == [person.id]


def test_approval_by_hand_moves_a_person_between_filters(database):
    with database.write() as session:
        event = make_open_event(session, approval="manual")
        person = add_person(session, event, 1)
        catch_up(session, event.id)
        assert find(session, event, status=["pending"]) == [person.id]
        approve(session, event, person, actor=ORGANIZER, now=NOW)
        catch_up(session, event.id)
        assert find(session, event, status=["pending"]) == []
        assert find(session, event, status=["approved"], delivery=["waiting"]) == [person.id]


def test_only_who_ticked_and_proved_may_be_mailed(database):
    with database.write() as session:
        event = make_open_event(session)
        ticked, unproven, proven = (
            add_person(session, event, number, news=news)
            for number, news in ((1, True), (2, True), (3, False))
        )
        for person in (ticked, proven):
            prove_address(person, now=NOW)
        catch_up(session, event.id)
        assert find(session, event, mailable=["yes"]) == [ticked.id]
        assert find(session, event, **{"consent:news": ["yes"]}) == [ticked.id, unproven.id]


def test_made_up_campaigns_do_not_grow_the_counts_for_ever(database):
    with database.write() as session:
        event = make_open_event(session)
        for number in range(MOST_SOURCES + 5):
            add_person(session, event, number, source={"utm_source": f"s{number}"})
        catch_up_wholly(session, event)
        sources = list_totals(session, event.id)["source:utm_source"]
    assert len(sources) == MOST_SOURCES + 1
    assert sources[OTHER_SOURCES] == 5


def test_origin_is_all_that_people_came_with_together(database):
    with database.write() as session:
        event = make_open_event(session)
        tags = {"utm_source": "letter", "page": "https://example.com/a"}
        people = [
            add_person(session, event, 1, source=tags | {"gclid": "1"}),
            add_person(session, event, 2, source=tags | {"utm_term": "x"}),
            add_person(session, event, 3, source={"utm_source": "letter"}),
            add_person(session, event, 4, source={"gclid": "1"}),
            add_person(session, event, 5, surface=Surface.BY_HAND),
            add_person(session, event, 6, surface=Surface.API),
            add_person(session, event, 7, surface=Surface.API, source={"utm_source": "letter"}),
        ]
        catch_up(session, event.id)
        assert find(session, event, origin=[name_origin(tags)]) == [people[0].id, people[1].id]
        assert find(session, event, origin=[DIRECT]) == [people[3].id]
        assert find(session, event, origin=[BY_HAND]) == [people[4].id]
        assert find(session, event, origin=[BY_PROGRAM]) == [people[5].id]
        by_letter = name_origin({"utm_source": "letter"})
        assert find(session, event, origin=[by_letter]) == [people[2].id, people[6].id]


def test_change_that_commits_late_is_taken_in_later(database):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1)
        catch_up(session, event.id)
    with database.write() as session:
        here = session.get_one(type(person), person.id)
        cancel(session, events.need_event(session, event.id), here, actor=ORGANIZER, now=NOW)
    with database.read() as session:
        assert registration_index.is_behind(session, event.id)
        assert find(session, event, status=["approved"]) == [person.id]
    with database.write() as session:
        catch_up(session, event.id)
    with database.read() as session:
        assert find(session, event, status=["cancelled"]) == [person.id]
        assert not registration_index.is_behind(session, event.id)


def test_slower_of_two_who_take_in_a_change_stores_nothing_older(database):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1)
        catch_up(session, event.id)
        cancel(session, event, person, actor=ORGANIZER, now=NOW)
    with database.read() as session:
        slow = read_changes(session, event.id)
    with database.write() as session:
        here = session.get_one(type(person), person.id)
        here.status = "denied"
        registration_index.mark(session, here.id)
    with database.write() as session:
        catch_up(session, event.id)
    with database.write() as session:
        assert store_intake(session, slow)
    with database.read() as session:
        assert find(session, event, status=["denied"]) == [person.id]
        assert find(session, event, status=["cancelled"]) == []


def test_newcomers_whom_somebody_else_took_in_are_not_taken_in_twice(database):
    with database.write() as session:
        event = make_open_event(session)
        person = add_person(session, event, 1)
    with database.read() as session:
        slow = read_changes(session, event.id)
    with database.write() as session:
        catch_up(session, event.id)
    with database.write() as session:
        store_intake(session, slow)
    with database.read() as session:
        assert find(session, event) == [person.id]
        assert list_totals(session, event.id)["status"] == {"approved": 1}
