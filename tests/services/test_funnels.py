"""From views to registrations, by where people came from."""

from datetime import date, timedelta

from sqlalchemy.event import listen

from services import funnels
from services.events import LinkPolicy
from services.funnels import Steps, read_funnel
from services.registration_index import read_changes
from services.registrations import register
from services.sources import DIRECT, name_origin, read_source
from services.submissions import Surface
from storage.index_writing import store_intake
from storage.registration_index import list_totals
from storage.visits import OTHER, Visit, add_visits
from tests.factories import NOW, make_event, make_submission

LETTER = {"utm_source": "letter", "page": "https://example.com/a"}
WEB = {"utm_source": "web"}
TODAY = date(2030, 4, 1)


def add_person(session, event, number, source=None, *, days_ago=0, surface=Surface.PAGE):
    email = f"p{number}@example.com"
    sent = make_submission(event, email=email, source=source or {}, surface=surface)
    at = NOW - timedelta(days=days_ago)
    register(session, event, sent, policy=LinkPolicy.SHOW, now=at)


def count(session, event, source, *, days_ago=0, **numbers):
    origin, day = name_origin(source) if source else DIRECT, TODAY - timedelta(days=days_ago)
    counts = {Visit(event.id, day, origin, name): value for name, value in numbers.items()}
    add_visits(session, counts, {origin: source} if source else {})


def read(session, event, **options):
    store_intake(session, read_changes(session, event.id))
    return read_funnel(session, event, list_totals(session, event.id), **options)


def test_steps_are_counted_by_what_people_came_with(database):
    with database.write() as session:
        event = make_event(session)
        for number in range(3):
            add_person(session, event, number, LETTER | {"gclid": str(number)})
        add_person(session, event, 3, {"utm_source": "unseen"})
        add_person(session, event, 4)
        add_person(session, event, 5, surface=Surface.BY_HAND)
        count(session, event, LETTER, view=30, start=9, failed=2)
        count(session, event, WEB, view=5)
        add_visits(session, {Visit(event.id, TODAY, "", "error:email"): 2}, {})
        funnel = read(session, event)

    by_source = {row.tags.get("utm_source"): row.steps for row in funnel.rows}
    assert (funnel.rows[0].tags, funnel.rows[-1].tags) == (LETTER, WEB)
    assert by_source == {
        "letter": Steps(30, 9, 3),
        "unseen": Steps(0, 0, 1),
        None: Steps(0, 0, 1),
        "web": Steps(5, 0, 0),
    }
    assert (funnel.total, funnel.failed, funnel.by_hand) == (Steps(35, 9, 5), 2, 1)
    assert funnel.mistakes == (("email", 2),)
    assert funnel.rest == Steps()


def test_last_days_are_counted_alone(database):
    with database.write() as session:
        event = make_event(session)
        for number, days_ago in enumerate((0, 1, 2, 9)):
            add_person(session, event, number, LETTER, days_ago=days_ago)
            count(session, event, LETTER, days_ago=days_ago, view=10)
        whole = read(session, event)
        last = read(session, event, first=TODAY - timedelta(days=1))
        nothing = read(session, event, first=TODAY + timedelta(days=1))

    assert (whole.total, last.total) == (Steps(40, 0, 4), Steps(20, 0, 2))
    assert [row.steps for row in last.rows] == [Steps(20, 0, 2)]
    assert nothing.rows == ()


def test_origins_beyond_the_table_are_counted_together(database, monkeypatch):
    monkeypatch.setattr(funnels, "MOST_READ", 2)
    with database.write() as session:
        event = make_event(session)
        for number in range(4):
            count(session, event, {"utm_source": f"s{number}"}, view=10 - number)
        add_visits(session, {Visit(event.id, TODAY, OTHER, "view"): 5}, {})
        funnel = read(session, event)

    assert [row.steps.views for row in funnel.rows] == [10, 9]
    assert (funnel.rest.views, funnel.total.views) == (8 + 7 + 5, 39)


def test_more_origins_cost_no_more_statements_and_no_longer_ones(database):
    asked = []

    def keep(_connection, _cursor, _statement, parameters, *_more):
        asked.append(len(parameters))

    def come(session, event, names):
        for number, name in enumerate(names):
            add_person(session, event, f"{event.id}-{number}", {"utm_source": name, "ref": name})
            count(session, event, {"ref": f"seen-{name}"}, view=1)
        store_intake(session, read_changes(session, event.id))
        totals = list_totals(session, event.id)
        listen(session.connection(), "before_cursor_execute", keep)
        asked.clear()
        tags = funnels.read_tags(session, event.id, list(totals["origin"]))
        reading = len(asked)
        asked.clear()
        links = funnels.count_links(session, event, ["seen-a", "a"], totals)
        assert {tag["utm_source"] for tag in tags.values() if tag} == set(names)
        assert links == {"seen-a": Steps(1, 0, 0), "a": Steps(0, 0, 1)}
        return reading, *asked

    with database.write() as session:
        few = come(session, make_event(session), "a")
    with database.write() as session:
        many = come(session, make_event(session), "abcdef")
    assert many == few


def test_rate_of_few_views_is_not_told():
    assert Steps(19, 0, 10).rate is None
    assert Steps(20, 0, 10).rate == 0.5
    assert Steps(20, 0, 21).rate is None


def test_origin_is_the_same_for_the_same_tags_in_any_order():
    one, other = (read_source(dict(tags)) for tags in (LETTER.items(), reversed(LETTER.items())))

    assert name_origin(one) == name_origin(other) == name_origin(one | {"utm_term": "x"})
    assert name_origin(one) != name_origin({"utm_source": "letter"})
