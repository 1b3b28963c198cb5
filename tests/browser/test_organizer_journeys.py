"""What organizers do with the dashboard, click by click, and what follows from it."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from services import passwords
from services.members import Role
from storage import organizations
from tests import factories
from tests.browser.contrast import find_faint
from tests.browser.steps import fill_in, heading, send
from tests.dashboard import make_entrance, make_membership
from tests.fixtures.browsers import LOCALES, PHONE, Watch
from tests.fixtures.databases import only_sqlite
from tests.stage import Stage

pytestmark = [pytest.mark.browser, only_sqlite]

PASSWORD = "seventeen green umbrellas"
MOST_PAGES = 13
YELLOW = "#FFD43D"
TITLES = {"ja": "秋の新製品説明会", "en": "Autumn product briefing"}
ZOOM = {"account_id": "sandbox-account", "client_id": "sandbox-client"}
PERSON = {
    "ja": {"姓": "山田", "名": "太郎", "メールアドレス 必須": "taro@example.com"},
    "en": {"First name": "Ann", "Last name": "Smith", "Email address": "ann@example.com"},
}


@pytest.fixture
def open_browser(browser):
    """Open browsers of organizers; afterwards none may have complained."""
    contexts, watches = [], []

    def open_browser(locale="ja", **options):
        context = browser.new_context(
            locale=LOCALES[locale], timezone_id="Asia/Tokyo", reduced_motion="reduce", **options
        )
        contexts.append(context)
        tab = context.new_page()
        watches.append(Watch(tab))
        return tab

    yield open_browser
    for context in contexts:
        context.close()
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest.fixture
def enter(site, open_browser):
    """Open the browser of a new member of the first organization, signed in."""

    def enter(role=Role.OWNER, **options):
        with site.database.write() as session:
            organizer_id = make_membership(session, role, now=site.clock()).organizer_id
        tab = open_browser(**options)
        tab.goto(make_entrance(site, organizer_id))
        press(tab, "サインイン")
        tab.wait_for_url(f"{site.url}/organizer")
        return tab

    return enter


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def follow(tab, name):
    tab.get_by_role("link", name=name, exact=True).first.click()


def fill(tab, **values):
    for name, text in values.items():
        tab.fill(f"#{name}", text)


def make_new_site(start_site):
    """Start a site as it is installed: nobody signs in, no Zoom account, no events."""
    site = start_site(zoom_account_id="", zoom_client_id="", zoom_client_secret="")
    site.zoom.set_clock(site.clock())
    site.start_worker()
    answer = site.app.test_cli_runner().invoke(args=["organizers", "invite"])
    return site, answer.output.strip()


def test_from_nothing_to_published_in_both_languages(start_site, open_browser, open_tab):
    """All of it by few clicks; then a person registers."""
    site, first_link = make_new_site(start_site)
    tab = open_browser()
    pages = []
    tab.on("load", lambda page: pages.append(page.url))
    become_owner(tab, first_link)
    describe_organization(tab)
    connect_zoom(tab)
    create_event(tab, site)
    write_both_languages(tab)
    follow(tab, "公開")
    press(tab, "公開する")
    tab.get_by_text("公開しました").wait_for()

    assert len(pages) <= MOST_PAGES
    address = tab.get_by_role("link", name="申込ページを見る").get_attribute("href")
    for locale, title in TITLES.items():
        person = open_tab(locale=locale)
        person.goto(f"{site.url}{address}?lang={locale}")
        expect(heading(person)).to_have_text(title)
    register_and_see(site, tab, person)


def become_owner(tab, first_link):
    tab.goto(first_link)
    fill(tab, organization="サンプル株式会社", name="主催 花子", email="hanako@example.com")
    fill(tab, password=PASSWORD)
    press(tab, "アカウントを作成")
    expect(tab.locator("[aria-current=step]")).to_contain_text("組織の情報を入力する")


def describe_organization(tab):
    follow(tab, "組織の情報を入力する")
    fill(tab, legal_name="サンプル株式会社", address="東京都千代田区見本町1-2-3")
    fill(tab, representative="代表取締役 見本 一郎", contact_email="events@example.com")
    press(tab, "保存")
    follow(tab, "イベント")
    expect(tab.locator("[aria-current=step]")).to_contain_text("Zoomアカウントを接続する")


def connect_zoom(tab):
    follow(tab, "Zoomアカウントを接続する")
    fill(tab, **ZOOM, client_secret="sandbox-secret")
    press(tab, "テストして保存")
    tab.get_by_text("認証情報は正しく使えます").wait_for()
    follow(tab, "イベント")
    expect(tab.locator("[aria-current=step]")).to_contain_text("イベントを作成する")


def create_event(tab, site):
    follow(tab, "イベントを作成する")
    start = site.clock() + timedelta(days=10)
    fill(tab, title=TITLES["ja"], starts_at=f"{start:%Y-%m-%dT14:00}")
    press(tab, "Zoomに作成")
    tab.get_by_text("下書きを作成しました").wait_for()


def write_both_languages(tab):
    fill(tab, title_en=TITLES["en"], lead_ja="60分でご紹介します。", lead_en="In sixty minutes.")
    press(tab, "保存")
    tab.get_by_text("保存しました").wait_for()


def register_and_see(site, tab, person):
    """Register in English; the organizer finds the person, who is at Zoom."""
    fill_in(person, "en")
    send(person, "en")
    heading(person).get_by_text("You are registered").wait_for()
    site.wait_until(lambda: site.list_effects("taro@example.com"))
    follow(tab, "参加者")
    row = tab.get_by_role("row").filter(has_text="taro@example.com")
    expect(row).to_contain_text("確定")


def test_wrong_secret_is_told_at_its_field_and_missing_scope_by_name(start_site, open_browser):
    site, first_link = make_new_site(start_site)
    site.zoom.remove_scopes("meeting:write:registrant:admin")
    tab = open_browser()
    become_owner(tab, first_link)
    tab.goto(f"{site.url}/organizer/settings/zoom")
    fill(tab, **ZOOM, client_secret="not the secret")
    press(tab, "テストして保存")

    expect(tab.locator("#client_secret-error")).to_be_visible()
    expect(tab.locator("#client_secret")).to_have_attribute("aria-invalid", "true")
    expect(tab.locator("[role=alert]")).to_be_focused()
    with site.database.read() as session:
        assert organizations.get_first_connection(session, 1) is None

    fill(tab, client_secret="sandbox-secret")
    press(tab, "テストして保存")
    missing = tab.locator(".panel--warning")
    expect(missing).to_contain_text("参加者の登録、承認、取り消し")
    expect(tab.get_by_role("row").filter(has_text="不足")).to_contain_text(
        "meeting:write:registrant:admin"
    )


def test_yellow_can_be_read_everywhere(site, open_tab):
    """Texts of every page that has an event's color, by what the browser computes, both schemes."""
    stage = Stage(site)
    site.start_worker()
    stage.add_event("yellow", brand_color=YELLOW)
    tab = open_tab(viewport=PHONE)
    tab.goto(stage.address("yellow"))
    faint = find_faint(tab)
    send(tab)
    tab.locator(".panel--error").wait_for()
    faint += find_faint(tab)
    fill_in(tab)
    send(tab)
    heading(tab).get_by_text("お申し込みが完了しました").wait_for()
    faint += find_faint(tab)
    stage.register("yellow", email="hanako@example.com")
    for address in (stage.personal("hanako@example.com"), stage.join("hanako@example.com")):
        tab.goto(address)
        faint += find_faint(tab)

    assert faint == []


