"""Every page in every state: nothing that axe finds, no sideways scroll, room for wider text."""

import pytest

from tests.browser.looks import EVERY_PAGE, find_faults, prepare
from tests.fixtures.browsers import LOCALES

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(browser, locale):
    context = browser.new_context(locale=LOCALES[locale], reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("locale", "looks"), EVERY_PAGE)
def test_everybody_can_use_every_page(gallery, tab, locale, looks):
    prepare(tab)
    faults = []
    for scene in gallery:
        scene.open(tab, locale=locale)
        faults += [(scene.name, *fault) for fault in find_faults(tab, looks)]
    assert faults == []
