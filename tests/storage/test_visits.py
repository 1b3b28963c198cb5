"""Sums of what happened at the forms, which several processes add to."""

from datetime import date, timedelta

from storage.models import IndexTotal, InvitationLink
from storage.visits import (
    MOST_ORIGINS_A_DAY,
    OTHER,
    Visit,
    add_visits,
    list_tags,
    sum_by_day,
    sum_by_origin,
)
from tests.factories import NOW, make_event
from tests.races import race

DAY = date(2030, 4, 1)


def add(database, event, counts, tags=None, *, day=DAY):
    visits = {Visit(event.id, day, *key): count for key, count in counts.items()}
    with database.write() as session:
        add_visits(session, visits, tags or {})


def make(database):
    with database.write() as session:
        return make_event(session)


def test_sums_grow_by_origin_and_by_day(database):
    event = make(database)
    add(database, event, {("a", "view"): 2, ("", "error:email"): 1}, {"a": {"utm_source": "x"}})
    add(database, event, {("a", "view"): 3, ("b", "view"): 1}, day=DAY + timedelta(days=1))

    with database.read() as session:
        whole = sum_by_origin(session, event.id)
        later = sum_by_origin(session, event.id, DAY + timedelta(days=1))
        days = sum_by_day(session, event.id, "view")
        tags = list_tags(session, event.id, ["a", "b"])
    assert whole == {("a", "view"): 5, ("b", "view"): 1, ("", "error:email"): 1}
    assert later == {("a", "view"): 3, ("b", "view"): 1}
    assert days == {DAY: 2, DAY + timedelta(days=1): 4}
    assert tags == {"a": {"utm_source": "x"}}


def test_made_up_origins_of_a_day_come_together(database):
    event = make(database)
    for half in range(2):
        made_up = {(f"{half}-{n:03}", "view"): 1 for n in range(MOST_ORIGINS_A_DAY)}
        add(database, event, {**made_up, ("", "error:email"): 1})
    add(database, event, {("new", "view"): 1}, day=DAY + timedelta(days=1))

    with database.read() as session:
        sums = sum_by_origin(session, event.id)
    assert sums[OTHER, "view"] == MOST_ORIGINS_A_DAY
    assert (sums["new", "view"], sums["", "error:email"]) == (1, 2)
    assert len(sums) == MOST_ORIGINS_A_DAY + 3


def test_origins_that_nobody_can_make_up_are_told_apart_all_the_same(database):
    event = make(database)
    tags = {
        "link": {"ref": "abc"},
        "dressed": {"ref": "abc", "utm_source": "x"},
        "no": {"ref": "x"},
    }
    with database.write() as session:
        link = {"code": "abc", "kind": "channel", "tags": {}, "created_at": NOW}
        session.add(InvitationLink(event_id=event.id, **link))
        session.add(IndexTotal(event_id=event.id, name="origin", value="known", total=1))
    add(database, event, {(f"{n:03}", "view"): 1 for n in range(MOST_ORIGINS_A_DAY)})
    for _ in range(2):
        add(database, event, dict.fromkeys(((o, "view") for o in (*tags, "known")), 1), tags)

    with database.read() as session:
        sums = sum_by_origin(session, event.id)
    assert (sums["link", "view"], sums["known", "view"], sums[OTHER, "view"]) == (2, 2, 4)
    assert len(sums) == MOST_ORIGINS_A_DAY + 3


def test_processes_that_add_at_once_lose_nothing(database):
    event = make(database)
    url = database.url.render_as_string(hide_password=False)
    counts = {(f"origin-{n}", "view"): 1 for n in range(20)}

    def work(one):
        # Each in an order of its own: unsorted, they would wait for each other's rows.
        for _ in range(10):
            add(one, event, dict(reversed(counts.items())), {"origin-1": {"ref": "x"}})

    race(url, work)
    with database.read() as session:
        assert sum_by_origin(session, event.id) == dict.fromkeys(counts, 40)
