"""People in any order: each page goes on where the one before ended, and nobody is left out."""

import random

import pytest

from services.registration_changes import ORGANIZER, cancel
from services.registration_edits import edit_details
from services.registration_index import BY_COMPANY, BY_NAME, NOTHING, fold
from storage import registration_order
from storage.models import Answer, Registration
from storage.registration_index import Wanted
from storage.registration_order import (
    Part,
    People,
    read_page_by_date,
    read_page_by_key,
    read_page_by_value,
)
from tests.factories import NOW
from tests.services.test_registration_index import (
    add_person,
    catch_up_wholly,
    make_open_event,
    small_blocks,
)

__all__ = ["small_blocks"]

NAMES = ["山田", "ヤマダ", "やまだ", "阿部", "Smith", "smith", "勅使河原", "𠮷野"]
APPROVED = Wanted({"status": frozenset({"approved"})})


@pytest.fixture
def crowd(database, small_blocks, monkeypatch):
    """Forty people with names that repeat, some of whom have cancelled or have no company."""
    monkeypatch.setattr(registration_order, "BLOCK", 8)
    monkeypatch.setattr(registration_order, "KEYS_AT_ONCE", 3)
    chance = random.Random(7)
    with database.write() as session:
        event = make_open_event(session)
        for number in range(40):
            person = add_person(
                session,
                event,
                number,
                age=chance.choice(("20s", "30s", "unknown")),
                family_name=chance.choice(NAMES),
                given_name=chance.choice(NAMES),
            )
            if number % 3 == 0:
                cancel(session, event, person, actor=ORGANIZER, now=NOW)
            if number % 4 == 0:
                edit_details(
                    session,
                    event,
                    person,
                    family_name=person.family_name,
                    given_name="改名",
                    answers={},
                    form_version_id=person.form_version_id,
                    now=NOW,
                )
        catch_up_wholly(session, event)
        yield session, event


def walk(read, session, event, wanted=APPROVED, *, limit=7):
    """Read all pages, and return who was on them."""
    ids, begin = [], ""
    while True:
        page = read(People(session, event.id, wanted), Part(begin, limit))
        ids += page.ids
        if not page.next:
            return [session.get_one(Registration, key) for key in ids]
        assert len(page.ids) == limit
        begin = page.next


def list_approved(session, event):
    rows = session.query(Registration).filter_by(event_id=event.id, status="approved")
    return rows.order_by(Registration.id).all()


def by_key(name):
    return lambda people, part: read_page_by_key(people, name, part)


def by_age(people, part):
    return read_page_by_value(people, "answer:age", ["30s", "20s"], part)


def test_every_order_is_that_of_the_rows_themselves(crowd, monkeypatch):
    """One crowd for all orders, as it takes longer to make than to sort."""
    session, event = crowd
    approved = list_approved(session, event)
    names = sorted(
        approved,
        key=lambda one: (
            f"{fold(one.family_name)}\x1f{fold(one.given_name)}".encode()[:48],
            one.id,
        ),
    )
    rows = session.query(Answer).filter_by(question_id="age")
    ages = {row.registration_id: row.value for row in rows}
    order = ["30s", "20s", "unknown"]
    by_ages = sorted(approved, key=lambda one: (order.index(ages.get(one.id, "unknown")), -one.id))
    for limit in (1, 7, 100):
        for places in (10**9, 0):  # few are found, and many
            monkeypatch.setattr(registration_order, "count_places", lambda *_, n=places: n)
            assert walk(by_key(BY_NAME), session, event, limit=limit) == names
        assert walk(by_age, session, event, limit=limit) == by_ages
    young = Wanted({"answer:age": frozenset({"20s"})})
    assert {ages[one.id] for one in walk(by_age, session, event, young)} == {"20s"}
    for oldest_first, expected in ((True, approved), (False, approved[::-1])):

        def by_date(people, part, way=oldest_first):
            return read_page_by_date(people, part, oldest_first=way)

        assert walk(by_date, session, event) == expected
    # Every fourth has taken their company away: they come last.
    companies = walk(by_key(BY_COMPANY), session, event)
    without = [int(one.email[1:].split("@")[0]) % 4 == 0 for one in companies]
    assert without == sorted(without) and any(without)
    assert len(companies) == len(approved)
    assert "\U0010ffff".encode() < NOTHING
    people = People(session, event.id, APPROVED)
    for begin in ("x", "-1", "1.zz", "99999999999999999999", "1.5.7", "٣"):
        for read in (by_key(BY_NAME), by_age):
            with pytest.raises(ValueError):
                read(people, Part(begin, 7))
