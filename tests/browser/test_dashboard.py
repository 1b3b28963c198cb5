"""The dashboard in a real browser: pages that anybody can use, and passkeys."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from services import passwords
from services.members import Role
from storage import members
from tests import factories
from tests.browser.test_accessibility import FIND_WIDE, LOOKS, NARROW, RULES, RUN_AXE, SPACE_TEXT
from tests.dashboard import make_entrance, make_membership
from tests.fixtures.browsers import LOCALES, Watch
from tests.fixtures.databases import only_sqlite
from tests.stage import LONG_WORD

pytestmark = [pytest.mark.browser, only_sqlite]

PASSWORD = "seventeen green umbrellas"
EMAIL = "hanako@example.com"
HOSTILE = "<script>alert(1)</script> \u202egnp.exe"
STRANGERS = ("/organizer/sign-in", "/organizer/password", "/organizer/password/asked")
SIGNED_IN = (
    "/organizer",
    "/organizer?tab=draft",
    "/organizer/settings",
    "/organizer/settings/mail?dns=1",
    "/organizer/settings/notice",
    "/organizer/settings/notice/compare?new=0",
    "/organizer/settings/notice/edit",
    "/organizer/settings/organization",
    "/organizer/settings/zoom",
    "/organizer/settings/zoom/test",
    "/organizer/settings/members",
    "/organizer/settings/members/invite",
    "/organizer/settings/audit",
    "/organizer/account",
    "/organizer/account/authenticator",
    "/organizer/account/password",
    "/organizer/account/passkeys/new",
    "/organizer/prove",
)


@pytest.fixture(params=LOCALES)
def locale(request):
    return request.param


@pytest.fixture
def organizer_id(site):
    with site.database.write() as session:
        made = make_membership(
            session,
            Role.OWNER,
            email=EMAIL,
            name=HOSTILE,
            password_hash=passwords.hash_password(PASSWORD),
            now=site.clock(),
        )
        make_membership(session, Role.VIEWER, name=LONG_WORD, now=site.clock())
        title = {"ja": HOSTILE + LONG_WORD, "en": HOSTILE + LONG_WORD}
        factories.make_event(session, title=title, capacity=500, now=site.clock())
        return made.organizer_id


@pytest.fixture
def tab(browser, locale):
    context = browser.new_context(locale=LOCALES[locale], reduced_motion="reduce")
    page = context.new_page()
    watch = Watch(page)
    yield page
    context.close()
    assert watch.faults == []


def enter(site, tab, organizer_id):
    tab.goto(make_entrance(site, organizer_id))
    tab.locator("main form button").click()
    tab.wait_for_url(f"{site.url}/organizer")


def list_pages(site):
    with site.database.read() as session:
        [_, other] = members.list_members(session, 1)
    return (*SIGNED_IN, f"/organizer/settings/members/{other.membership.public_id}")


def look(tab, path):
    faults = []
    for viewport, scheme in LOOKS:
        tab.set_viewport_size(viewport)
        tab.emulate_media(color_scheme=scheme)
        found = tab.evaluate(RUN_AXE, RULES[scheme])
        faults += [(path, viewport["width"], scheme, fault) for fault in found]
    tab.set_viewport_size(NARROW)
    faults += [(path, fault) for fault in tab.evaluate(FIND_WIDE)]
    tab.evaluate(SPACE_TEXT)
    return faults + [(path, "spaced", fault) for fault in tab.evaluate(FIND_WIDE)]


def test_everybody_can_use_every_page(site, tab, locale, organizer_id):
    tab.add_init_script(AXE_SCRIPT)
    faults = []
    for path in STRANGERS:
        tab.goto(f"{site.url}{path}?lang={locale}")
        faults += look(tab, path)
    enter(site, tab, organizer_id)
    for path in list_pages(site):
        mark = "&" if "?" in path else "?"
        tab.goto(f"{site.url}{path}{mark}lang={locale}")
        faults += look(tab, path)

    assert faults == []


def test_keyboard_alone_signs_in(site, tab, locale, organizer_id):
    tab.goto(f"{site.url}/organizer/sign-in")
    tab.get_by_label({"ja": "メールアドレス 必須", "en": "Email address"}[locale]).focus()
    tab.keyboard.type(EMAIL)
    tab.keyboard.press("Tab")
    tab.keyboard.type(PASSWORD)
    tab.keyboard.press("Enter")

    tab.wait_for_url(f"{site.url}/organizer")


def test_passkey_is_made_and_signs_in(start_site, browser):
    site = start_site(name="localhost")
    with site.database.write() as session:
        organizer_id = make_membership(session, email=EMAIL, now=site.clock()).organizer_id
    context = browser.new_context(locale="ja-JP")
    tab = context.new_page()
    watch = Watch(tab)
    devices = context.new_cdp_session(tab)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    enter(site, tab, organizer_id)

    tab.goto(f"{site.url}/organizer/account/passkeys/new")
    tab.get_by_role("button", name="パスキーを作成").click()
    tab.get_by_text("パスキーを保存しました").wait_for()
    tab.get_by_role("button", name="サインアウト").click()
    tab.get_by_role("button", name="パスキーを使う").click()

    tab.wait_for_url(f"{site.url}/organizer")
    context.close()
    assert watch.faults == []
