"""Mistakes in a form, and how a person gets out of them."""

import re

import pytest
from playwright.sync_api import expect

from services.default_form import default_questions
from tests.browser.steps import fill_in, heading, send
from tests.fixtures.databases import only_sqlite
from tests.stage import OPERATOR

pytestmark = [pytest.mark.browser, only_sqlite]


@pytest.fixture
def tab(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    return tab


def test_errors_are_shown_first_and_values_kept(tab):
    tab.get_by_label("姓", exact=True).fill("髙橋")
    tab.get_by_label("40代").check()
    tab.get_by_label("お住まいの地域（都道府県） 任意").select_option(label="京都府")

    send(tab)

    summary = tab.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(tab).to_have_title("エラー：はじめての勉強会 〜小さく始めて、長く続ける〜")
    expect(summary.get_by_role("link")).to_have_text(
        [
            "お名前（名）を入力してください",
            "メールアドレスを入力してください",
            "会社名・団体名を入力してください",
            "お申し込みには「個人情報の取扱い」への同意が必要です",
        ]
    )
    expect(tab.get_by_label("姓", exact=True)).to_have_value("髙橋")
    expect(tab.get_by_label("40代")).to_be_checked()
    expect(tab.get_by_label("お住まいの地域（都道府県） 任意")).to_have_value("JP-26")
    assert tab.locator("[aria-invalid=true]").count() == 4

    fill_in(tab, **{"姓": "髙橋"})
    send(tab)
    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    expect(tab.get_by_text("髙橋 太郎 様")).to_be_visible()


def test_errors_are_in_view_after_the_jump_to_the_form(tab):
    tab.get_by_role("link", name="申し込む", exact=True).click()
    expect(tab).to_have_url(re.compile("#register$"))

    send(tab)

    expect(tab.get_by_role("alert")).to_be_in_viewport(ratio=1)


def test_nothing_stands_between_the_errors_and_the_form(tab):
    assert tab.get_by_text("Zoom ウェビナー", exact=True).count() == 1
    send(tab)

    expect(heading(tab)).to_be_visible()
    expect(tab.get_by_role("link", name="申し込む", exact=True)).to_have_count(0)
    expect(tab.get_by_text("日時", exact=True)).to_have_count(0)


def test_each_error_leads_to_its_control(tab):
    send(tab)
    for link in tab.get_by_role("alert").get_by_role("link").all():
        link.click()
        focused = tab.evaluate("() => document.activeElement.getAttribute('aria-invalid')")
        assert focused == "true", link.inner_text()


def test_mistyped_address_is_changed_at_a_press(stage, tab):
    fill_in(tab, **{"メールアドレス 必須": "taro@gmial.com"})
    send(tab)
    expect(tab.get_by_role("alert")).to_contain_text(
        "メールアドレスは taro@gmail.com の間違いではありませんか"
    )

    tab.get_by_role("button", name="taro@gmail.com で申し込む").click()

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    assert stage.is_registered("spring", "taro@gmail.com")


def test_unusual_address_is_kept_at_a_press(stage, tab):
    fill_in(tab, **{"メールアドレス 必須": "taro@gmial.com"})
    send(tab)

    tab.get_by_role("button", name="入力したまま（taro@gmial.com）で申し込む").click()

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    assert stage.is_registered("spring", "taro@gmial.com")


def test_enter_beside_a_suggestion_does_not_change_the_address(stage, tab):
    fill_in(tab, **{"メールアドレス 必須": "taro@gmial.com"})
    send(tab)

    tab.get_by_label("メールアドレス 必須").fill("taro@example.com")
    tab.get_by_label("メールアドレス 必須").press("Enter")

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    assert stage.is_registered("spring", "taro@example.com")


def test_question_shows_only_where_it_applies(stage, open_tab):
    stage.add_event("workshop", questions=default_questions("en", OPERATOR))
    tab = open_tab(locale="en")
    tab.goto(stage.address("workshop"))
    country = tab.get_by_label("Country or region (optional)", exact=True)
    region = tab.get_by_label("Region (prefecture) (optional)", exact=True)
    reason = tab.get_by_label("If other, please tell us")

    expect(region).to_be_hidden()
    country.select_option(label="Japan")
    expect(tab.get_by_text("Only if you chose")).to_have_count(0)
    region.select_option(label="Tokyo")
    country.select_option(label="France")
    expect(region).to_be_hidden()
    expect(reason).to_be_hidden()
    other = tab.get_by_label("Other", exact=True)
    other.check()
    reason.fill("A friend told me")
    other.uncheck()
    expect(reason).to_be_hidden()
    other.check()
    expect(reason).to_have_value("A friend told me")
    fill_in(tab, "en")
    send(tab, "en")

    expect(heading(tab)).to_have_text("You are registered")
    expect(tab.get_by_text("France")).to_be_visible()
    expect(tab.get_by_text("A friend told me")).to_be_visible()
    expect(tab.get_by_text("Tokyo")).to_have_count(0)
