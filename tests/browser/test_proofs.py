"""A form that is asked for a proof: the browser works and goes on, also where it is framed."""

import base64
import json
from contextlib import suppress
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Error, expect

from services.proofs_of_work import COST, TRIES
from tests.browser.steps import expect_room_of, fill_in, heading, join_from_receipt, send
from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

DONE = "お申し込みが完了しました"


@pytest.fixture
def form(stage):
    stage.add_event("checked", bot_check="always")
    return stage.address("checked")


def read_proof(request):
    """Return the work that was sent with a form, if any was."""
    [payload] = parse_qs(request.post_data or "").get("proof", [""])
    return json.loads(base64.b64decode(payload)) if payload else None


def test_browser_works_by_itself_and_no_more_than_an_old_phone_can(stage, form, open_tab):
    tab = open_tab()
    tab.goto(form)
    fill_in(tab)
    sizes, proofs = [], []
    tab.on("response", lambda answer: sizes.append((answer.url, len(answer.body()))))
    tab.on("request", lambda request: proofs.append(read_proof(request)))
    send(tab)

    expect(heading(tab)).to_have_text(DONE)

    # Counted, not timed: a machine with much to do is slower than a phone.
    [proof] = filter(None, proofs)
    assert proof["challenge"]["parameters"]["cost"] == COST
    assert TRIES // 2 <= proof["solution"]["counter"] <= TRIES
    assert sum(size for url, size in sizes if "proof.js" in url or "pbkdf2" in url) < 30_000
    join_from_receipt(tab)
    expect_room_of(tab, "太郎 山田", "taro@example.com")


NOTE_WHAT_APPEARS_AT_ONCE = """
window.together = 0;
new MutationObserver((changes) => {
  const kinds = changes
    .filter(({ target }) => target.matches?.("[data-work-shown], [data-work-words]"))
    .map(({ type }) => type);
  if (new Set(kinds).size === 2) together += 1;
}).observe(document, { subtree: true, childList: true, attributeFilter: ["hidden"] });
"""


def test_what_goes_on_is_said_and_a_person_presses_after_a_refusal(form, open_tab):
    tab = open_tab(locale="en")
    tab.goto(f"{form}?lang=en")
    fill_in(tab, "en")
    tab.add_init_script("HTMLFormElement.prototype.requestSubmit = () => {}")
    tab.add_init_script(NOTE_WHAT_APPEARS_AT_ONCE)
    send(tab, "en")
    expect(tab.get_by_role("heading", name="One check")).to_be_focused()
    status = tab.get_by_role("status")
    expect(status).to_have_text("The check is done.")
    assert tab.evaluate("together") == 0  # who listens hears what changes, not what appears
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


def test_who_asks_for_the_mail_and_goes_back_is_registered_by_the_work(stage, form, open_tab):
    tab = open_tab()
    tab.goto(form)
    fill_in(tab)
    tab.route("**/*pbkdf2*", lambda route: route.abort())
    send(tab)
    tab.get_by_role("button", name="確認メールを受け取る").click()
    expect(heading(tab)).to_have_text("メール内のボタンを押してください")
    waiting = tab.url

    tab.unroute("**/*pbkdf2*")
    with suppress(Error):
        tab.go_back()
    # The browser asks whether to send the form again; the work may be done before all is loaded.
    tab.wait_for_function("location.protocol === 'chrome-error:'")
    tab.reload(wait_until="commit")

    expect(heading(tab)).to_have_text(DONE)
    assert tab.url == waiting