def test_second_of_two_editors_is_told_and_decides(site, enter):
    event = site.add_event(title={"ja": "はじめの題", "en": "First title"})
    first, second = enter(), enter(Role.EDITOR)
    for tab in (first, second):
        tab.goto(f"{site.url}/organizer/events/{event.public_id}/content")
    fill(first, title_ja="一人目の題")
    press(first, "保存")
    first.get_by_text("保存しました").wait_for()
    fill(second, title_ja="二人目の題")
    press(second, "保存")

    alert = second.locator("[role=alert]")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text("一人目の題")
    expect(alert).to_contain_text("二人目の題")
    expect(second.locator("#title_ja")).to_have_value("二人目の題")
    press(second, "保存")
    second.get_by_text("保存しました").wait_for()
    expect(heading(second)).to_have_text("二人目の題")


def test_each_role_is_offered_what_it_may_do(site, enter, open_browser):
    stage = Stage(site)
    stage.add_event("approval", approval="manual")
    stage.register("approval", email="pending@example.com")
    with site.database.read() as session:
        event = session.query(factories.Event).one()
    address = f"{site.url}/organizer/events/{event.public_id}"

    viewer = enter(Role.VIEWER)
    viewer.goto(f"{address}/people")
    assert list_ways(viewer) == ["イベント", "アカウント", "概要", "参加者", "ご案内", "流入元"]
    assert list_buttons(viewer) == ["検索"]
    approver = enter(Role.APPROVER)
    approver.goto(f"{address}/people")
    approver.get_by_label("このページの全員を選択").check()
    expect(approver.locator("[name=person]")).to_be_checked()
    approver.locator("[name=person]").uncheck()
    expect(approver.get_by_label("このページの全員を選択")).not_to_be_checked()
    follow(approver, "山田 太郎")
    press(approver, "承認する")
    expect(approver.locator(".badge").first).to_have_text("確定")
    assert list_ways(approver) == ["イベント", "アカウント", "概要", "参加者", "ご案内", "流入元"]
    stranger = open_browser()
    stranger.goto(f"{address}/people")
    expect(heading(stranger)).to_have_text("サインイン")


