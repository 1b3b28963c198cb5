"""A person registers with a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

FOCUSED_NAME = """
(() => {
  const focused = document.activeElement;
  return (focused.labels?.[0] ?? focused).innerText ?? "";
})()
"""


def test_person_registers_by_keyboard_alone(site, open_tab):
    site.add_event(slug="spring")
    tab = open_tab()
    tab.goto(f"{site.url}/e/spring")

    tab_to(tab, "姓")
    tab.keyboard.type("山田")
    tab_to(tab, "名")
    tab.keyboard.type("太郎")
    tab_to(tab, "メールアドレス")
    tab.keyboard.type("taro@example.com")
    tab_to(tab, "同意する")
    tab.keyboard.press("Space")
    tab_to(tab, "同意して申し込む")
    tab.keyboard.press("Enter")

    expect(tab.get_by_role("heading", level=1)).to_have_text("お申し込みが完了しました")


def tab_to(tab: Page, name: str) -> None:
    """Press Tab until the focus is on a control whose label or text has this in it."""
    for _ in range(40):
        tab.keyboard.press("Tab")
        if name in tab.evaluate(FOCUSED_NAME):
            return
    raise AssertionError(f"no control {name!r} is reached")
