"""Every page of the dashboard in a real browser: for everybody, by keyboard alone; and passkeys."""

import time

import pytest
from playwright.sync_api import expect

from services.members import Role
from tests.browser.looks import EVERY_PAGE, find_faults, find_unreachable, prepare
from tests.dashboard import make_entrance, make_membership
from tests.dashboard_gallery import list_dashboard_scenes
from tests.fixtures.browsers import LOCALES, Watch
from tests.fixtures.databases import only_sqlite
from tests.live_site import LiveSite
from tests.views.organizer.test_people import add, make_event

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def scenes(sqlite_databases, tmp_path_factory):
    site = LiveSite(
        sqlite_databases.make_migrated(), tmp_path_factory.mktemp("dashboard"), name="localhost"
    )
    yield list_dashboard_scenes(site)
    site.close()


@pytest.mark.parametrize(("locale", "looks"), EVERY_PAGE)
def test_everybody_can_use_every_page(scenes, browser, locale, looks):
    """By axe, at any width, without a mouse; and no page complains of what people wrote."""
    context = browser.new_context(locale=LOCALES[locale], reduced_motion="reduce")
    tab = context.new_page()
    prepare(tab)
    watch = Watch(tab)
    tab.on("dialog", lambda dialog: watch.faults.append(dialog.message))
    faults = []
    for scene in scenes:
        scene.open(tab, locale=locale)
        faults += [(scene.name, fault) for fault in find_unreachable(tab)]
        faults += [(scene.name, *fault) for fault in find_faults(tab, looks)]
        faults += [(scene.name, fault) for fault in watch.faults]
        watch.faults.clear()
    context.close()

    assert faults == []


@pytest.fixture
def open_owner(site, browser):
    """Open a tab of an owner who is signed in; afterwards it may not have complained."""
    contexts, watches = [], []

    def open_owner(at=site):
        context = browser.new_context(locale="ja-JP")
        contexts.append(context)
        page = context.new_page()
        watches.append(Watch(page))
        with at.database.write() as session:
            organizer_id = make_membership(session, Role.OWNER, now=at.clock()).organizer_id
        page.goto(make_entrance(at, organizer_id))
        page.locator("main form button").click()
        page.wait_for_url(f"{at.url}/organizer")
        return page

    yield open_owner
    for context in contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []


@only_sqlite
def test_overview_shows_a_newcomer_without_a_reload(site, open_owner):
    public_id, event_id = make_event(site)
    page = open_owner()
    page.clock.install()
    page.goto(f"{site.url}/organizer/events/{public_id}")
    page.evaluate("window.stays = true")
    add(site, event_id, "new@example.com")
    page.clock.fast_forward(5_000)
    page.locator(".numbers").get_by_text("1", exact=True).first.wait_for()
    assert page.evaluate("window.stays")

    # An open page is nobody who is there: once the session has ended, it says that it stands still.
    site.clock.move(hours=13)
    page.clock.fast_forward(5_000)
    page.get_by_role("link", name="もう一度サインイン").wait_for()


NOTE_WORDS = """
addEventListener("DOMContentLoaded", () => {
  window.words = document.querySelector("[role=status] > p");
});
"""


@only_sqlite
def test_passkey_is_made_and_signs_in(start_site, open_owner):
    site = start_site(name="localhost")
    tab = open_owner(site)
    devices = tab.context.new_cdp_session(tab)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    tab.goto(f"{site.url}/organizer/account/passkeys/new")
    tab.add_init_script(NOTE_WORDS)
    tab.get_by_role("button", name="パスキーを作成").click()
    tab.get_by_text("パスキーを保存しました").wait_for()
    # Said anew in a place that was there, so that it is read out.
    deadline = time.monotonic() + 30
    while tab.evaluate("window.words?.isConnected !== false"):
        assert time.monotonic() < deadline, "it stands there as it came"
        tab.wait_for_timeout(50)
    expect(tab.get_by_role("status").first).to_contain_text("パスキーを保存しました")
    tab.get_by_role("button", name="サインアウト").click()
    tab.get_by_role("button", name="パスキーを使う").click()

    tab.wait_for_url(f"{site.url}/organizer")
