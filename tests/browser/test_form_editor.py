"""The editor of an event's form in a real browser: by mouse and by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.dashboard import make_entrance, make_membership
from tests.fixtures.browsers import DESK, Watch
from tests.fixtures.databases import only_sqlite
from tests.people import TARO
from tests.views.organizer.test_form_editor import COLOUR, COMPANY, PRIVACY

pytestmark = [pytest.mark.browser, only_sqlite]


@pytest.fixture
def page(site, browser):
    """The tab of an owner; afterwards it may not have complained."""
    context = browser.new_context(locale="ja-JP", viewport=DESK, reduced_motion="reduce")
    page = context.new_page()
    watch = Watch(page)
    with site.database.write() as session:
        organizer_id = make_membership(session, now=site.clock()).organizer_id
    page.goto(make_entrance(site, organizer_id))
    page.get_by_role("button").click()
    yield page
    context.close()
    assert watch.faults == []


def list_order(page):
    return [row.get_attribute("data-question") for row in page.locator("[data-question]").all()]


def get_handle(page, question):
    return page.locator(f"#question-{question} [data-handle]")


def test_form_is_built_published_answered_and_reworded(site, page, open_tab):
    event = site.add_event(slug="spring", questions=(COMPANY, COLOUR, PRIVACY))
    page.goto(f"{site.url}/organizer/events/{event.public_id}/form")
    page.get_by_label("新しく書く").select_option("text")
    page.get_by_role("button", name="作成").click()
    page.get_by_label("質問（日本語）").fill("濃さ")
    page.get_by_label("質問（英語）").fill("Shade")
    assert not page.get_by_label("もとになる質問").is_visible()
    page.get_by_label("前の質問の回答によって表示").check()
    page.get_by_label("もとになる質問").select_option("colour")
    page.get_by_label("赤", exact=True).check()
    page.get_by_role("button", name="保存").last.click()
    page.get_by_text("質問を追加しました").wait_for()
    page.evaluate("window.stays = true")

    def wait_for_order(*order):
        site.wait_until(lambda: list_order(page) == list(order))

    get_handle(page, "colour").focus()
    page.keyboard.press("ArrowUp")
    wait_for_order("colour", "company", "shade", "privacy")
    assert page.locator("[data-said]").inner_text() == "上へ移動しました。"
    expect(get_handle(page, "colour")).to_be_focused()
    get_handle(page, "shade").focus()
    page.keyboard.press("ArrowUp")
    wait_for_order("colour", "shade", "company", "privacy")
    expect(get_handle(page, "shade")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.locator("#question-shade").get_by_role("alert").wait_for()

    drag_above(page, "company", above="colour")
    wait_for_order("company", "colour", "shade", "privacy")
    expect(page.locator("[data-said]")).to_have_text("移動しました。")
    frame = page.frame_locator("[data-preview]")
    expect(frame.get_by_text("濃さ")).to_have_count(1)
    assert page.evaluate("window.stays")
    page.get_by_role("button", name="フォームを公開").click()
    page.get_by_text("フォームを公開しました").wait_for()

    visitor = open_tab()
    visitor.goto(f"{site.url}/e/spring")
    shade = visitor.locator("[name=question_shade]")
    assert not shade.is_visible()
    for name in ("family_name", "given_name", "email", "question_company"):
        visitor.locator(f"[name={name}]").fill(TARO[name])
    visitor.get_by_label("赤").check()
    shade.fill("濃い")
    visitor.locator("[name=question_privacy]").check()
    visitor.get_by_role("button", name="同意して申し込む").click()
    visitor.get_by_text("お申し込みが完了しました").first.wait_for()

    page.goto(f"{site.url}/organizer/events/{event.public_id}/form/questions/colour")
    page.locator("#choice_0_ja").fill("朱色")
    page.get_by_role("button", name="保存").last.click()
    page.get_by_role("button", name="フォームを公開").click()
    page.get_by_text("フォームを公開しました").wait_for()
    page.goto(f"{site.url}/organizer/events/{event.public_id}/people")
    page.get_by_role("link", name="山田").first.click()
    answers = page.locator("dl.details").filter(has_text="好きな色")
    assert "赤" in answers.inner_text() and "朱色" not in answers.inner_text()


def drag_above(page, question, *, above):
    """Drag a question by its handle over the upper half of another one."""
    page.locator(f"#question-{above}").evaluate("row => row.scrollIntoView({block: 'start'})")
    start = get_handle(page, question).bounding_box()
    target = page.locator(f"#question-{above}").bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 10, target["y"] + target["height"] / 2 + 20, steps=4)
    page.mouse.move(start["x"] + 10, target["y"] + 5, steps=4)
    page.mouse.up()
