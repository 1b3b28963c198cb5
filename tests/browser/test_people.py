"""The people of an event in a real browser: every look, hostile words, a page that stays live."""

import os
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from services.members import Role
from services.people_acts import Act
from services.people_tasks import do_next, start_task
from services.questions import Answer
from storage import events, registrations
from storage.models import Job
from tests.browser.test_accessibility import FIND_WIDE, RULES, RUN_AXE
from tests.dashboard import make_entrance, make_membership
from tests.fixtures.browsers import DESK, LOCALES, PHONE, Watch
from tests.fixtures.databases import only_sqlite
from tests.views.organizer.test_people import HOSTILE, add, make_event

pytestmark = [pytest.mark.browser, only_sqlite]

LONG = "とても長い名前の株式会社ほげほげホールディングスアンドパートナーズ東日本支社" * 2


@pytest.fixture
def crowd(site):
    """An event with people of all kinds: plain, hostile, long, held back, and put aside."""
    public_id, event_id = make_event(site, approval="manual", capacity=500)
    for number in range(12):
        source = {"utm_source": "mail" if number % 3 else "web"}
        age = "20s" if number % 4 else "30s"
        add(site, event_id, f"p{number}@example.com", family_name="佐藤", age=age, source=source)
    hostile = {"company": Answer((HOSTILE,)), "age": Answer(("20s",))}
    source = {"utm_source": HOSTILE}
    add(site, event_id, "h@example.com", family_name=HOSTILE, answers=hostile, source=source)
    person = add(site, event_id, f"{'l' * 60}@{'example.' * 8}com", family_name=LONG)
    add(site, event_id, "held@example.com", family_name="保留", is_suspicious=True)
    with site.database.write() as session:
        session.add(
            Job(
                kind="zoom.sync",
                key="zoom:0",
                payload={},
                event_id=event_id,
                state="parked",
                reason="RegistrationDisabled: 3027",
                run_at=site.clock(),
                created_at=site.clock(),
                updated_at=site.clock(),
            )
        )
    base = f"/organizer/events/{public_id}"
    with site.database.write() as session:
        chosen = registrations.get_registration_by_public_id(session, person)
        event = events.need_event(session, event_id)
        task = start_task(session, event, Act.RETRY, [chosen.id], now=site.clock()).public_id
        do_next(session, 1, now=site.clock())
    parts = (
        f"/tasks/{task}",
        "/people",
        f"/people/{person}",
        "/held",
        f"/people/{person}/edit",
        "/people/new",
    )
    return event_id, [base, *(base + part for part in parts)]


@pytest.fixture
def open_dashboard(site, browser):
    """Open tabs of an owner who is signed in; afterwards none may have complained."""
    watches, contexts = [], []

    def open_dashboard(locale):
        context = browser.new_context(locale=LOCALES[locale], reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        watches.append(Watch(page))
        page.on("dialog", lambda dialog: watches[0].faults.append(dialog.message))
        with site.database.write() as session:
            made = make_membership(session, Role.OWNER, locale=locale, now=site.clock())
            organizer_id = made.organizer_id
        page.goto(make_entrance(site, organizer_id))
        page.get_by_role("button").click()
        return page

    yield open_dashboard
    for context in contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_pages_of_people_are_for_everybody(site, crowd, open_dashboard, locale):
    page = open_dashboard(locale)
    page.add_init_script(AXE_SCRIPT)
    faults = []
    for number, address in enumerate(crowd[1]):
        page.goto(site.url + address)
        for viewport, scheme in product((PHONE, DESK), RULES):
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            look = (address[-12:], viewport["width"], scheme)
            faults += [(*look, fault) for fault in page.evaluate(RUN_AXE, RULES[scheme])]
            faults += [(*look, fault) for fault in page.evaluate(FIND_WIDE)]
            if folder := os.environ.get("PICTURES"):
                name = f"{number}-{locale}-{viewport['width']}-{scheme}.png"
                page.screenshot(path=Path(folder) / name, full_page=True)
    assert faults == []


def test_overview_shows_a_newcomer_without_a_reload(site, crowd, open_dashboard):
    event_id, (overview, *_) = crowd
    page = open_dashboard("ja")
    page.goto(site.url + overview)
    page.evaluate("window.stays = true")
    add(site, event_id, "new@example.com")
    page.locator(".numbers").get_by_text("15", exact=True).first.wait_for(timeout=15_000)
    assert page.evaluate("window.stays")
