"""What an event's page tells programs, as a real browser reads it."""

import pytest

from tests.fixtures.databases import only_sqlite
from tests.views.test_sharing import HOSTILE

pytestmark = [pytest.mark.browser, only_sqlite]


def test_hostile_title_is_data_and_nothing_runs(site, open_tab):
    site.add_event(slug="spring", title={"ja": HOSTILE})
    tab = open_tab()
    asked = []
    tab.on("dialog", lambda dialog: asked.append(dialog.message))
    tab.goto(f"{site.url}/e/spring")

    block = tab.locator("script[type='application/ld+json']")
    assert block.count() == 1
    assert block.evaluate("(script) => JSON.parse(script.textContent).name") == HOSTILE
    assert asked == []
