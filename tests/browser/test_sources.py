"""From a link in a mail to the organizer's page that says what came of it, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import AGREE, fill_in, heading, send
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.organizer import Organizer

pytestmark = [pytest.mark.browser, only_sqlite]

LETTER = "?utm_source=letter&utm_campaign=%E6%98%A5&gclid=Ab1&mc_eid=whoever"
REFUSES = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"


def test_visits_are_counted_from_the_link_to_the_registration(stage, open_tab):
    event = stage.add_event("spring")
    tab = open_tab()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    with tab.expect_response("**/seen/view*") as view:
        tab.goto(stage.address("spring") + LETTER)
    tab.get_by_role("link", name="English").click()
    with tab.expect_response("**/seen/start*") as start:
        tab.get_by_label("Last name").fill("Yamada")
    tab.get_by_role("button", name=AGREE["en"]).click()
    expect(tab.get_by_role("alert")).to_be_visible()
    fill_in(tab, "en")
    send(tab, "en")
    expect(heading(tab)).to_have_text("You are registered")

    assert [answer.value.status for answer in (view, start)] == [204, 204]
    assert len([url for url in asked if "/seen/start" in url]) == 1
    assert tab.evaluate("localStorage.length + sessionStorage.length") == 0
    person = Organizer(stage.site, event).find("taro@example.com")
    assert person.source == {"utm_source": "letter", "utm_campaign": "春", "gclid": "Ab1"}

    quiet = open_tab()
    quiet.add_init_script(REFUSES)
    quiet.on("request", lambda request: asked.append(f"quiet {request.url}"))
    quiet.goto(stage.address("spring"), wait_until="networkidle")
    assert [url for url in asked if url.startswith("quiet") and "/seen/" in url] == []

    stage.site.parts.visits.store()
    page = sign_in(stage.site, locale="en").open(f"/organizer/events/{event.public_id}/sources")
    numbers = [dd.text for dd in page.root.find_all("dd")][:8:2]
    assert numbers == ["2", "1", "1", "1"]
    assert "letter / 春" in page.text and "I agree to the privacy notice" in page.text