def list_ways(tab):
    return tab.locator(".dashboard-nav a, .tabs a").all_inner_texts()


def list_buttons(tab):
    return tab.locator("main button").all_inner_texts()


def test_keyboard_alone_signs_in_changes_and_publishes(site, open_browser):
    """No mouse: every control is reached by Tab and pressed by Enter or the space bar."""
    with site.database.write() as session:
        make_membership(
            session,
            email="hanako@example.com",
            password_hash=passwords.hash_password(PASSWORD),
            now=site.clock(),
        )
    start = (site.clock() + timedelta(days=7)).replace(second=0, microsecond=0)
    event = site.add_event(status="draft", published_at=None, starts_at=start)
    tab = open_browser(viewport=PHONE)
    tab.goto(f"{site.url}/organizer/sign-in")
    type_into(tab, "email", "hanako@example.com")
    type_into(tab, "password", PASSWORD)
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{site.url}/organizer")
    go_to(tab, f"a[href='/organizer/events/{event.public_id}']")
    go_to(tab, ".tabs a[href$=content]")
    type_into(tab, "lead_ja", "キーボードだけで入力しました。")
    reach(tab, "[name=approval][value=auto], [name=approval][value=automatic]")
    tab.keyboard.press("ArrowDown")
    go_to(tab, ".form-end .button")
    tab.get_by_text("保存しました").wait_for()
    go_to(tab, ".tabs a[href$=publishing]")
    go_to(tab, "form[action$=publishing] button")

    tab.get_by_text("公開しました").wait_for()
    with site.database.read() as session:
        kept = session.get_one(factories.Event, event.id)
        assert (kept.status, kept.approval) == ("published", "manual")


def reach(tab, selector):
    """Press Tab until a control has the focus."""
    for _ in range(150):
        tab.keyboard.press("Tab")
        if tab.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def type_into(tab, name, text):
    reach(tab, f"#{name}")
    tab.keyboard.type(text)


def go_to(tab, selector):
    reach(tab, selector)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
