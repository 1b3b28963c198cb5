"""What persons do in the stories, in the words that they see."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

AGREE = {"ja": "同意して申し込む", "en": "Agree and register"}
JOIN = {"ja": "Zoomで参加する", "en": "Join on Zoom"}
TARO = {
    "ja": {
        "姓": "山田",
        "名": "太郎",
        "メールアドレス 必須": "taro@example.com",
        "会社名・団体名 必須": "サンプル株式会社",
    },
    "en": {
        "First name": "Taro",
        "Last name": "Yamada",
        "Email address": "taro@example.com",
        "Company": "Sample Inc.",
    },
}
CONSENT = {"ja": "「個人情報の取扱い」に同意する 必須", "en": "I agree to the privacy notice"}


def fill_in(tab: Page, locale: str = "ja", **others: str) -> None:
    """Type what must be known, and agree; `others` are typed instead, by label."""
    for label, text in (TARO[locale] | others).items():
        tab.get_by_label(label, exact=True).fill(text)
    tab.get_by_label(CONSENT[locale], exact=True).check()


def send(tab: Page, locale: str = "ja") -> None:
    tab.get_by_role("button", name=AGREE[locale]).click()


def heading(tab: Page) -> Locator:
    return tab.get_by_role("heading", level=1)


def join_from_receipt(tab: Page, locale: str = "ja") -> None:
    """Follow the link of a receipt and press the button behind it."""
    tab.get_by_role("link", name=JOIN[locale]).click()
    tab.get_by_role("button", name=JOIN[locale]).click()


def expect_room_of(tab: Page, name: str, email: str) -> None:
    """See the room that Zoom, or what plays it, would open."""
    expect(tab.get_by_text(f"{name} would enter")).to_be_visible()
    expect(tab.get_by_text(email)).to_be_visible()
