"""A person registers in a real browser and enters the room that Zoom opens."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import expect_room_of, fill_in, heading, join_from_receipt, send
from tests.fixtures.browsers import DESK, find_browser
from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

FOCUSED_NAME = """
() => {
  const focused = document.activeElement;
  return (focused.labels?.[0] ?? focused).innerText ?? "";
}
"""


def test_person_registers_and_enters_the_room(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))

    fill_in(tab)
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    expect(tab.get_by_text("t***@example.com")).to_be_visible()
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_person_registers_in_english_at_a_desk(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab(locale="en", viewport=DESK)
    tab.goto(stage.address("spring"))

    fill_in(tab, "en")
    send(tab, "en")

    expect(heading(tab)).to_have_text("You are registered")
    join_from_receipt(tab, "en")
    expect_room_of(tab, "Taro Yamada", "taro@example.com")


def test_person_registers_without_javascript(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab(java_script_enabled=False)
    tab.goto(stage.address("spring"))

    send(tab)
    expect(tab.get_by_role("alert")).to_contain_text("お名前（姓）を入力してください")
    fill_in(tab)
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    expect(tab.get_by_role("button", name="URLをコピー")).to_be_hidden()
    # The mail comes once Zoom has answered; without a script the page would not renew itself.
    stage.site.wait_until(lambda: stage.site.mailbox.list_mails("taro@example.com"))
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_person_registers_by_keyboard_alone(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    tab.goto(stage.address("spring"))

    tab_to(tab, "同意して申し込む")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("alert")).to_be_focused()
    tab_to(tab, "お名前（姓）を入力してください")
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("姓", exact=True)).to_be_focused()
    tab.keyboard.type("山田")
    for label, text in [("名", "太郎"), ("メール", "taro@example.com"), ("会社名", "サンプル")]:
        tab_to(tab, label)
        tab.keyboard.type(text)
    tab_to(tab, "「個人情報の取扱い」に同意する")
    tab.keyboard.press("Space")
    tab_to(tab, "同意して申し込む")
    tab.keyboard.press("Enter")

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    tab_to(tab, "Zoomで参加する")
    link = tab.evaluate("() => document.activeElement.href")
    tab_to(tab, "URLをコピー")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("コピーしました")).to_be_visible()
    assert tab.evaluate("() => navigator.clipboard.readText()") == link

    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("button", name="Zoomで参加する")).to_be_visible()
    tab_to(tab, "Zoomで参加する")
    tab.keyboard.press("Enter")
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_person_who_blocks_all_cookies_registers(stage, browser, tmp_path):
    stage.add_event("spring")
    blocked = {
        "profile": {
            "default_content_setting_values": {"cookies": 2},
            "block_third_party_cookies": True,
            "cookie_controls_mode": 1,
        }
    }
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default/Preferences").write_text(json.dumps(blocked))
    program, options = find_browser()
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=program, args=options, locale="ja-JP"
    )
    tab = context.pages[0]
    tab.goto(stage.address("spring"))
    assert tab.evaluate("() => (document.cookie = 'probe=1', document.cookie)") == ""

    fill_in(tab)
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")
    context.close()


def test_double_click_sends_once(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    fill_in(tab)  # its script says that somebody has begun
    posts = []
    tab.on("request", lambda request: posts.append(request) if request.method == "POST" else None)

    tab.get_by_role("button", name="同意して申し込む").dblclick()

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    assert len(posts) == 1
    assert stage.site.count_rows("submission") == 1


def test_form_that_is_sent_without_a_network_stays_filled_in(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    fill_in(tab)

    tab.context.set_offline(True)
    for _ in range(2):
        # A question to the site that is still under way would send the form once it is answered.
        with tab.expect_event("requestfailed"):
            send(tab)
    expect(tab.get_by_role("alert")).to_contain_text("インターネットに接続されていません")
    tab.context.set_offline(False)
    expect(tab.get_by_role("alert")).to_have_count(0)
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    expect(tab.get_by_text("山田 太郎 様")).to_be_visible()
    assert stage.site.count_rows("submission") == 1


def test_form_is_sent_where_the_site_answers_without_a_network(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.add_init_script("Object.defineProperty(navigator, 'onLine', { value: false })")
    tab.goto(stage.address("spring"))

    fill_in(tab)
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")


def test_double_click_without_javascript_registers_once(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab(java_script_enabled=False)
    tab.goto(stage.address("spring"))

    fill_in(tab)
    tab.get_by_role("button", name="同意して申し込む").dblclick()

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    assert stage.site.count_rows("submission") == 1
    assert len(stage.site.mailbox.list_mails("taro@example.com")) <= 1


def tab_to(tab: Page, name: str) -> None:
    """Press Tab until the focus is on a control whose label or text begins with this."""
    for _ in range(60):
        tab.keyboard.press("Tab")
        if tab.evaluate(FOCUSED_NAME).startswith(name):
            return
    raise AssertionError(f"no control {name!r} is reached")
