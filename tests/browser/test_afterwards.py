"""What happens after the form: the code, the join page, the personal page."""

import re
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.browser.steps import expect_room_of, fill_in, heading, join_from_receipt, send
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text

pytestmark = [pytest.mark.browser, only_sqlite]


def test_code_from_the_mail_reveals_the_link(stage, open_tab):
    stage.add_event("spring", link_policy="code")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    fill_in(tab)
    send(tab)
    expect(tab.get_by_role("link", name="Zoomで参加する")).to_have_count(0)
    stage.site.wait_until(lambda: stage.site.mailbox.list_mails("taro@example.com"))
    [code] = re.findall(r"\b\d{6}\b", read_text(stage.site.mailbox.read_only("taro@example.com")))

    box = tab.get_by_label("確認コード")
    box.fill(f"{(int(code) + 1) % 1_000_000:06}")
    box.press("Enter")
    expect(box).to_be_focused()
    expect(tab.get_by_text("最新のメールの6桁の数字を入力してください")).to_be_visible()
    box.fill(code)
    box.press("Enter")

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_join_page_renews_itself_once_zoom_is_back(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    stage.site.stop_zoom()
    fill_in(tab)
    send(tab)

    expect(heading(tab)).to_have_text("お申し込みが完了しました")
    tab.get_by_role("link", name="Zoomで参加する").click()
    expect(tab.get_by_text("お席は確保されています")).to_be_visible()
    expect(tab.get_by_role("button")).to_have_count(0)
    stage.site.start_zoom()
    stage.site.let_pass(minutes=5)

    expect(tab.get_by_role("button", name="Zoomで参加する")).to_be_visible()
    tab.get_by_role("button", name="Zoomで参加する").click()
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_join_page_renews_itself_when_the_room_opens(stage, open_tab):
    event = stage.add_event("spring")
    stage.register("spring", "taro@example.com")
    stage.site.wait_until(lambda: stage.site.mailbox.list_mails("taro@example.com"))
    stage.site.clock.move(seconds=(event.starts_at - stage.site.clock()).total_seconds() - 660)
    tab = open_tab()
    tab.goto(stage.join("taro@example.com"))
    expect(tab.get_by_text("13:50から入室できます")).to_be_visible()
    expect(tab.get_by_text("小さな勉強会を長く続ける")).to_have_count(0)

    stage.site.clock.move(seconds=61)

    expect(tab.get_by_role("heading", name="ご参加いただけます")).to_be_visible()


def test_join_button_can_be_pressed_again_after_an_app_took_over(stage, open_tab):
    stage.add_event("spring")
    stage.register("spring", "taro@example.com")
    stage.site.wait_until(lambda: stage.site.mailbox.list_mails("taro@example.com"))
    tab = open_tab()
    tab.goto(stage.join("taro@example.com"))
    button = tab.get_by_role("button")

    tab.route("**/j/*", lambda route: route.fulfill(status=204), times=1)
    button.click()
    expect(button).to_have_text("送信しています…")
    tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")

    expect(button).to_have_text("Zoomで参加する")
    button.click()
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_link_is_selected_where_the_browser_refuses_to_copy(stage, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    tab.goto(stage.register("spring", "taro@example.com"))

    tab.get_by_role("button", name="URLをコピー").click()

    link = tab.get_by_role("link", name="Zoomで参加する").get_attribute("href")
    assert tab.evaluate("() => getSelection().toString()") == link
    expect(tab.get_by_text("コピーしました")).to_have_count(0)


def test_person_changes_cancels_and_comes_back(stage, open_tab):
    stage.add_event("spring")
    stage.register("spring", "taro@example.com")
    list_effects = partial(stage.site.list_effects, "taro@example.com")
    stage.site.wait_until(lambda: stage.site.mailbox.list_mails("taro@example.com"))
    tab = open_tab()
    tab.goto(find_link(stage.site.mailbox.read_only("taro@example.com"), "r"))

    tab.get_by_role("link", name="登録内容を変更する").click()
    tab.get_by_label("会社名・団体名 必須").fill("例示システムズ株式会社")
    tab.get_by_role("button", name="変更を保存する").click()
    expect(tab.get_by_role("status").first).to_have_text("登録内容を変更しました。")
    expect(tab.get_by_text("例示システムズ株式会社")).to_be_visible()

    tab.get_by_role("link", name="参加をキャンセルする").click()
    tab.get_by_role("button", name="キャンセルする").click()
    expect(tab.get_by_text("キャンセル済み")).to_be_visible()
    expect(tab.get_by_role("link", name="Zoomで参加する")).to_have_count(0)
    stage.site.wait_until(lambda: list_effects()[-1] == "cancel")

    tab.get_by_role("link", name="もう一度申し込む").click()
    tab.get_by_role("button", name="もう一度申し込む").click()
    expect(tab.get_by_text("参加登録済み")).to_be_visible()
    stage.site.wait_until(lambda: list_effects()[-1] == "approve")
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")
