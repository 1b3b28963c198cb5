"""A form that is asked for a proof: the browser works and goes on, also where it is framed."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import expect_room_of, fill_in, heading, join_from_receipt, send
from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

DONE = "お申し込みが完了しました"


@pytest.fixture
def form(stage):
    stage.add_event("checked", bot_check="always")
    return stage.address("checked")


def slow_down(tab, rate):
    tab.context.new_cdp_session(tab).send("Emulation.setCPUThrottlingRate", {"rate": rate})


def test_browser_works_by_itself_and_on_an_old_phone_too(stage, form, open_tab):
    tab = open_tab()
    tab.goto(form)
    fill_in(tab)
    slow_down(tab, 6)
    sizes = []
    tab.on("response", lambda answer: sizes.append((answer.url, len(answer.body()))))
    tab.add_init_script(
        """addEventListener("submit", () => sessionStorage.setItem("took", performance.now()))"""
    )
    send(tab)

    expect(heading(tab)).to_have_text(DONE)
    slow_down(tab, 1)

    # From the page's first byte to the sent form; a machine with much to do is slower than a phone.
    assert float(tab.evaluate("sessionStorage.getItem('took')")) < 5_000
    assert sum(size for url, size in sizes if "proof.js" in url or "pbkdf2" in url) < 30_000
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_what_goes_on_is_said_and_a_person_presses_after_a_refusal(form, open_tab):
    tab = open_tab(locale="en")
    tab.goto(f"{form}?lang=en")
    fill_in(tab, "en")
    tab.add_init_script("HTMLFormElement.prototype.requestSubmit = () => {}")
    send(tab, "en")
    status = tab.get_by_role("status")
    expect(status).to_have_text("The check is done.")
    tab.locator("[name=proof]").evaluate("(field) => { field.value = 'old' }")
    tab.get_by_role("button", name="Register", exact=True).click()

    expect(tab.get_by_text("so it is done once more")).to_be_visible()
    expect(status).to_have_text("The check is done.")
    tab.get_by_role("button", name="Register", exact=True).click()

    expect(heading(tab)).to_have_text("You are registered")


def test_browser_that_cannot_work_leads_to_the_mail(form, open_tab):
    tab = open_tab()
    tab.goto(form)
    fill_in(tab)
    tab.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
    send(tab)

    expect(tab.get_by_role("status")).to_contain_text("「メールで確認する」をご利用ください")
    tab.get_by_role("button", name="確認メールを受け取る").click()

    expect(heading(tab)).to_have_text("メール内のボタンを押してください")
