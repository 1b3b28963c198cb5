"""The example events of the demo."""

from datetime import UTC, datetime

import pytest

from cli.demo_events import choose_start, ensure_demo_events
from cli.demo_people import fill_event
from services.funnels import START, VIEW
from services.overview import name_problem
from storage import events, job_lists, submissions
from storage.registration_lists import list_rows
from storage.visits import sum_by_origin
from tests.dashboard import make_membership
from tests.fixtures.databases import only_sqlite
from tests.people import TARO

ENGLISH = {name: text for name, text in TARO.items() if name != "question_company"} | {
    "question_country": "JP"
}


def list_slugs(site):
    with site.database.read() as session:
        return {event.slug: event.zoom_id for event in events.list_events(session)}


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2026, 11, 22, 3, tzinfo=UTC), datetime(2026, 12, 17, 5, tzinfo=UTC)),
        (datetime(2026, 11, 19, 3, tzinfo=UTC), datetime(2026, 12, 10, 5, tzinfo=UTC)),
        # Thursday has begun in Tokyo already.
        (datetime(2026, 11, 18, 16, tzinfo=UTC), datetime(2026, 12, 10, 5, tzinfo=UTC)),
    ],
)
def test_examples_begin_on_a_thursday_three_weeks_ahead(now, start):
    assert choose_start(now, 14) == start


@only_sqlite
def test_both_examples_are_open_with_their_pictures(site, run):
    run("demo-events")
    visitor = site.visitor()
    page = visitor.open("/e/demo")
    assert page.heading.startswith("はじめてのオンラインセミナー運営")
    for title in ("こんな方におすすめ", "プログラム", "登壇者"):
        assert title in page.text
    for name in ("logo", "header"):
        with site.database.read() as session:
            event = events.get_event_by_slug(session, "demo")
            asset = events.get_asset_by_id(session, getattr(event, f"{name}_id"))
            content = asset.content
        assert visitor.fetch(f"/assets/{asset.name}").content == content
    english = site.visitor(locale="en").open("/e/demo-en")
    assert english.heading == "Calm online events: an open workshop"


@only_sqlite
def test_person_registers_for_both_examples(site, run):
    run("demo-events")
    visitor = site.visitor()
    visitor.open("/e/demo").form().fill(**TARO).submit()
    visitor.open("/e/demo-en").form().fill(**ENGLISH).submit()
    site.drain()
    assert site.list_effects("taro@example.com") == ["add", "approve", "add"]


@only_sqlite
def test_starting_again_changes_nothing(site, run):
    run("demo-events")
    slugs = list_slugs(site)
    before = list_changes(site)
    run("demo-events")
    assert (list_slugs(site), list_changes(site)) == (slugs, before)


def list_changes(site):
    """List what was changed at Zoom; asking for a token changes nothing there."""
    effects = [entry["effect"] for entry in site.zoom.journal()]
    return [effect for effect in effects if effect not in (None, "", "token")]


@only_sqlite
def test_examples_that_are_over_make_room_for_new_ones(site):
    ensure_demo_events(site.parts)
    former = list_slugs(site)
    site.let_pass(days=40)
    ensure_demo_events(site.parts)
    slugs = list_slugs(site)
    assert slugs.keys() == {
        "demo",
        "demo-en",
        f"demo-{former['demo']}",
        f"demo-en-{former['demo-en']}",
    }
    assert slugs["demo"] != former["demo"] == slugs[f"demo-{former['demo']}"]
    assert site.visitor().open("/e/demo").form()


@only_sqlite
def test_sandbox_that_forgot_everything_gets_its_meetings_again(site):
    ensure_demo_events(site.parts)
    former = list_slugs(site)
    site.zoom.reset()
    ensure_demo_events(site.parts)
    known = {meeting["id"] for meeting in site.zoom.state()["meetings"]}
    assert {list_slugs(site)["demo"], list_slugs(site)["demo-en"]} == known
    assert known.isdisjoint(former.values())


@only_sqlite
@pytest.mark.parametrize("step", [1, 4, 8, 12])
def test_start_that_broke_off_is_completed_by_the_next(site, run, step):
    site.zoom.fault(skip=step, does="close", when="after")
    run("demo-events", exit_code=1)
    run("demo-events")
    for slug in ("demo", "demo-en"):
        assert site.visitor().open(f"/e/{slug}").form()


@only_sqlite
def test_made_up_people_are_there_and_nobody_outside_hears_of_them(site):
    ensure_demo_events(site.parts)
    with site.database.write() as session:
        make_membership(session, now=site.clock())
    before = list_changes(site)
    for _ in range(2):
        fill_event(site.parts, "demo", 100)
    site.drain()
    with site.database.read() as session:
        event = events.get_event_by_slug(session, "demo")
        counters = events.list_counters(session, event.id)
        parked = job_lists.count_jobs(session, states=("parked",), event_id=event.id)
        held = submissions.count_held(session, event.id)
        visits = sum_by_origin(session, event.id).items()
        joined = [row.registration for row in list_rows(session, event.id)]
    found = {name.removeprefix("status:"): count for name, count in counters.items()}
    assert found == {"approved": 93, "pending": 2, "cancelled": 3, "denied": 1, "seats": 95}
    assert [name_problem(reason) for _, _, reason, _ in parked] == ["ValidationFailed"]
    assert held == 1
    views, starts = (sum(n for (_, what), n in visits if what == name) for name in (VIEW, START))
    assert (views, starts) == (350, 150)
    days = {site.clock() - person.created_at for person in joined}
    assert min(days).days == 0 and max(days).days > 10
    assert list_changes(site) == before
    assert site.mailbox.list_mails() == []
